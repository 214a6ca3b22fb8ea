// SwiGLU: what `up` says is let through as far as `gate` allows.   Milestone M2.
import data from '../data/toys/gate.json';
import { silu } from './formulas';
import { Toy, choice, drawing, fixed, h, s, said, slider, visible, type Slider } from './parts';

const reach = 6;

class Gate extends Toy {
  readonly words = 'SwiGLU: 352 gates of one token';
  private layer = 3;
  private chosen = 0;
  private turned?: number; // the gate as the reader set it
  private gate!: Slider;
  private curve = h('div', {});
  private strips = h('div', {});
  private now = said();

  build() {
    this.chosen = this.strongest();
    const channel = slider('channel', 'Follow a channel', { min: 0, max: data.rows[0].gate.length - 1, value: this.chosen }, (value) => `channel ${value}`, (value) => { this.chosen = value; this.follow(); });
    this.gate = slider('gate', 'Turn its gate', { min: -reach, max: reach, step: 0.05, value: 0 }, (value) => fixed(value, 2), (value) => { this.turned = value; this.redraw(); });
    this.append(choice('layer', `The MLP for “${visible(data.token)}” in`, data.rows.map((_, i) => `layer ${i}`), this.layer, (index) => { this.layer = index; this.follow(); }),
      h('div', { class: 'sliders' }, channel.row, this.gate.row), this.now, this.curve, this.strips);
    this.follow();
  }

  private strongest() {
    const { gate, up } = data.rows[this.layer], size = gate.map((value, i) => Math.abs(silu(value) * up[i]));
    return size.indexOf(Math.max(...size));
  }
  private follow() {
    this.turned = undefined;
    this.gate.input.value = String(data.rows[this.layer].gate[this.chosen]);
    this.gate.show();
    if (this.isConnected) this.redraw();
  }

  draw() {
    const { gate, up } = data.rows[this.layer], i = this.chosen, g = this.turned ?? gate[i];
    this.now.textContent = `Channel ${i}: gate ${fixed(g, 3)}${this.turned === undefined ? '' : ' (yours)'}, silu(gate) = ${fixed(silu(g), 3)}; × up (${fixed(up[i], 3)}) = ${fixed(silu(g) * up[i], 3)}`;
    const width = Math.min(this.room, 460), height = 190, left = 26, x = (value: number) => left + (value + reach) / (2 * reach) * (width - left - 6), y = (value: number) => 150 - value / reach * 140;
    const line = Array.from({ length: 121 }, (_, n) => { const at = -reach + n / 10; return `${n ? 'L' : 'M'}${x(at).toFixed(1)} ${y(silu(at)).toFixed(1)}`; }).join('');
    this.curve.replaceChildren(drawing(width, height, `silu, with the gates of 352 channels; channel ${i} at ${fixed(g, 2)}`,
      ...[-6, -4, -2, 0, 2, 4, 6].map((value) => s('text', { x: x(value), y: height - 14, 'text-anchor': 'middle', class: 'quiet' }, fixed(value, 0))),
      ...[0, 2, 4, 6].map((value) => s('g', {}, s('line', { x1: left, x2: width - 6, y1: y(value), y2: y(value), stroke: 'var(--rung-line)' }), s('text', { x: left - 5, y: y(value) + 4, 'text-anchor': 'end', class: 'quiet' }, String(value)))),
      s('text', { x: width - 6, y: height - 1, 'text-anchor': 'end', class: 'quiet' }, 'gate'), s('text', { x: left + 4, y: 11, class: 'quiet' }, 'silu(gate)'),
      s('path', { d: line, fill: 'none', stroke: 'var(--toy-quiet)', 'stroke-width': 1.5 }),
      ...gate.map((value) => Math.abs(value) > reach ? '' : s('line', { x1: x(value), x2: x(value), y1: y(silu(value)) - 4, y2: y(silu(value)) + 4, stroke: 'var(--rung-q)', 'stroke-opacity': .55 })),
      s('circle', { cx: x(Math.max(-reach, Math.min(reach, g))), cy: y(silu(Math.min(reach, g))), r: 5.5, fill: 'var(--toy-paper)', stroke: 'var(--rung-k)', 'stroke-width': 3 })));
    const out = gate.map((value, n) => silu(n === i ? g : value) * up[n]);
    this.strips.replaceChildren(this.strip('up: what is said', up), this.strip('out: what gets through', out));
  }

  private strip(words: string, values: number[]) {
    const left = 26, width = this.room - left, half = 26, top = 3, step = width / values.length, y = (value: number) => half + 3 - Math.max(-1, Math.min(1, value / top)) * half, x = left + (this.chosen + 0.4) * step;
    return h('div', { class: 'picture' }, h('p', { class: 'quiet' }, words), drawing(this.room, 2 * half + 14, words,
      ...[top, 0, -top].map((value) => s('g', {}, s('line', { x1: left, x2: left + width, y1: y(value), y2: y(value), stroke: 'var(--rung-line)' }), s('text', { x: left - 5, y: y(value) + 4, 'text-anchor': 'end', class: 'quiet' }, fixed(value, 0)))),
      ...values.map((value, i) => s('rect', { x: left + i * step, y: Math.min(y(0), y(value)), width: Math.max(0.6, step * 0.8), height: Math.max(0.5, Math.abs(y(value) - y(0))), fill: i === this.chosen ? 'var(--rung-k)' : 'var(--rung-v)' })),
      s('path', { d: `M${x} ${2 * half + 5}l4 7h-8z`, fill: 'var(--rung-k)' })));
  }
}
customElements.define('rung-gate', Gate);
