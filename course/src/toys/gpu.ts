// 32 threads of a GPU multiply pebble's matrix with a vector: who reads what, and what memory has to bring.   Milestone
// M7.
import { Toy, choice, columnHeads, count, drawing, h, label, percent, s, said, slider, tableRow, whole } from './parts';

// q's projection of pebble: 128 rows of 192 numbers in bf16. Memory comes in lines of 64 bytes: 32 such numbers.
const rows = 128,
  columns = 192,
  lanes = 32,
  perLine = 32,
  lineBytes = 64,
  shownRows = 32;

interface Way {
  name: string;
  steps: number;
  says: string;
  reads(step: number, lane: number): [row: number, column: number];
}
const ways: Way[] = [
  {
    name: 'a thread a row',
    steps: columns,
    says: 'Each thread adds up a row of its own. At the end nothing is left to do.',
    reads: (step, lane) => [lane, step],
  },
  {
    name: '32 threads a row',
    steps: (shownRows * columns) / lanes,
    says:
      'Neighbours read neighbours. At the end of a row 32 sums become one: five steps, in which half of the threads ' +
      'hand theirs to the other half.',
    reads: (step, lane) => [Math.floor(step / (columns / lanes)), (step % (columns / lanes)) * lanes + lane],
  },
];
const read = (way: Way, step: number) => Array.from({ length: lanes }, (_, lane) => way.reads(step, lane));
export const linesOf = (way: Way, step: number) =>
  new Set(read(way, step).map(([row, column]) => `${row} ${Math.floor(column / perLine)}`));

class Gpu extends Toy {
  readonly words = 'Threads of a GPU over a matrix';
  private way = 0;
  private step = 0;
  private picture = h('div', {});
  private now = said();
  private table = h('table', { class: 'numbers' });

  build() {
    this.append(
      choice(
        'way',
        'Who does what',
        ways.map(({ name }) => name),
        0,
        this.redrawing((index) => (this.way = index)),
      ),
      h(
        'div',
        { class: 'sliders' },
        slider(
          'step',
          'Step',
          { min: 0, max: columns - 1, value: 0 },
          (value) => `${value + 1} of ${columns}`,
          this.redrawing((value) => (this.step = value)),
        ).row,
      ),
      this.now,
      this.picture,
      h(
        'p',
        { class: 'quiet' },
        `The first ${shownRows} of ${rows} rows. A box is a line of ${lineBytes} bytes, ${perLine} numbers; ` +
          `hatched: memory has to bring it now. A bar: a number that one of the ${lanes} threads reads now.`,
      ),
      this.table,
    );
  }

  draw() {
    const way = ways[this.way],
      lines = linesOf(way, this.step),
      used = lanes * 2,
      moved = lines.size * lineBytes;
    this.picture.replaceChildren(this.matrix(read(way, this.step), lines));
    this.now.textContent =
      `${way.says} In this step ${lanes} threads want ${used} bytes from ${count(lines.size, 'line')}: ` +
      `${whole(moved)} bytes, of which ${percent(used / moved, 0)} are used.`;
    this.table.replaceChildren(
      h(
        'caption',
        { class: 'quiet' },
        'All steps, where no line is kept until the next one. (A cache keeps some: but thousands of threads share it.)',
      ),
      columnHeads('', 'steps', 'lines brought', 'used'),
      h('tbody', {}, ...ways.map(total)),
    );
  }

  private matrix(numbers: [row: number, column: number][], lines: Set<string>) {
    const left = 26,
      width = Math.floor((this.room - left) / 6) * 6,
      box = width / (columns / perLine),
      tall = 9;
    const boxes = Array.from({ length: shownRows }, (_, row) =>
      Array.from({ length: columns / perLine }, (_, line) =>
        s('rect', {
          x: left + line * box,
          y: row * tall,
          width: box,
          height: tall,
          fill: lines.has(`${row} ${line}`) ? 'url(#gpu-hatch)' : 'none',
          stroke: 'var(--rung-line)',
        }),
      ),
    ).flat();
    const hatch = s(
      'pattern',
      { id: 'gpu-hatch', width: 5, height: 5, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' },
      s('line', { x1: 0, x2: 0, y1: 0, y2: 5, stroke: 'var(--rung-q)', 'stroke-width': 1.6 }),
    );
    const bars = numbers.map(([row, column]) =>
      s('rect', {
        x: left + (column * box) / perLine,
        y: row * tall + 1,
        width: Math.max(2, (box / perLine) * 0.8),
        height: tall - 2,
        fill: 'var(--rung-k)',
      }),
    );
    const names = [0, 8, 16, 24].map((row) => label(left - 5, row * tall + 9, String(row), 'end'));
    return drawing(
      this.room,
      shownRows * tall + 2,
      `${numbers.length} numbers in ${count(lines.size, 'line')}`,
      s('defs', {}, hatch),
      ...boxes,
      ...bars,
      ...names,
    );
  }
}

// A row of the table: all steps of a way.
function total(way: Way) {
  const lines = Array.from({ length: way.steps }, (_, step) => linesOf(way, step).size).reduce((sum, n) => sum + n, 0);
  return tableRow(
    way.name,
    whole(way.steps),
    whole(lines),
    percent((shownRows * columns * 2) / (lines * lineBytes), 0),
  );
}
customElements.define('rung-gpu', Gpu);
