// What each head of pebble attends to: rows look, columns are looked at; a square is as large as its share.
// Milestone M2.
import data from '../data/toys/heads.json';
import type { Rung } from './engine';
import { ownText } from './own';
import { Toy, button, choice, drawing, h, percent, s, said, slider, visible, type Slider } from './parts';

interface Attention {
  text: string;
  pieces: string[];
  shares: number[][][][]; // [layer][head][row][column], in thousandths
}
const group = data.heads / data.kvHeads;
const most = 28; // tokens: more squares would be too small

class Heads extends Toy {
  readonly words = 'Attention: who looks at whom';
  private shown: Attention = data.texts[0];
  private layer = 3;
  private head = 2;
  private row = data.texts[0].pieces.length - 1;
  private groups = h('div', { class: 'groups' });
  private matrix = h('div', {});
  private rows!: Slider;
  private bars = h('div', { class: 'bars' });
  private now = said();

  build() {
    this.rows = slider(
      'row',
      'Who looks',
      { min: 0, max: this.row, value: this.row },
      (value) => visible(this.shown.pieces[value]),
      this.redrawing((value) => (this.row = value)),
    );
    this.append(
      choice(
        'text',
        'Text',
        data.texts.map(({ text }) => text),
        0,
        (index) => this.show(data.texts[index]),
      ),
      ownText(async (rung, text) => this.show(await attentionOf(rung, text))),
      choice(
        'layer',
        'Layer',
        Array.from({ length: data.layers }, (_, i) => String(i)),
        this.layer,
        this.redrawing((index) => (this.layer = index)),
      ),
      this.groups,
      this.matrix,
      this.rows.row,
      this.now,
      this.bars,
    );
  }

  show(attention: Attention) {
    this.shown = attention;
    this.row = attention.pieces.length - 1;
    this.redraw();
  }

  draw() {
    const { pieces, shares } = this.shown,
      names = pieces.map(visible),
      weights = shares[this.layer][this.head],
      looks = weights[this.row];
    this.rows.input.max = String(pieces.length - 1);
    this.rows.set(this.row);
    this.drawGroups();
    this.matrix.replaceChildren(this.squares(names, weights));
    this.drawBars(names, looks);
  }

  private drawGroups() {
    const focused = this.groups.contains(document.activeElement);
    const one = (head: number) =>
      button(
        `query head ${head}`,
        () => {
          this.head = head;
          this.redraw();
        },
        { 'aria-pressed': String(head === this.head) },
      );
    this.groups.replaceChildren(
      ...Array.from({ length: data.kvHeads }, (_, kv) =>
        h(
          'fieldset',
          {},
          h('legend', {}, `key head ${kv}, shared by`),
          ...Array.from({ length: group }, (_, i) => one(kv * group + i)),
        ),
      ),
    );
    if (focused) this.groups.querySelector<HTMLButtonElement>('[aria-pressed=true]')!.focus();
  }

  // A square a share, as large as it; a staircase, since nobody looks at what comes later.
  private squares(names: string[], weights: number[][]) {
    const n = names.length,
      letters = Math.max(...names.map((name) => name.length)),
      left = letters * 7.3 + 8;
    const cell = Math.max(9, Math.min(24, Math.floor((this.room - left) / n))),
      above = letters * 6.2 + 14,
      size = cell * n;
    const x = (c: number) => left + c * cell,
      y = (r: number) => above + r * cell;
    const rows = names.map((_, r) => {
      // a mouse or a finger chooses a row; keys use the slider
      const hit = s('rect', {
        x: 0,
        y: y(r),
        width: left + size,
        height: cell,
        fill: r === this.row ? 'var(--rung-soft)' : 'transparent',
        style: 'cursor:pointer',
      });
      hit.addEventListener('click', () => {
        this.row = r;
        this.redraw();
      });
      return hit;
    });
    const steps = names.map((_, r) =>
      s('path', {
        d: `M${left} ${y(r)}h${(r + 1) * cell}v${cell}h${-(r + 1) * cell}z`,
        fill: 'none',
        stroke: 'var(--rung-line)',
        'pointer-events': 'none',
      }),
    );
    const squares = weights.flatMap((row, r) =>
      row.map((share, c) => {
        const side = Math.sqrt(share / 1000) * (cell - 2),
          at = (cell - side) / 2;
        return side < 0.7
          ? ''
          : s('rect', {
              x: x(c) + at,
              y: y(r) + at,
              width: side,
              height: side,
              fill: r === this.row ? 'var(--rung-k)' : 'var(--rung-q)',
              'pointer-events': 'none',
            });
      }),
    );
    const looks = weights[this.row];
    const labels = names.flatMap((name, i) => [
      piece({ x: left - 5, y: y(i + 0.5) + 4, 'text-anchor': 'end' }, name, i === this.row),
      piece({ transform: `translate(${x(i + 0.5) + 4} ${above - 5}) rotate(-60)` }, name, looks[i] >= 200),
    ]);
    const head = `layer ${this.layer}, query head ${this.head}`,
      words = `attention of ${head}; the row of ${names[this.row]} is listed below`;
    return drawing(left + size + 4, above + size + 4, words, ...rows, ...steps, ...squares, ...labels);
  }

  // The shares of one row, the largest first.
  private drawBars(names: string[], looks: number[]) {
    const order = looks
      .map((share, c) => ({ share, name: `${names[c]} (${c})` }))
      .filter(({ share }) => share >= 5)
      .sort((a, b) => b.share - a.share)
      .slice(0, 5);
    const rest = 1000 - order.reduce((sum, { share }) => sum + share, 0);
    if (rest >= 5) order.push({ share: rest, name: 'the others' });
    const where = `Layer ${this.layer}, head ${this.head}`;
    this.now.textContent = `${where}: “${names[this.row]}” (token ${this.row}) looks at`;
    this.bars.replaceChildren(
      ...order.flatMap(({ share, name }) => [
        h('span', { class: 'name' }, name),
        h('span', {}, bar(share / 1000)),
        h('span', { class: 'share' }, percent(share / 1000)),
      ]),
    );
  }
}
const bar = (share: number) =>
  s(
    'svg',
    { height: 12, width: '100%', 'aria-hidden': 'true' },
    s('rect', { width: `${100 * share}%`, height: 12, fill: 'var(--rung-k)' }),
  );
async function attentionOf(rung: Rung, text: string): Promise<Attention> {
  const { tokens, attention } = await rung.trace(text, { attention: true });
  const n = tokens.length;
  if (n > most) throw new Error(`These are ${n} tokens; the picture has room for ${most}.`);
  const shares = attention.map(({ heads, weights }) =>
    Array.from({ length: heads }, (_, head) =>
      Array.from({ length: n }, (_, row) => {
        const from = (head * n + row) * n;
        return [...weights.subarray(from, from + row + 1)].map((share) => Math.round(1000 * share));
      }),
    ),
  );
  return { text, pieces: tokens.map((token) => token.text), shares };
}

const piece = (where: Record<string, string | number>, name: string, isStrong: boolean) =>
  s(
    'text',
    { ...where, 'pointer-events': 'none', ...(isStrong ? { 'font-weight': '700' } : { class: 'quiet' }) } as Record<
      string,
      string | number
    >,
    name,
  );
customElements.define('rung-heads', Heads);
