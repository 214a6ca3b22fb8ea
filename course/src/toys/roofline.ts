// The roofline of the reader's own machine: memory or arithmetic, which of them bounds a model?   Milestone M6.
import data from '../data/toys/cache.json';
import Worker from './measure?worker&inline';
import type { What } from './measure';
import { Toy, button, bytes, choice, drawing, h, s, said, slider, whole } from './parts';

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
    this.append(h('div', { class: 'row' }, this.start, this.machine), choice('model', 'Model', models.map(({ name }) => name), 0, (index) => { this.model = index; this.redraw(); }),
      h('div', { class: 'sliders' }, slider('tokens', 'Tokens at once', { min: 0, max: 10, value: 0 }, (value) => whole(2 ** value), (value) => { this.tokens = 2 ** value; this.redraw(); }).row), this.now, this.picture,
      h('p', { class: 'quiet' }, 'Measured with a worker for each core, eight at most, in f32 and with registers of 128 bits, as WebAssembly has them. A program of the system has wider ones and multiplies bytes: its flat part lies higher, so that even more of what it does is bound by memory.'));
  }

  // As many workers as there are cores, all at once: first they read, then they compute.
  private async measure() {
    this.start.disabled = true;
    this.machine.textContent = 'Measuring …';
    const workers = Array.from({ length: Math.max(1, Math.min(8, navigator.hardwareConcurrency || 1)) }, () => new Worker());
    const together = async (what: What) => (await Promise.all(workers.map((worker) => new Promise<number>((rate, failed) => {
      worker.onmessage = ({ data }: MessageEvent<number | string>) => typeof data === 'number' ? rate(data) : failed(new Error(data));
      worker.onerror = ({ message }) => failed(new Error(message));
      worker.postMessage(what);
    })))).reduce((sum, rate) => sum + rate, 0);
    try {
      const bytesPerSecond = await together('read'), operationsPerSecond = await together('arithmetic');
      this.measured = { bytesPerSecond, operationsPerSecond };
      this.machine.textContent = `${workers.length} ${workers.length === 1 ? 'worker' : 'workers'}. Memory: ${(bytesPerSecond / 1e9).toPrecision(3)} GB/s. Arithmetic: ${giga(operationsPerSecond)} operations a second.`;
      this.start.textContent = 'Measure again';
    } catch (error) { this.machine.textContent = `This browser cannot: ${(error as Error).message}`; }
    for (const worker of workers) worker.terminate();
    this.start.disabled = false;
    this.redraw();
  }

  draw() {
    const model = models[this.model], intensity = 2 * model.weights * this.tokens / model.bytes;
    const words = `A pass reads ${bytes(model.bytes)} of weights, and computes ${intensity.toPrecision(3)} operations for each byte.`;
    const width = Math.min(this.room, 560), height = 250, left = 48, high = 26, bottom = 210, octaves = 12; // x from ½ to 2048 operations a byte
    const x = (value: number) => left + (Math.log2(value) + 1) / octaves * (width - left - 8);
    const grid = [1, 4, 16, 64, 256, 1024].map((value) => s('g', {}, s('line', { x1: x(value), x2: x(value), y1: high, y2: bottom, stroke: 'var(--rung-line)' }), s('text', { x: x(value), y: bottom + 16, 'text-anchor': 'middle', class: 'quiet' }, String(value))));
    const title = s('text', { x: width - 8, y: bottom + 34, 'text-anchor': 'end', class: 'quiet' }, 'operations a byte');
    if (!this.measured) {
      this.now.textContent = `${words} How many tokens a second that allows, your machine says when it is measured.`;
      this.picture.replaceChildren(drawing(width, height, 'an empty roofline: nothing is measured yet', ...grid, title));
      return;
    }
    const { bytesPerSecond, operationsPerSecond } = this.measured, ridge = operationsPerSecond / bytesPerSecond;
    const seconds = Math.max(model.bytes / bytesPerSecond, 2 * model.weights * this.tokens / operationsPerSecond), isMemory = intensity < ridge;
    const top = operationsPerSecond * 2, span = 12, y = (value: number) => high + Math.log2(top / value) / span * (bottom - high);
    const rate = Math.min(operationsPerSecond, intensity * bytesPerSecond), corner = Math.max(0.5, Math.min(2048, ridge));
    const scale = [1e12, 1e11, 1e10, 1e9, 1e8].filter((value) => value <= top && value >= top / 2 ** span).map((value) => s('g', {}, s('line', { x1: left, x2: width - 8, y1: y(value), y2: y(value), stroke: 'var(--rung-line)' }), s('text', { x: left - 5, y: y(value) + 4, 'text-anchor': 'end', class: 'quiet' }, `${value / 1e9} G`)));
    this.now.replaceChildren(`${words} ${isMemory ? 'Memory' : 'Arithmetic'} is the bound: `, h('b', {}, `at most ${Number((this.tokens / seconds).toPrecision(3)).toLocaleString('en-US')} tokens a second`), ` here, ${this.tokens === 1 ? 'one after the other, as an answer is written' : `${whole(this.tokens)} at once, as a prompt is read`}.`);
    this.picture.replaceChildren(drawing(width, height, `the roofline; the model stands under its ${isMemory ? 'slope: memory' : 'flat part: arithmetic'}`, ...grid, ...scale, title,
      s('text', { x: left, y: 12, class: 'quiet' }, 'operations a second, in billions (G)'),
      s('path', { d: `M${x(0.5)} ${y(0.5 * bytesPerSecond)}L${x(corner)} ${y(Math.min(operationsPerSecond, corner * bytesPerSecond))}H${width - 8}`, fill: 'none', stroke: 'var(--toy-ink)', 'stroke-width': 2.5 }),
      s('line', { x1: x(Math.min(2048, intensity)), x2: x(Math.min(2048, intensity)), y1: y(rate), y2: bottom, stroke: 'var(--rung-k)', 'stroke-width': 1.5, 'stroke-dasharray': '4 3' }),
      s('circle', { cx: x(Math.min(2048, intensity)), cy: y(rate), r: 6, fill: 'var(--rung-k)', stroke: 'var(--toy-paper)', 'stroke-width': 2 })));
  }
}
customElements.define('rung-roofline', Roofline);
