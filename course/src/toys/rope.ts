// Pairs of numbers as arrows that turn with the position, and the dot product, which depends on the distance alone.
// Milestone M2.
import data from '../data/toys/rope.json';
import { dot, rope, ropeSpeed } from './formulas';
import { Toy, button, choice, columnHeads, drawing, fixed, h, s, said, slider, visible, type Slider } from './parts';

const furthest = 64;

class Rope extends Toy {
  readonly words = 'RoPE: a query and a key, turned by their positions';
  private chosen = 0;
  private query = data.queryAt;
  private key = data.keyAt;
  private sliders: Slider[] = [];
  private clocks = h('div', { class: 'clocks' });
  private now = said();
  private tried: string[][] = [];
  private table = h('table', { class: 'numbers' });

  build() {
    const heads = data.cases.map(({ layer, head }) => `layer ${layer}, head ${head}`);
    this.sliders = [
      slider(
        'query',
        `Position of q (${visible(data.query)})`,
        { min: 0, max: furthest, value: this.query },
        String,
        this.redrawing((value) => (this.query = value)),
      ),
      slider(
        'key',
        `Position of k (${visible(data.key)})`,
        { min: 0, max: furthest, value: this.key },
        String,
        this.redrawing((value) => (this.key = value)),
      ),
    ];
    this.append(
      choice('head', 'q and k from', heads, 0, (index) => {
        this.chosen = index;
        this.tried = [];
        this.redraw();
      }),
      h('div', { class: 'sliders' }, ...this.sliders.map((one) => one.row)),
      h(
        'div',
        { class: 'row' },
        button('Both one back', () => this.move(-1)),
        button('Both one on', () => this.move(1)),
      ),
      this.now,
      this.clocks,
      h(
        'p',
        { class: 'quiet' },
        'Solid with a round tip: q. Dashed with a square tip: k. The number is how far a pair turns from one ' +
          'position to the next. An arrow’s length is the root of its size, so that short ones can be seen.',
      ),
      this.table,
    );
  }

  private move(by: number) {
    if (Math.min(this.query, this.key) + by < 0 || Math.max(this.query, this.key) + by > furthest) return;
    this.query += by;
    this.key += by;
    this.sliders[0].set(this.query);
    this.sliders[1].set(this.key);
    this.redraw();
  }

  draw() {
    const { q, k } = data.cases[this.chosen],
      turnedQ = rope(q, this.query, data.theta),
      turnedK = rope(k, this.key, data.theta);
    const columns = this.room >= 520 ? 8 : 4,
      side = Math.min(78, Math.floor((this.room + 8) / columns) - 8);
    const sizes = { q: longest(q), k: longest(k) };
    this.clocks.style.gridTemplateColumns = `repeat(${columns}, ${side}px)`;
    this.clocks.replaceChildren(
      ...Array.from({ length: q.length / 2 }, (_, i) => {
        const degrees = (ropeSpeed(i, q.length, data.theta) * 180) / Math.PI,
          speed = degrees >= 0.1 ? `${degrees.toPrecision(2)}°` : `${degrees.toFixed(3)}°`;
        const hand = (kind: 'q' | 'k', x: number[]) => arrow(side, kind, x[i], x[i + q.length / 2], sizes[kind]);
        const dial = s('circle', {
          cx: side / 2,
          cy: side / 2,
          r: side / 2 - 4,
          fill: 'none',
          stroke: 'var(--rung-line)',
        });
        return h(
          'div',
          { class: 'clock' },
          drawing(side, side, `pair ${i}: turns by ${speed}`, dial, hand('k', turnedK), hand('q', turnedQ)),
          h('span', {}, speed),
        );
      }),
    );
    const distance = fixed(this.query - this.key, 0),
      product = fixed(dot(turnedQ, turnedK), 3);
    this.now.replaceChildren(
      `q at ${this.query}, k at ${this.key}: distance ${distance}, `,
      h('b', {}, `q·k = ${product}`),
    );
    const row = [String(this.query), String(this.key), distance, product];
    if (this.tried[0]?.join() !== row.join()) this.tried = [row, ...this.tried].slice(0, 5);
    this.table.replaceChildren(
      h('caption', { class: 'quiet' }, 'What you tried last: equal distances, equal products.'),
      columnHeads('position of q', 'position of k', 'distance', 'q·k'),
      h('tbody', {}, ...this.tried.map((cells) => h('tr', {}, ...cells.map((cell) => h('td', {}, cell))))),
    );
  }
}

// The length of the longest pair.
const longest = (x: number[]) =>
  Math.max(...Array.from({ length: x.length / 2 }, (_, i) => Math.hypot(x[i], x[i + x.length / 2])));

// A hand of a clock. Lengths by their root: the short ones can be seen, too.
function arrow(side: number, kind: 'q' | 'k', x: number, y: number, size: number) {
  const middle = side / 2,
    length = Math.hypot(x, y),
    scale = length === 0 ? 0 : (Math.sqrt(length / size) * (middle - 4)) / length;
  const [toX, toY] = [middle + x * scale, middle - y * scale],
    color = `var(--rung-${kind})`;
  return s(
    'g',
    { stroke: color, fill: color, 'stroke-width': 2 },
    s('line', { x1: middle, y1: middle, x2: toX, y2: toY, ...(kind === 'k' && { 'stroke-dasharray': '4 3' }) }),
    kind === 'q'
      ? s('circle', { cx: toX, cy: toY, r: 2.5 })
      : s('rect', { x: toX - 2.5, y: toY - 2.5, width: 5, height: 5 }),
  );
}
customElements.define('rung-rope', Rope);
