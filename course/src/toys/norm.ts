// A row of the residual stream before and after RMSNorm: louder in, the same out.   Milestone M2.
import data from '../data/toys/norm.json';
import { rms, rmsNorm } from './formulas';
import { Toy, choice, drawing, fixed, h, s, said, slider, visible } from './parts';

class Norm extends Toy {
  readonly words = 'RMSNorm: one token’s row, before and after';
  private layer = 3;
  private loudness = 1;
  private chosen = 8;
  private pictures = h('div', {});
  private now = said();

  build() {
    this.append(choice('layer', `The row of “${visible(data.token)}” before the attention of`, data.rows.map((_, i) => `layer ${i}`), this.layer, (index) => { this.layer = index; this.redraw(); }),
      h('div', { class: 'sliders' },
        slider('loudness', 'Make it louder', { min: -20, max: 20, value: 0 }, (value) => `× ${Number((10 ** (value / 20)).toPrecision(3))}`, (value) => { this.loudness = 10 ** (value / 20); this.redraw(); }).row,
        slider('number', 'Follow a number', { min: 0, max: data.rows[0].x.length - 1, value: this.chosen }, (value) => `number ${value}`, (value) => { this.chosen = value; this.redraw(); }).row),
      this.pictures, this.now);
  }

  draw() {
    const { x: quiet, w } = data.rows[this.layer], x = quiet.map((value) => value * this.loudness), size = rms(x, data.epsilon), out = rmsNorm(x, w, data.epsilon), i = this.chosen;
    const unit = x.map((value) => value / size);
    const top = 6; // both pictures have the same scale, so that they can be compared
    this.pictures.replaceChildren(this.picture(`before: the size (root of the mean square) is ${size.toPrecision(4)}`, x, top),
      this.picture('divided by its size: now it is 1', unit, top), this.picture(`times w, after: ${rms(out).toPrecision(3)}`, out, top));
    this.now.textContent = `Number ${i}: ${fixed(x[i], 4)} ÷ ${fixed(size, 4)} = ${fixed(unit[i], 4)}; × w (${fixed(w[i], 4)}) = ${fixed(out[i], 4)}`;
  }

  // A bar a number. What does not fit is cut off, and has a gap near its end.
  private picture(words: string, values: number[], top: number) {
    const left = 26, width = this.room - left, half = 36, step = width / values.length, y = (value: number) => half + 4 - Math.max(-1, Math.min(1, value / top)) * half;
    const bars = values.map((value, i) => {
      const [from, to] = [y(0), y(value)], chosen = i === this.chosen;
      return s('rect', { x: left + i * step, y: Math.min(from, to), width: Math.max(0.6, step * 0.75), height: Math.max(0.5, Math.abs(to - from)), fill: chosen ? 'var(--rung-k)' : 'var(--rung-q)' });
    });
    const cut = values.map((value, i) => Math.abs(value) > top ? s('rect', { x: left + i * step - 0.3, y: y(value) + (value > 0 ? 5 : -8), width: step + 0.6, height: 3, fill: 'var(--toy-paper)' }) : '');
    const x = left + (this.chosen + 0.4) * step;
    return h('div', { class: 'picture' }, h('p', { class: 'quiet' }, words), drawing(this.room, 2 * half + 16, words,
      ...[top, 0, -top].map((value) => s('g', {}, s('line', { x1: left, x2: left + width, y1: y(value), y2: y(value), stroke: 'var(--rung-line)' }), s('text', { x: left - 5, y: y(value) + 4, 'text-anchor': 'end', class: 'quiet' }, fixed(value, 0)))),
      ...bars, ...cut, s('path', { d: `M${x} ${2 * half + 7}l4 7h-8z`, fill: 'var(--rung-k)' })));
  }
}
customElements.define('rung-norm', Norm);
