// 32 of pebble's weights become a block of Q8_0 or Q4_0: a scale, and a small whole number each.   Milestone M5.
import data from '../data/toys/block.json';
import { quantizeQ4, quantizeQ8, relativeError, type Block } from './formulas';
import {
  Toy,
  choice,
  drawing,
  fixed,
  h,
  label,
  mark,
  percent,
  rule,
  s,
  said,
  slider,
  tableRow,
  type Slider,
} from './parts';

const formats = [
  { name: 'Q8_0', quantize: quantizeQ8, zero: 0, codes: 'a whole number from −127 to 127, one byte' },
  { name: 'Q4_0', quantize: quantizeQ4, zero: 8, codes: 'a whole number from 0 to 15, half a byte; 8 stands for zero' },
];

// The upper half of an f32 is a bf16 (lowest byte first in the file).
function values(hex: string): number[] {
  const view = new DataView(new ArrayBuffer(4));
  return Array.from({ length: hex.length / 4 }, (_, i) => {
    view.setUint16(0, parseInt(hex.slice(4 * i + 2, 4 * i + 4) + hex.slice(4 * i, 4 * i + 2), 16));
    return view.getFloat32(0);
  });
}

function f16Bits(x: number): number {
  const sign = x < 0 ? 0x8000 : 0,
    size = Math.abs(x);
  if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24);
  const e = Math.floor(Math.log2(size));
  return sign | ((e + 15) << 10) | Math.round((size / 2 ** e - 1) * 1024);
}

// The block as it lies in a file: the scale, then the codes; Q4_0 puts value i and value i + 16 into one byte.
function hexOf(block: Block, format: string): string {
  const byte = (x: number) => (x & 255).toString(16).padStart(2, '0');
  const bits = f16Bits(block.scale),
    scale = byte(bits) + byte(bits >> 8);
  return (
    scale +
    (format === 'Q8_0'
      ? block.codes.map(byte)
      : block.codes.slice(0, 16).map((code, i) => byte(code | (block.codes[i + 16] << 4)))
    ).join('')
  );
}

class BlockToy extends Toy {
  readonly words = 'A block of 32 weights, quantised';
  private format = 1;
  private block = 0;
  private stretch = 1;
  private chosen = 5;
  private stretched!: Slider;
  private picture = h('div', {});
  private now = said();
  private table = h('table', { class: 'numbers' });
  private file = h('p', { class: 'bytes' });

  build() {
    this.stretched = slider(
      'scale',
      'Another scale',
      { min: 30, max: 200, step: 2, value: 100 },
      (value) => (value === 100 ? 'the rule’s' : `× ${(value / 100).toFixed(2)}`),
      this.redrawing((value) => (this.stretch = value / 100)),
    );
    this.append(
      h(
        'div',
        { class: 'row' },
        choice(
          'format',
          'Format',
          formats.map(({ name }) => name),
          this.format,
          (index) => {
            this.format = index;
            this.reset();
          },
        ),
        choice(
          'block',
          'Weights',
          data.blocks.map(({ number }, i) => `block ${number}, ${['the first', 'with an outlier', 'the calmest'][i]}`),
          0,
          (index) => {
            this.block = index;
            this.reset();
          },
        ),
      ),
      h(
        'div',
        { class: 'sliders' },
        this.stretched.row,
        slider(
          'value',
          'Follow a value',
          { min: 0, max: 31, value: this.chosen },
          (value) => `value ${value}`,
          this.redrawing((value) => (this.chosen = value)),
        ).row,
      ),
      this.picture,
      h(
        'p',
        { class: 'quiet' },
        'Rings: the weights. Squares: what the block says. Between them: the error. Thin lines: what can be said.',
      ),
      this.now,
      this.table,
      this.file,
    );
  }

  // Back to the rule's scale.
  private reset() {
    this.stretch = 1;
    this.stretched.set(100);
    this.redraw();
  }

  draw() {
    const format = formats[this.format],
      x = values(data.blocks[this.block].bf16),
      rule = format.quantize(x);
    const block = this.stretch === 1 ? rule : format.quantize(x, Math.fround(rule.scale * this.stretch));
    // The picture keeps its size, whatever the scale.
    this.picture.replaceChildren(this.weights(x, block, Math.max(...[...x, ...rule.values].map(Math.abs)) * 1.08));
    this.now.textContent = this.followed(x[this.chosen], block);
    const size = format.name === 'Q8_0' ? 34 : 18,
      hex = hexOf(block, format.name);
    this.table.replaceChildren(
      h(
        'tbody',
        {},
        tableRow('scale (f16)', digits(block.scale)),
        tableRow('bytes: before (bf16) and now', `64 → ${size}`),
        tableRow('bits a weight', (size / 4).toString()),
        tableRow('error (root mean square, of the weights’ own)', percent(relativeError(x, block.values), 2)),
      ),
    );
    this.file.replaceChildren(
      'In the file: ',
      h('b', {}, hex.slice(0, 4)),
      ` ${hex.slice(4).replace(/(..)/g, '$1 ')}`,
      h('br'),
      h('span', { class: 'quiet' }, `Underlined: the scale. Then the codes: each ${format.codes}.`),
    );
  }

  private followed(x: number, block: Block) {
    const { zero } = formats[this.format],
      code = block.codes[this.chosen],
      y = block.values[this.chosen],
      scale = digits(block.scale);
    const shifted = zero ? `, + ${zero}` : '';
    const there = `${fixed(x, 5)} ÷ ${scale} = ${fixed(x / block.scale, 2)}${shifted}, to a code: ${fixed(code, 0)}`;
    const back = `${scale} · ${zero ? `(${code} − ${zero})` : fixed(code, 0)} = ${fixed(y, 5)}`;
    return `Value ${this.chosen}: ${there}. Back: ${back}, off by ${fixed(y - x, 5)}.`;
  }

  // A ring a weight, a square for what is kept of it, the error between them; lines where a square can be.
  private weights(x: number[], block: Block, top: number) {
    const { name, zero } = formats[this.format],
      left = 44,
      height = 240,
      step = (this.room - left) / 32,
      r = Math.min(4.5, step * 0.36);
    const at = (value: number) => height / 2 - Math.max(-1, Math.min(1, value / top)) * (height / 2 - 4),
      across = (n: number) => left + (n + 0.5) * step;
    const levels =
      zero === 0
        ? []
        : Array.from({ length: 16 }, (_, code) => block.scale * (code - zero)).filter(
            (level) => Math.abs(level) <= top,
          );
    const weights = x.flatMap((value, n) => {
      const color = n === this.chosen ? 'var(--rung-k)' : 'var(--rung-q)',
        kept = at(block.values[n]);
      return [
        s('line', { x1: across(n), x2: across(n), y1: at(value), y2: kept, stroke: color, 'stroke-width': 2 }),
        s('rect', { x: across(n) - r * 0.8, y: kept - r * 0.8, width: 1.6 * r, height: 1.6 * r, fill: color }),
        s('circle', { cx: across(n), cy: at(value), r, fill: 'none', stroke: color, 'stroke-width': 1.5 }),
      ];
    });
    const words = `32 weights and what ${name} makes of them; the error is ${percent(relativeError(x, block.values))}`;
    return drawing(
      this.room,
      height + 12,
      words,
      ...levels.map((level) => rule(left, at(level), this.room, at(level))),
      ...[top, top / 2, 0, -top / 2, -top].map((value) => label(left - 6, at(value) + 4, fixed(value, 2), 'end')),
      s('line', { x1: left, x2: this.room, y1: at(0), y2: at(0), stroke: 'var(--toy-quiet)' }),
      ...weights,
      mark(across(this.chosen), height + 2),
    );
  }
}
const digits = (x: number) => x.toPrecision(4).replace('-', '−');
customElements.define('rung-block', BlockToy);
