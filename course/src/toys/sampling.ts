// From logits to the next token: what temperature, top-k, top-p and min-p make of pebble's own scores.   Milestone M3.
import data from '../data/toys/sampling.json';
import type { Rung } from './engine';
import { distribution, type Sampling } from './formulas';
import { ownText } from './own';
import { Toy, button, choice, count, h, percent, s, said, slider, visible, whole } from './parts';

// Logits, the highest first, and the pieces of those that may be shown.
interface Text {
  text: string;
  logits: number[];
  pieces: string[];
}
async function after(rung: Rung, text: string): Promise<Text> {
  const { logits, top } = await rung.logits(text, { top: shown });
  return { text, logits: [...logits].sort((a, b) => b - a), pieces: top.map((token) => token.text) };
}
const shown = 12;
const plain: Sampling = { temperature: 1, topK: 0, topP: 1, minP: 0 };

class SamplingToy extends Toy {
  readonly words = 'Sampling: which token comes next?';
  private shown: Text = data.texts[0];
  private settings: Sampling = { ...plain };
  private counts: number[] = [];
  private bars = h('div', { class: 'bars tokens' });
  private now = said();
  private drawn = said();

  build() {
    this.append(
      choice(
        'text',
        'After',
        data.texts.map(({ text }) => `“${text}”`),
        0,
        (index) => this.show(data.texts[index]),
      ),
      ownText(async (rung, text) => this.show(await after(rung, text))),
      this.sliders(),
      this.now,
      this.bars,
      h(
        'p',
        { class: 'quiet' },
        'Filled: the share now. Outline: the share at temperature 1, with nothing taken away.',
      ),
      h(
        'div',
        { class: 'row' },
        button('Draw one', () => this.sample(1)),
        button('Draw 100', () => this.sample(100)),
      ),
      this.drawn,
    );
  }

  private show(text: Text) {
    this.shown = text;
    this.counts = [];
    this.redraw();
  }

  private sliders() {
    const change = (name: keyof Sampling) => (value: number) => {
      this.settings[name] = value;
      this.counts = [];
      this.redraw();
    };
    return h(
      'div',
      { class: 'sliders' },
      slider(
        'temperature',
        'Temperature',
        { min: 0, max: 2, step: 0.05, value: 1 },
        (value) => (value === 0 ? '0: greedy' : value.toFixed(2)),
        change('temperature'),
      ).row,
      slider(
        'top-k',
        'top-k',
        { min: 0, max: 40, value: 0 },
        (value) => (value === 0 ? 'off' : `${value} tokens`),
        change('topK'),
      ).row,
      slider(
        'top-p',
        'top-p',
        { min: 0.05, max: 1, step: 0.05, value: 1 },
        (value) => (value === 1 ? 'off' : value.toFixed(2)),
        change('topP'),
      ).row,
      slider(
        'min-p',
        'min-p',
        { min: 0, max: 1, step: 0.01, value: 0 },
        (value) => (value === 0 ? 'off' : value.toFixed(2)),
        change('minP'),
      ).row,
    );
  }

  private sample(times: number) {
    const { logits } = this.shown,
      shares = distribution(logits, this.settings);
    for (let n = 0; n < times; ++n) {
      let left = Math.random();
      let i = shares.findIndex((share) => (left -= share) < 0);
      if (i < 0) i = shares.findLastIndex((share) => share > 0);
      this.counts[i] = (this.counts[i] ?? 0) + 1;
    }
    this.redraw();
  }

  draw() {
    const { logits, pieces } = this.shown,
      shares = distribution(logits, this.settings),
      before = distribution(logits, plain);
    const left = shares.filter((share) => share > 0).length,
      top = Math.max(before[0], shares[0]),
      total = this.counts.reduce((sum, n) => sum + (n ?? 0), 0);
    this.now.textContent =
      `${whole(left)} of ${whole(logits.length)} tokens can come. ` +
      `The likeliest, “${visible(pieces[0])}”, has ${percent(shares[0], 2)}.`;
    const times = (n: number) => (total ? ` · ${n}×` : '');
    this.drawn.textContent = total === 0 ? '' : `Drawn ${count(total, 'time')}.`;
    const rest = (values: number[]) => values.slice(shown).reduce((sum, value) => sum + (value ?? 0), 0);
    this.bars.replaceChildren(
      ...Array.from({ length: shown }, (_, i) => [
        h('span', { class: shares[i] === 0 ? 'name gone' : 'name' }, visible(pieces[i])),
        h('span', {}, bar(shares[i] / top, before[i] / top)),
        h(
          'span',
          { class: 'share' },
          `${shares[i] === 0 ? 'out' : percent(shares[i], 2)}${times(this.counts[i] ?? 0)}`,
        ),
      ]).flat(),
      h('span', { class: rest(shares) === 0 ? 'name gone' : 'name' }, `${whole(logits.length - shown)} others`),
      h('span', { class: 'quiet' }, 'together'),
      h(
        'span',
        { class: 'share' },
        `${rest(shares) === 0 ? 'out' : percent(rest(shares), 2)}${times(rest(this.counts))}`,
      ),
    );
  }
}

// Filled: what is; outlined: what was.
const bar = (is: number, was: number) =>
  s(
    'svg',
    { height: 14, width: '100%', 'aria-hidden': 'true' },
    s('rect', { x: 0, y: 1, width: `${100 * is}%`, height: 12, fill: 'var(--rung-q)' }),
    s('rect', { x: 0.5, y: 1.5, width: `${99 * was}%`, height: 11, fill: 'none', stroke: 'var(--toy-quiet)' }),
  );

customElements.define('rung-sampling', SamplingToy);
