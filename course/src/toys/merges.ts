// The reader's text, cut into words and merged one pair at a time, by pebble's list of merges.   Milestone M0.
import data from '../data/toys/merges.json';
import { byteAlphabet, join, nextMerge, words } from './formulas';
import { Toy, button, count, h, said, slider, visible, type Slider } from './parts';

const alphabet = byteAlphabet();
const byteOf = new Map(alphabet.map((letter, byte) => [letter, byte]));
const ranks = new Map(data.merges.split('\n').map((pair, rank) => [pair, rank]));
// Ids: three special tokens, the bytes in the order of their letters, then what the merges make.
const ids = new Map([...alphabet].sort().map((letter, i) => [letter, 3 + i]));
for (const [pair, rank] of ranks) ids.set(pair.replace(' ', ''), 259 + rank);

// Letters of the byte alphabet as a person reads them; bytes that are no whole character as numbers.
function readable(piece: string): string {
  const bytes = Uint8Array.from([...piece], (letter) => byteOf.get(letter)!);
  try {
    return visible(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  }
}

interface State {
  words: string[][];
  word: number;
  at: number;
  rank: number;
}

class Merges extends Toy {
  readonly words = 'Byte-pair encoding, one merge at a time';
  private states: State[] = [];
  private step = 0;
  private steps!: Slider;
  private pieces = h('div', { class: 'pieces' });
  private now = said();
  private history = h('ol', { class: 'history' });

  build() {
    const input = h('input', {
      value: this.getAttribute('text') ?? 'The lantern',
      maxlength: 60,
      size: 24,
      autocomplete: 'off',
      spellcheck: 'false',
    });
    input.addEventListener('input', () => this.read(input.value));
    this.steps = slider(
      'step',
      'Step',
      { min: 0, max: 1, value: 0 },
      (value) => `${value} of ${this.states.length - 1}`,
      (value) => this.go(value),
    );
    this.append(
      h('label', {}, 'Your text: ', input),
      h(
        'div',
        { class: 'row' },
        button('Back', () => this.go(this.step - 1), { 'data-go': 'back' }),
        button('Next merge', () => this.go(this.step + 1), { 'data-go': 'next' }),
        button('To the end', () => this.go(this.states.length - 1), { 'data-go': 'end' }),
      ),
      this.steps.row,
      this.now,
      this.pieces,
      this.history,
    );
    this.read(input.value);
  }

  // All steps, word by word, as `rung tokenize --explain` goes.
  private read(text: string) {
    const letters = (word: string) => [...new TextEncoder().encode(word)].map((byte) => alphabet[byte]);
    let current = words(text).map(letters);
    this.states = [{ words: current, word: -1, at: -1, rank: -1 }];
    current.forEach((_, word) => {
      for (let merge = nextMerge(current[word], ranks); merge; merge = nextMerge(current[word], ranks)) {
        current = current.with(word, join(current[word], merge.at));
        this.states.push({ words: current, word, ...merge });
      }
    });
    this.steps.input.max = String(this.states.length - 1);
    this.go(0);
  }

  private go(step: number) {
    this.step = Math.max(0, Math.min(this.states.length - 1, step));
    this.steps.set(this.step);
    this.querySelectorAll<HTMLButtonElement>('[data-go]').forEach((one) => {
      one.disabled = one.dataset.go === 'back' ? this.step === 0 : this.step === this.states.length - 1;
    });
    this.draw();
  }

  draw() {
    const state = this.states[this.step],
      next = this.states[this.step + 1],
      done = !next;
    this.pieces.replaceChildren(
      ...state.words.map((pieces, word) =>
        h(
          'div',
          { class: 'word' },
          ...pieces.flatMap((piece, i) => {
            const coming = next?.word === word && (next.at === i || next.at + 1 === i),
              made = state.word === word && state.at === i;
            const chip = h(
              'span',
              { class: `piece${coming ? ' next' : ''}${made ? ' new' : ''}` },
              readable(piece),
              h('small', {}, String(ids.get(piece))),
            );
            if (i + 1 === pieces.length) return [chip];
            const rank = ranks.get(`${piece} ${pieces[i + 1]}`);
            return [
              chip,
              h(
                'span',
                { class: `joint${next?.word === word && next.at === i ? ' next' : ''}` },
                rank === undefined ? '–' : String(rank),
              ),
            ];
          }),
        ),
      ),
    );
    const pair = (at: State, before: State) =>
      `${readable(before.words[at.word][at.at])} + ${readable(before.words[at.word][at.at + 1])}`;
    const all = state.words.flat();
    this.now.textContent = done
      ? `Done: ${count(all.length, 'token')}, ids ${all.map((piece) => ids.get(piece)).join(', ')}. ` +
        'No two neighbours in a word have a merge.'
      : `Next: ${pair(next, state)}, since its rank, ${next.rank}, is the lowest in this word.`;
    this.history.replaceChildren(
      ...this.states
        .slice(1, this.step + 1)
        .map((one, i) =>
          h(
            'li',
            i + 1 === this.step ? { 'aria-current': 'step' } : {},
            `${i + 1}. ${pair(one, this.states[i])} (${one.rank})`,
          ),
        ),
    );
  }
}
customElements.define('rung-merges', Merges);
