// 32 threads of a GPU multiply pebble's matrix with a vector: who reads what, and what memory has to bring.   Milestone M7.
import { Toy, choice, drawing, h, percent, s, said, slider, whole } from './parts';

// q's projection of pebble: 128 rows of 192 numbers in bf16. Memory comes in lines of 64 bytes: 32 such numbers.
const rows = 128, columns = 192, lanes = 32, perLine = 32, lineBytes = 64, shownRows = 32;

interface Way { name: string; steps: number; says: string; reads(step: number, lane: number): [row: number, column: number] }
export const ways: Way[] = [
  { name: 'a thread a row', steps: columns, says: 'Each thread adds up a row of its own. At the end nothing is left to do.', reads: (step, lane) => [lane, step] },
  { name: '32 threads a row', steps: shownRows * columns / lanes, says: 'Neighbours read neighbours. At the end of a row 32 sums become one: five steps, in which half of the threads hand theirs to the other half.',
    reads: (step, lane) => [Math.floor(step / (columns / lanes)), step % (columns / lanes) * lanes + lane] },
];
const read = (way: Way, step: number) => Array.from({ length: lanes }, (_, lane) => way.reads(step, lane));
export const linesOf = (way: Way, step: number) => new Set(read(way, step).map(([row, column]) => `${row} ${Math.floor(column / perLine)}`));

class Gpu extends Toy {
  readonly words = 'Threads of a GPU over a matrix';
  private way = 0;
  private step = 0;
  private picture = h('div', {});
  private now = said();
  private table = h('table', { class: 'numbers' });

  build() {
    this.append(choice('way', 'Who does what', ways.map(({ name }) => name), 0, (index) => { this.way = index; this.redraw(); }),
      h('div', { class: 'sliders' }, slider('step', 'Step', { min: 0, max: columns - 1, value: 0 }, (value) => `${value + 1} of ${columns}`, (value) => { this.step = value; this.redraw(); }).row),
      this.now, this.picture, h('p', { class: 'quiet' }, `The first ${shownRows} of ${rows} rows. A box is a line of ${lineBytes} bytes, ${perLine} numbers; hatched: memory has to bring it now. A bar: a number that one of the ${lanes} threads reads now.`), this.table);
  }

  draw() {
    const way = ways[this.way], numbers = read(way, this.step), lines = linesOf(way, this.step), left = 26, width = Math.floor((this.room - left) / 6) * 6, box = width / (columns / perLine), tall = 9;
    const boxes: SVGElement[] = [];
    for (let row = 0; row < shownRows; ++row) for (let line = 0; line < columns / perLine; ++line) {
      boxes.push(s('rect', { x: left + line * box, y: row * tall, width: box, height: tall, fill: lines.has(`${row} ${line}`) ? 'url(#gpu-hatch)' : 'none', stroke: 'var(--rung-line)' }));
    }
    const hatch = s('defs', {}, s('pattern', { id: 'gpu-hatch', width: 5, height: 5, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' }, s('line', { x1: 0, x2: 0, y1: 0, y2: 5, stroke: 'var(--rung-q)', 'stroke-width': 1.6 })));
    const names = [0, 8, 16, 24].map((row) => s('text', { x: left - 5, y: row * tall + 9, 'text-anchor': 'end', class: 'quiet' }, String(row)));
    const bars = numbers.map(([row, column]) => s('rect', { x: left + column * box / perLine, y: row * tall + 1, width: Math.max(2, box / perLine * 0.8), height: tall - 2, fill: 'var(--rung-k)' }));
    const used = lanes * 2, moved = lines.size * lineBytes;
    this.picture.replaceChildren(drawing(this.room, shownRows * tall + 2, `${lanes} numbers in ${lines.size} lines`, hatch, ...boxes, ...bars, ...names));
    this.now.textContent = `${way.says} In this step ${lanes} threads want ${used} bytes from ${lines.size} ${lines.size === 1 ? 'line' : 'lines'}: ${whole(moved)} bytes, of which ${percent(used / moved, 0)} are used.`;
    const line = (one: Way) => {
      const total = Array.from({ length: one.steps }, (_, step) => linesOf(one, step).size).reduce((sum, count) => sum + count, 0);
      return h('tr', {}, h('th', { scope: 'row' }, one.name), h('td', {}, whole(one.steps)), h('td', {}, whole(total)), h('td', {}, percent(shownRows * columns * 2 / (total * lineBytes), 0)));
    };
    this.table.replaceChildren(h('caption', { class: 'quiet' }, 'All steps, where no line is kept until the next step. (A cache keeps some: but thousands of threads share it.)'),
      h('thead', {}, h('tr', {}, ...['', 'steps', 'lines brought', 'used'].map((words) => words ? h('th', { scope: 'col' }, words) : h('td', {})))), h('tbody', {}, ...ways.map(line)));
  }
}
customElements.define('rung-gpu', Gpu);
