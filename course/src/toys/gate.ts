// SwiGLU: what `up` says is let through as far as `gate` allows.   Milestone M2.
import data from '../data/toys/gate.json';
import { silu } from './formulas';
import { Toy, choice, drawing, fixed, h, label, rule, s, said, slider, strip, visible, type Slider } from './parts';

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
    const channel = slider(
      'channel',
      'Follow a channel',
      { min: 0, max: data.rows[0].gate.length - 1, value: this.chosen },
      (value) => `channel ${value}`,
      (value) => {
        this.chosen = value;
        this.follow();
      },
    );
    this.gate = slider(
      'gate',
      'Change its gate',
      { min: -reach, max: reach, step: 0.05, value: 0 },
      (value) => fixed(value, 3),
      this.redrawing((value) => (this.turned = value)),
    );
    this.append(
      choice(
        'layer',
        `The MLP for “${visible(data.token)}” in`,
        data.rows.map((_, i) => `layer ${i}`),
        this.layer,
        (index) => {
          this.layer = index;
          this.follow();
        },
      ),
      h('div', { class: 'sliders' }, channel.row, this.gate.row),
      this.now,
      this.curve,
      this.strips,
    );
    this.follow();
  }

  private strongest() {
    const { gate, up } = data.rows[this.layer],
      size = gate.map((value, i) => Math.abs(silu(value) * up[i]));
    return size.indexOf(Math.max(...size));
  }
  private follow() {
    this.turned = undefined;
    this.gate.set(data.rows[this.layer].gate[this.chosen]);
    this.redraw();
  }

  draw() {
    const { gate, up } = data.rows[this.layer],
      i = this.chosen,
      g = this.turned ?? gate[i];
    const own = this.turned === undefined ? '' : ' (yours)';
    this.now.textContent =
      `Channel ${i}: gate ${fixed(g, 3)}${own}, silu(gate) = ${fixed(silu(g), 3)}; ` +
      `× up (${fixed(up[i], 3)}) = ${fixed(silu(g) * up[i], 3)}`;
    this.curve.replaceChildren(this.siluWith(gate, g));
    const out = gate.map((value, n) => silu(n === i ? g : value) * up[n]),
      how = { chosen: i, half: 26, top: 3, fill: 'var(--rung-v)' };
    this.strips.replaceChildren(
      strip(this.room, 'up: what is said', up, how),
      strip(this.room, 'out: what gets through', out, how),
    );
  }

  // The curve, a tick on it for each gate, a ring for the one that is followed.
  private siluWith(gates: number[], g: number) {
    const width = Math.min(this.room, 460),
      height = 190,
      left = 26,
      x = (value: number) =>
        left + ((Math.max(-reach, Math.min(reach, value)) + reach) / (2 * reach)) * (width - left - 6),
      y = (value: number) => 150 - (value / reach) * 140;
    const line = Array.from({ length: 121 }, (_, n) => {
      const at = -reach + n / 10;
      return `${n ? 'L' : 'M'}${x(at).toFixed(1)} ${y(silu(at)).toFixed(1)}`;
    }).join('');
    const ticks = gates
      .filter((value) => Math.abs(value) <= reach)
      .map((value) =>
        s('line', {
          x1: x(value),
          x2: x(value),
          y1: y(silu(value)) - 4,
          y2: y(silu(value)) + 4,
          stroke: 'var(--rung-q)',
          'stroke-opacity': 0.55,
        }),
      );
    return drawing(
      width,
      height,
      `silu, with the gates of ${gates.length} channels; channel ${this.chosen} at ${fixed(g, 3)}`,
      ...[-6, -4, -2, 0, 2, 4, 6].map((value) => label(x(value), height - 14, fixed(value, 0), 'middle')),
      ...[0, 2, 4, 6].flatMap((value) => [
        rule(left, y(value), width - 6, y(value)),
        label(left - 5, y(value) + 4, String(value), 'end'),
      ]),
      label(width - 6, height - 1, 'gate', 'end'),
      label(left + 4, y(reach) + 15, 'silu(gate)'), // between two lines
      s('path', { d: line, fill: 'none', stroke: 'var(--toy-quiet)', 'stroke-width': 1.5 }),
      ...ticks,
      s('circle', {
        cx: x(g),
        cy: y(silu(g)),
        r: 5.5,
        fill: 'var(--toy-paper)',
        stroke: 'var(--rung-k)',
        'stroke-width': 3,
      }),
    );
  }
}
customElements.define('rung-gate', Gate);
