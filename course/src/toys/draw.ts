// What the pages about the engine draw with: tables of shares, pictures of numbers.
import type { Candidate, Difference, Token } from './engine';
import { h } from './parts';

/** A token as readers see it: its spaces, ends of lines and empty ones are visible. */
export const visible = (token: Token) => token.text.replaceAll(' ', '·').replaceAll('\n', '⏎') || `(${token.id})`;

export const percent = (share: number) =>
  !Number.isFinite(share)
    ? 'without end'
    : share > 0 && share < 0.0005
      ? '<0.1%'
      : `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)}%`;
export const number = (value: number) =>
  value === null || Number.isNaN(value)
    ? 'NaN'
    : value === 0
      ? '0'
      : Math.abs(value) < 1e-3 || Math.abs(value) >= 1e4
        ? value.toExponential(2)
        : value.toPrecision(4);

/** A bar a share, each with what it is the share of. */
export function shares(rows: { of: (Node | string)[]; share: number }[], caption: string): HTMLTableElement {
  const table = h('table', { class: 'bars' }, h('caption', {}, caption));
  for (const { of, share } of rows) {
    const bar = h('span', { class: 'bar', 'aria-hidden': 'true' });
    bar.style.width = `${Math.max(1, 100 * share)}%`;
    table.append(
      h('tr', {}, h('th', { scope: 'row' }, ...of), h('td', {}, percent(share)), h('td', { class: 'room' }, bar)),
    );
  }
  return table;
}

/** What may come next, as bars. */
export const bars = (candidates: Candidate[], caption: string): HTMLTableElement =>
  shares(
    candidates.map((candidate) => ({ of: [h('code', {}, visible(candidate))], share: candidate.probability })),
    caption,
  );

/** How far a change has gone, in a sentence. */
export function farOff(differences: Difference[]): string {
  const far = differences.filter((one) => one.name.endsWith('.output') || one.name === 'logits');
  const each = far.map((one) => `${one.layer < 0 ? 'logits' : one.layer} ${percent(one.distance)}`);
  return `How far the stream is off after each layer: ${each.join(', ')}.`;
}

// Of the page's colours: 0 is the page itself, 1 the colour of attention; below 0 the other one.
function mix(share: number, dark: boolean): [number, number, number] {
  const base = dark ? [23, 25, 30] : [255, 255, 255];
  const end = share >= 0 ? (dark ? [138, 184, 255] : [10, 88, 202]) : dark ? [255, 178, 125] : [154, 59, 0];
  const amount = Math.min(1, Math.abs(share));
  return base.map((from, i) => Math.round(from + (end[i] - from) * amount)) as [number, number, number];
}

/** A picture of a matrix, a cell a number; `shade` says how strong it is, -1 to 1. */
export function picture(
  values: ArrayLike<number>,
  rows: number,
  columns: number,
  shade: (value: number, row: number, column: number) => number,
  words: string,
): HTMLCanvasElement {
  const canvas = h('canvas', { role: 'img', 'aria-label': words, title: words });
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext('2d')!,
    image = context.createImageData(columns, rows);
  const dark = document.documentElement.dataset.theme === 'dark';
  for (let i = 0; i < rows * columns; ++i) {
    image.data.set([...mix(shade(values[i], Math.floor(i / columns), i % columns), dark), 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
