// The roofline of the reader's own machine: memory or arithmetic, which of them bounds a model?   Milestone M6.
import data from '../data/toys/cache.json';
import Worker from './measure?worker&inline';
import type { What } from './measure';
import { Toy, button, bytes, choice, count, drawing, h, label, rule, s, said, slider, whole } from './parts';

// Of each model the weights that a pass multiplies with, and the bytes that they take.
const models = [
  { name: 'pebble, bf16', weights: data.matrices, bytes: 2 * data.matrices },
  { name: 'SmolLM2 135M, Q4_1', weights: 134.5e6, bytes: 98e6 },
  { name: 'a model of 8 billion, 4.5 bits', weights: 8e9, bytes: 4.5e9 },
];

const giga = (x: number) => `${Number((x / 1e9).toPrecision(3)).toLocaleString('en-US')} billion`;

class Roofline extends Toy {
  readonly words = 'The roofline of your own machine';
  private model = 0;
  private tokens = 1;
  private measured?: { bytesPerSecond: number; operationsPerSecond: number };
  private start!: HTMLButtonElement;
  private picture = h('div', {});
  private machine = said();
  private now = said();

  build() {
    this.start = button('Measure this machine', () => this.measure());
    this.machine.textContent = 'It takes about a second, and nothing leaves your browser.';
    this.append(
      h('div', { class: 'row' }, this.start, this.machine),
      choice(
        'model',
        'Model',
        models.map(({ name }) => name),
        0,
        this.redrawing((index) => (this.model = index)),
      ),
      h(
        'div',
        { class: 'sliders' },
        slider(
          'tokens',
          'Tokens at once',
          { min: 0, max: 10, value: 0 },
          (value) => whole(2 ** value),
          this.redrawing((value) => (this.tokens = 2 ** value)),
        ).row,
      ),
      this.now,
      this.picture,
      h(
        'p',
        { class: 'quiet' },
        'Measured with a worker for each core, eight at most, in f32 and with registers of 128 bits, as WebAssembly ' +
          'has them. A program of the system has wider ones and multiplies bytes: its flat part lies higher, ' +
          'so that even more of what it does is bound by memory.',
      ),
    );
  }

  // As many workers as there are cores, all at once: first they read, then they compute.
  private async measure() {
    this.start.disabled = true;
    this.machine.textContent = 'Measuring …';
    const workers = Array.from(
      { length: Math.max(1, Math.min(8, navigator.hardwareConcurrency || 1)) },
      () => new Worker(),
    );
    const together = async (what: What) =>
      (
        await Promise.all(
          workers.map(
            (worker) =>
              new Promise<number>((rate, failed) => {
                worker.onmessage = ({ data }: MessageEvent<number | string>) =>
                  typeof data === 'number' ? rate(data) : failed(new Error(data));
                worker.onerror = ({ message }) => failed(new Error(message));
                worker.postMessage(what);
              }),
          ),
        )
      ).reduce((sum, rate) => sum + rate, 0);
    try {
      const bytesPerSecond = await together('read'),
        operationsPerSecond = await together('arithmetic');
      this.measured = { bytesPerSecond, operationsPerSecond };
      this.machine.textContent =
        `${count(workers.length, 'worker')}. Memory: ${(bytesPerSecond / 1e9).toPrecision(3)} GB/s. ` +
        `Arithmetic: ${giga(operationsPerSecond)} operations a second.`;
      this.start.textContent = 'Measure again';
    } catch (error) {
      this.machine.textContent = `This browser cannot: ${(error as Error).message}`;
    }
    for (const worker of workers) worker.terminate();
    this.start.disabled = false;
    this.redraw();
  }

  draw() {
    const model = models[this.model],
      intensity = (2 * model.weights * this.tokens) / model.bytes;
    const reads = bytes(model.bytes);
    const words = `A pass reads ${reads} of weights and computes ${intensity.toPrecision(3)} operations a byte.`;
    this.picture.replaceChildren(this.roof(intensity));
    if (!this.measured) {
      this.now.textContent = `${words} How many tokens a second that allows, your machine says when it is measured.`;
      return;
    }
    const { bytesPerSecond, operationsPerSecond } = this.measured,
      reading = model.bytes / bytesPerSecond,
      computing = (2 * model.weights * this.tokens) / operationsPerSecond;
    const rate = Number((this.tokens / Math.max(reading, computing)).toPrecision(3)).toLocaleString('en-US');
    const how =
      this.tokens === 1
        ? 'one after the other, as an answer is written'
        : `${whole(this.tokens)} at once, as a prompt is read`;
    this.now.replaceChildren(
      `${words} ${reading > computing ? 'Memory' : 'Arithmetic'} is the bound: `,
      h('b', {}, `at most ${rate} tokens a second`),
      ` here, ${how}.`,
    );
  }

  // Operations a second over operations a byte, both in powers: the slope is memory, the flat part arithmetic, the mark
  // the model.
  private roof(intensity: number) {
    const width = Math.min(this.room, 560),
      height = 250,
      left = 48,
      right = width - 8,
      high = 26,
      bottom = 210;
    // from ½ to 2048
    const x = (value: number) => left + ((Math.log2(Math.min(2048, value)) + 1) / 12) * (right - left);
    const grid = [1, 4, 16, 64, 256, 1024].flatMap((value) => [
      rule(x(value), high, x(value), bottom),
      label(x(value), bottom + 16, String(value), 'middle'),
    ]);
    const title = label(right, bottom + 34, 'operations a byte', 'end');
    if (!this.measured) return drawing(width, height, 'an empty roofline: nothing is measured yet', ...grid, title);

    const { bytesPerSecond, operationsPerSecond } = this.measured,
      at = (ops: number) => Math.min(operationsPerSecond, ops * bytesPerSecond);
    const y = (value: number) => high + (Math.log2((2 * operationsPerSecond) / value) / 12) * (bottom - high);
    const scale = [1e12, 1e11, 1e10, 1e9, 1e8]
      .filter((value) => y(value) >= high && y(value) <= bottom)
      .flatMap((value) => [
        rule(left, y(value), right, y(value)),
        label(left - 5, y(value) + 4, `${value / 1e9} G`, 'end'),
      ]);
    const ridge = Math.max(0.5, Math.min(2048, operationsPerSecond / bytesPerSecond));
    const words = `the model stands under ${intensity < ridge ? 'the slope: memory' : 'the flat part: arithmetic'}`;
    return drawing(
      width,
      height,
      words,
      ...grid,
      ...scale,
      title,
      label(left, 12, 'operations a second, in billions (G)'),
      s('path', {
        d: `M${x(0.5)} ${y(at(0.5))}L${x(ridge)} ${y(at(ridge))}H${right}`,
        fill: 'none',
        stroke: 'var(--toy-ink)',
        'stroke-width': 2.5,
      }),
      s('line', {
        x1: x(intensity),
        x2: x(intensity),
        y1: y(at(intensity)),
        y2: bottom,
        stroke: 'var(--rung-k)',
        'stroke-width': 1.5,
        'stroke-dasharray': '4 3',
      }),
      s('circle', {
        cx: x(intensity),
        cy: y(at(intensity)),
        r: 6,
        fill: 'var(--rung-k)',
        stroke: 'var(--toy-paper)',
        'stroke-width': 2,
      }),
    );
  }
}
customElements.define('rung-roofline', Roofline);
