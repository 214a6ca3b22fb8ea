// What each head of pebble attends to: rows look, columns are looked at; the size of a square is the share.   Milestone M2.
import data from '../data/toys/heads.json';
import { Toy, button, choice, drawing, h, percent, s, said, visible } from './parts';

export interface Attention { text: string; pieces: string[]; shares: number[][][][] } // [layer][head][row][column], in thousandths
const group = data.heads / data.kvHeads;

class Heads extends Toy {
  readonly words = 'Attention: who looks at whom';
  private shown: Attention = data.texts[0];
  private layer = 3;
  private head = 2;
  private row = data.texts[0].pieces.length - 1;
  private groups = h('div', { class: 'groups' });
  private matrix = h('div', {});
  private bars = h('div', { class: 'bars' });
  private now = said();

  build() {
    this.append(choice('text', 'Text', data.texts.map(({ text }) => text), 0, (index) => this.show(data.texts[index])),
      choice('layer', 'Layer', Array.from({ length: data.layers }, (_, i) => String(i)), this.layer, (index) => { this.layer = index; this.redraw(); }), this.groups, this.matrix);
    const rows = h('label', { class: 'slider' }, h('span', {}, 'Who looks'));
    const input = h('input', { type: 'range', name: 'row', min: 0, value: this.row });
    input.addEventListener('input', () => { this.row = Number(input.value); this.redraw(); });
    rows.append(input, h('output', {}));
    this.append(rows, this.now, this.bars);
  }

  show(attention: Attention) {
    this.shown = attention;
    this.row = attention.pieces.length - 1;
    this.redraw();
  }

  draw() {
    const { pieces, shares } = this.shown, names = pieces.map(visible), weights = shares[this.layer][this.head], looks = weights[this.row];
    const input = this.querySelector<HTMLInputElement>('input[name=row]')!;
    input.max = String(pieces.length - 1);
    input.value = String(this.row);
    input.setAttribute('aria-valuetext', names[this.row]);
    input.nextElementSibling!.textContent = names[this.row];
    const focused = this.groups.contains(document.activeElement);
    this.groups.replaceChildren(...Array.from({ length: data.kvHeads }, (_, kv) => h('fieldset', {}, h('legend', {}, `K and V of group ${kv}`),
      ...Array.from({ length: group }, (_, i) => kv * group + i).map((head) =>
        button(`Q head ${head}`, () => { this.head = head; this.redraw(); }, { 'aria-pressed': String(head === this.head) })))));
    if (focused) this.groups.querySelector<HTMLButtonElement>('[aria-pressed=true]')!.focus();

    const n = pieces.length, letters = Math.max(...names.map((name) => name.length)), left = letters * 7.3 + 8;
    const cell = Math.max(9, Math.min(24, Math.floor((this.room - left) / n))), above = letters * 6.2 + 14, size = cell * n;
    const squares = weights.flatMap((row, r) => row.map((share, c) => {
      const side = Math.sqrt(share / 1000) * (cell - 2);
      return side < 0.7 ? '' : s('rect', { x: left + c * cell + (cell - side) / 2, y: above + r * cell + (cell - side) / 2, width: side, height: side, fill: r === this.row ? 'var(--rung-k)' : 'var(--rung-q)' });
    }));
    const steps = weights.map((_, r) => s('path', { d: `M${left} ${above + r * cell}h${(r + 1) * cell}v${cell}h${-(r + 1) * cell}z`, fill: 'none', stroke: 'var(--rung-line)' }));
    const labels = names.flatMap((name, i) => [
      s('text', { x: left - 5, y: above + (i + 0.5) * cell + 4, 'text-anchor': 'end', ...(i === this.row ? { 'font-weight': 700 } : { class: 'quiet' }) }, name),
      s('text', { transform: `translate(${left + (i + 0.5) * cell + 4} ${above - 5}) rotate(-60)`, ...(looks[i] >= 200 ? { 'font-weight': 700 } : { class: 'quiet' }) }, name)]);
    const rows = names.map((_, r) => { // a mouse or a finger chooses a row; keys use the slider
      const hit = s('rect', { x: 0, y: above + r * cell, width: left + size, height: cell, fill: r === this.row ? 'var(--rung-soft)' : 'transparent', style: 'cursor:pointer' });
      hit.addEventListener('click', () => { this.row = r; this.redraw(); });
      return hit;
    });
    this.matrix.replaceChildren(drawing(left + size + 4, above + size + 4, `attention of layer ${this.layer}, head ${this.head}; the row of ${names[this.row]} is listed below`, ...rows, ...steps, ...squares, ...labels));

    const order = looks.map((share, c) => ({ share, c })).filter(({ share }) => share >= 5).sort((a, b) => b.share - a.share).slice(0, 5);
    const rest = 1000 - order.reduce((sum, { share }) => sum + share, 0);
    this.now.textContent = `Layer ${this.layer}, head ${this.head}: “${names[this.row]}” (token ${this.row}) looks at`;
    this.bars.replaceChildren(...order.flatMap(({ share, c }) => [h('span', { class: 'name' }, `${names[c]} (${c})`),
      h('span', {}, bar(share / 1000)), h('span', { class: 'share' }, percent(share / 1000))]),
      ...(rest >= 5 ? [h('span', { class: 'quiet' }, 'the others'), h('span', {}, bar(rest / 1000)), h('span', { class: 'share' }, percent(rest / 1000))] : []));
  }
}
const bar = (share: number) => s('svg', { height: 12, width: '100%', 'aria-hidden': 'true' }, s('rect', { width: `${100 * share}%`, height: 12, fill: 'var(--rung-k)' }));
customElements.define('rung-heads', Heads);
