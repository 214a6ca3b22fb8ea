// What the toys are built of: one way to make an element, a slider, a choice; one way to write a number.
type Child = Node | string | undefined | false;
type Attribute = string | number | boolean | undefined | EventListener;

// h('button', { type: 'button', onclick: act }, 'Look'): an element with what is in it.
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, Attribute> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice('on'.length), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child): child is Node | string => child !== undefined && child !== false));
  return element;
}

export function s(
  tag: string,
  attributes: Record<string, string | number> = {},
  ...children: (Node | string)[]
): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

// A drawing as large as its numbers say, so that letters stay readable on a narrow screen. What it shows is also said
// in words.
export function drawing(width: number, height: number, words: string, ...children: (Node | string)[]): SVGElement {
  return s('svg', { width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': words }, ...children);
}

// Of drawings: a thin line, and words beside it.
export const rule = (x1: number, y1: number, x2: number, y2: number): SVGElement =>
  s('line', { x1, y1, x2, y2, stroke: 'var(--rung-line)' });
export const label = (x: number, y: number, words: string, anchor: 'start' | 'middle' | 'end' = 'start'): SVGElement =>
  s('text', { x, y, 'text-anchor': anchor, class: 'quiet' }, words);
// The mark under the number that is followed.
export const mark = (x: number, y: number): SVGElement => s('path', { d: `M${x} ${y}l4 7h-8z`, fill: 'var(--rung-k)' });

// A row of numbers, a bar each, between −top and top. What does not fit is cut off, and has a gap near its end.
export function strip(
  room: number,
  words: string,
  values: number[],
  { chosen, half, top, fill }: { chosen: number; half: number; top: number; fill: string },
): HTMLElement {
  const left = 26,
    step = (room - left) / values.length,
    at = (i: number) => left + i * step;
  const y = (value: number) => half + 4 - Math.max(-1, Math.min(1, value / top)) * half;
  const bars = values.map((value, i) =>
    s('rect', {
      x: at(i),
      y: Math.min(y(0), y(value)),
      width: Math.max(0.6, step * 0.75),
      height: Math.max(0.5, Math.abs(y(value) - y(0))),
      fill: i === chosen ? 'var(--rung-k)' : fill,
    }),
  );
  const cut = values.map((value, i) =>
    Math.abs(value) > top
      ? s('rect', {
          x: at(i) - 0.3,
          y: y(value) + (value > 0 ? 5 : -8),
          width: step + 0.6,
          height: 3,
          fill: 'var(--toy-paper)',
        })
      : '',
  );
  const lines = [top, 0, -top].flatMap((value) => [
    rule(left, y(value), room, y(value)),
    label(left - 5, y(value) + 4, fixed(value, 0), 'end'),
  ]);
  return h(
    'div',
    { class: 'picture' },
    h('p', { class: 'quiet' }, words),
    drawing(room, 2 * half + 16, words, ...lines, ...bars, ...cut, mark(at(chosen + 0.4), 2 * half + 7)),
  );
}

// With a minus that is as wide as a plus.
export const fixed = (x: number, digits: number): string =>
  (Object.is(x, -0) ? 0 : x)
    .toFixed(digits)
    .replace(/^-(?=0(\.0*)?$)/, '')
    .replace('-', '−');
export const whole = (x: number): string => Math.round(x).toLocaleString('en-US').replace('-', '−');
export const percent = (share: number, digits = 1): string => `${fixed(100 * share, digits)}%`;
export function large(x: number): string {
  const [size, unit] =
    x >= 1e12 ? [1e12, ' trillion'] : x >= 1e9 ? [1e9, ' billion'] : x >= 1e6 ? [1e6, ' million'] : [1, ''];
  return unit ? `${(x / size).toPrecision(3)}${unit}` : whole(x);
}
export function bytes(x: number): string {
  const [size, unit] = x >= 1e9 ? [1e9, 'GB'] : x >= 1e6 ? [1e6, 'MB'] : x >= 1e3 ? [1e3, 'kB'] : [1, 'bytes'];
  return `${size === 1 ? whole(x) : (x / size).toPrecision(3)} ${unit}`;
}
export const count = (n: number, thing: string): string => `${whole(n)} ${thing}${n === 1 ? '' : 's'}`;
// A piece as `rung tokenize` writes it: a dot for a space.
export const visible = (piece: string): string => piece.replaceAll(' ', '·').replaceAll('\n', '↵');

export interface Slider {
  row: HTMLElement;
  input: HTMLInputElement;
  set(value: number): void; // moves it, and says so; `changed` is not called
}
export function slider(
  name: string,
  words: string,
  { min, max, step = 1, value }: { min: number; max: number; step?: number; value: number },
  say: (value: number) => string,
  changed: (value: number) => void,
): Slider {
  const input = h('input', { type: 'range', name, min, max, step, value });
  const said = h('output', {});
  const show = (value: number) => {
    said.textContent = say(value);
    input.setAttribute('aria-valuetext', said.textContent);
  };
  input.addEventListener('input', () => {
    show(Number(input.value));
    changed(Number(input.value));
  });
  show(value);
  const set = (value: number) => {
    input.value = String(value);
    show(value); // which may lie between two steps
  };
  return { row: h('label', { class: 'slider' }, h('span', {}, words), input, said), input, set };
}

export function choice(
  name: string,
  words: string,
  options: string[],
  chosen: number,
  changed: (index: number) => void,
): HTMLElement {
  const select = h(
    'select',
    { name },
    ...options.map((option, i) => h('option', { value: i, selected: i === chosen }, option)),
  );
  select.addEventListener('change', () => changed(Number(select.value)));
  return h('label', { class: 'choice' }, `${words} `, select);
}

export function button(
  words: string,
  pressed: () => void,
  attributes: Record<string, Attribute> = {},
): HTMLButtonElement {
  return h('button', { type: 'button', onclick: pressed, ...attributes }, words);
}

// Of tables: the heads of the columns, '' where there is none, and a row with its head.
export const columnHeads = (...names: string[]): HTMLElement =>
  h('thead', {}, h('tr', {}, ...names.map((name) => (name ? h('th', { scope: 'col' }, name) : h('td', {})))));
export const tableRow = (name: string, ...cells: string[]): HTMLElement =>
  h('tr', {}, h('th', { scope: 'row' }, name), ...cells.map((cell) => h('td', {}, cell)));

export const said = (): HTMLElement => h('p', { class: 'said', 'aria-live': 'polite' });

// A toy takes the place of its figure, and draws again when its width changes.
export abstract class Toy extends HTMLElement {
  private drawnAt = 0;
  private watch?: ResizeObserver;
  abstract readonly words: string;
  abstract build(): void;
  abstract draw(): void;

  connectedCallback() {
    this.classList.add('toy');
    this.setAttribute('role', 'group');
    this.setAttribute('aria-label', this.words);
    this.replaceChildren(h('p', { class: 'toy-title' }, this.words));
    this.build();
    this.watch = new ResizeObserver(() => {
      if (this.room !== this.drawnAt) this.redraw();
    });
    this.watch.observe(this);
    this.redraw();
  }
  disconnectedCallback() {
    this.watch?.disconnect();
  }

  // How many pixels there are from left to right.
  get room(): number {
    const style = getComputedStyle(this);
    return Math.floor(this.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight));
  }
  redraw() {
    // where there is no room, as in a closed part of the page, later
    this.drawnAt = this.room;
    if (this.room > 0) this.draw();
  }
  // What a slider or a choice calls: the change, then the drawing of it.
  protected redrawing<T>(change: (value: T) => void): (value: T) => void {
    return (value) => {
      change(value);
      this.redraw();
    };
  }
}
