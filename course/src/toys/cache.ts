// The work of writing an answer with and without the KV cache, counted for pebble.   Milestone M4.
import data from '../data/toys/cache.json';
import { Toy, bytes, columnHeads, drawing, h, large, s, said, slider, tableRow, whole } from './parts';

// Multiplications of one pass: each weight of the layers once per token, q·k and times v for each key that a token
// sees, the head once.
export function multiplications(before: number, tokens: number): number {
  const head = data.hidden * data.vocabulary;
  let keys = 0;
  for (let t = before; t < before + tokens; ++t) keys += t + 1;
  return tokens * (data.matrices - head) + 2 * data.layers * data.heads * data.headDim * keys + head;
}

class Cache extends Toy {
  readonly words = 'The KV cache: the work, counted';
  private prompt = 8;
  private answer = 8;
  private picture = h('div', { class: 'halves' });
  private table = h('table', { class: 'numbers' });
  private now = said();

  build() {
    this.append(
      h(
        'div',
        { class: 'sliders' },
        slider(
          'prompt',
          'Tokens of the prompt',
          { min: 1, max: 256, value: this.prompt },
          String,
          this.redrawing((value) => (this.prompt = value)),
        ).row,
        slider(
          'answer',
          'Tokens of the answer',
          { min: 1, max: 256, value: this.answer },
          String,
          this.redrawing((value) => (this.answer = value)),
        ).row,
      ),
      this.picture,
      this.table,
      this.now,
    );
  }

  draw() {
    const { prompt, answer } = this,
      each = Array.from({ length: answer }, (_, step) => step);
    // The first pass reads the prompt; each further one follows a token that was just written.
    const without = each.map((step) => multiplications(0, prompt + step));
    const cached = each.map((step) =>
      step === 0 ? multiplications(0, prompt) : multiplications(prompt + step - 1, 1),
    );
    const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
    const rows = each.map((step) => prompt + step),
      computed = [sum(rows), prompt + answer - 1];
    this.picture.replaceChildren(
      this.triangle('without the cache', () => true, computed[0]),
      this.triangle('with the cache', (step, token) => step === 0 || token === prompt + step - 1, computed[1]),
    );
    this.table.replaceChildren(
      columnHeads('', 'without', 'with'),
      h(
        'tbody',
        {},
        tableRow('rows of tokens computed', whole(computed[0]), whole(computed[1])),
        tableRow('multiplications for the last token alone', whole(without.at(-1)!), whole(cached.at(-1)!)),
        tableRow('multiplications for all of it', large(sum(without)), large(sum(cached))),
        tableRow('keys and values kept (f16)', 'none', bytes((prompt + answer - 1) * data.cacheBytes)),
      ),
    );
    const times = (sum(without) / sum(cached)).toPrecision(3);
    this.now.textContent =
      answer === 1
        ? 'For a single token there is nothing to remember: both do the same.'
        : `Without the cache it is ${times} times the work. The result is the same, bit for bit.`;
  }

  // A row a pass, a column a token: filled where it is computed, a ring where it is remembered.
  private triangle(words: string, isComputed: (step: number, token: number) => boolean, count: number) {
    const columns = this.prompt + this.answer - 1,
      fits = Math.min(columns, 24),
      rows = Math.min(this.answer, 12),
      width = this.room >= 520 ? (this.room - 24) / 2 : this.room;
    const cell = Math.min(15, Math.floor(width / fits)),
      dots: SVGElement[] = [];
    for (let step = 0; step < rows; ++step)
      for (let token = 0; token < Math.min(fits, this.prompt + step); ++token) {
        const [cx, cy] = [(token + 0.5) * cell, (step + 0.5) * cell];
        dots.push(
          isComputed(step, token)
            ? s('rect', {
                x: cx - cell * 0.36,
                y: cy - cell * 0.36,
                width: cell * 0.72,
                height: cell * 0.72,
                fill: token < this.prompt ? 'var(--rung-q)' : 'var(--rung-k)',
              })
            : s('circle', { cx, cy, r: cell * 0.22, fill: 'none', stroke: 'var(--toy-quiet)' }),
        );
      }
    const cut = columns > fits || this.answer > rows;
    return h(
      'div',
      {},
      h('p', {}, h('b', {}, words)),
      drawing(fits * cell, rows * cell + 2, `${words}: ${count} rows computed`, ...dots),
      h('p', { class: 'quiet' }, `${whole(count)} squares${cut ? ', of which a corner is drawn' : ''}`),
    );
  }
}
customElements.define('rung-cache', Cache);
