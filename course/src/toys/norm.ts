// A row of the residual stream before and after RMSNorm: louder in, the same out.   Milestone M2.
import data from '../data/toys/norm.json';
import { rms, rmsNorm } from './formulas';
import { Toy, choice, fixed, h, said, slider, strip, visible } from './parts';

class Norm extends Toy {
  readonly words = 'RMSNorm: one token’s row, before and after';
  private layer = 3;
  private loudness = 1;
  private chosen = 8;
  private pictures = h('div', {});
  private now = said();

  build() {
    this.append(
      choice(
        'layer',
        `The row of “${visible(data.token)}” before the attention of`,
        data.rows.map((_, i) => `layer ${i}`),
        this.layer,
        this.redrawing((index) => (this.layer = index)),
      ),
      h(
        'div',
        { class: 'sliders' },
        slider(
          'loudness',
          'Make it louder',
          { min: -20, max: 20, value: 0 },
          (value) => `× ${Number((10 ** (value / 20)).toPrecision(3))}`,
          this.redrawing((value) => (this.loudness = 10 ** (value / 20))),
        ).row,
        slider(
          'number',
          'Follow a number',
          { min: 0, max: data.rows[0].x.length - 1, value: this.chosen },
          (value) => `number ${value}`,
          this.redrawing((value) => (this.chosen = value)),
        ).row,
      ),
      this.pictures,
      this.now,
    );
  }

  draw() {
    const { x: quiet, w } = data.rows[this.layer],
      x = quiet.map((value) => value * this.loudness),
      size = rms(x, data.epsilon),
      out = rmsNorm(x, w, data.epsilon),
      i = this.chosen;
    const unit = x.map((value) => value / size);
    const how = { chosen: i, half: 36, top: 6, fill: 'var(--rung-q)' }; // the same scale, so that they can be compared
    this.pictures.replaceChildren(
      strip(this.room, `before: the size (root of the mean square) is ${size.toPrecision(4)}`, x, how),
      strip(this.room, 'divided by its size: now it is 1', unit, how),
      strip(this.room, `times w, after: ${rms(out).toPrecision(3)}`, out, how),
    );
    this.now.textContent =
      `Number ${i}: ${fixed(x[i], 4)} ÷ ${fixed(size, 4)} = ${fixed(unit[i], 4)}; ` +
      `× w (${fixed(w[i], 4)}) = ${fixed(out[i], 4)}`;
  }
}
customElements.define('rung-norm', Norm);
