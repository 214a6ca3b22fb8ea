// pebble's own files, byte by byte and field by field.   Milestone M1.
import data from '../data/toys/hex.json';
import { Toy, button, choice, h, slider, whole, type Slider } from './parts';

class Hex extends Toy {
  readonly words = 'A model file, byte by byte';
  private file = 0;
  private section = 0;
  private byte = 0;
  private parts = h('span', {});
  private bytes!: Slider;
  private view = h('div', { class: 'hexes', tabindex: 0, role: 'group', 'aria-label': 'bytes' });
  private field = h('div', { class: 'field', 'aria-live': 'polite' });

  private get window() {
    return data.files[this.file].parts[this.section];
  }
  private get length() {
    return this.window.hex.length / 2;
  }

  build() {
    this.bytes = slider(
      'byte',
      'Byte',
      { min: 0, max: 1, value: 0 },
      (value) => whole(this.window.at + value),
      this.redrawing((value) => (this.byte = value)),
    );
    this.view.addEventListener('click', (event) => {
      const byte = (event.target as HTMLElement).dataset.byte;
      if (byte !== undefined) this.go(Number(byte));
    });
    this.append(
      choice(
        'file',
        'File',
        data.files.map(({ name, size }) => `${name}, ${whole(size)} bytes`),
        0,
        (index) => {
          this.file = index;
          this.open(0);
        },
      ),
      this.parts,
      h(
        'div',
        { class: 'row' },
        button('Field before', () => this.step(-1)),
        button('Next field', () => this.step(1), { 'data-go': 'next' }),
      ),
      this.bytes.row,
      this.field,
      this.view,
    );
    this.open(0);
  }

  private open(part: number) {
    this.section = part;
    this.byte = 0;
    this.parts.replaceChildren(
      choice(
        'part',
        'Where',
        data.files[this.file].parts.map(({ words }) => words),
        part,
        (index) => this.open(index),
      ),
    );
    this.bytes.input.max = String(this.length - 1);
    this.go(0);
    if (part > 0) this.parts.querySelector('select')!.focus({ preventScroll: true });
  }
  private go(byte: number) {
    this.byte = Math.max(0, Math.min(this.length - 1, byte));
    this.bytes.set(this.byte);
    this.redraw();
  }
  private fieldAt(place: number) {
    return this.window.fields.find(({ at, length }) => place >= at && place < at + length);
  }
  private step(by: number) {
    const { fields, at } = this.window,
      now = this.fieldAt(at + this.byte),
      next = now && fields[fields.indexOf(now) + by];
    if (next) this.go(next.at - at);
  }

  draw() {
    const { at, hex, fields } = this.window,
      width = this.room >= 560 ? 16 : 8,
      here = this.fieldAt(at + this.byte);
    const bytes = Array.from({ length: this.length }, (_, i) => parseInt(hex.slice(2 * i, 2 * i + 2), 16));
    const mark = (i: number, words: string) => {
      const field = this.fieldAt(at + i),
        odd = field && fields.indexOf(field) % 2 === 1;
      return h('i', { 'data-byte': i, class: `${odd ? 'odd' : ''}${field === here ? ' on' : ''}` }, words);
    };
    this.view.replaceChildren(
      ...Array.from({ length: Math.ceil(this.length / width) }, (_, r) => {
        const row = bytes.slice(r * width, (r + 1) * width);
        return [
          h('span', { class: 'place' }, whole(at + r * width).padStart(7)),
          h('span', {}, ...row.map((byte, i) => mark(r * width + i, byte.toString(16).padStart(2, '0')))),
          h(
            'span',
            {},
            ...row.map((byte, i) => mark(r * width + i, byte > 32 && byte < 127 ? String.fromCharCode(byte) : '·')),
          ),
        ];
      }).flat(),
    );
    const first = this.view.querySelector<HTMLElement>('i.on'); // only the bytes move, never the page
    if (first) {
      const top = first.offsetTop - this.view.offsetTop;
      if (top < this.view.scrollTop || top > this.view.scrollTop + this.view.clientHeight - 40)
        this.view.scrollTop = top - 30;
    }
    this.field.replaceChildren(
      ...(here
        ? [
            h('p', {}, h('b', {}, here.what)),
            h('p', {}, here.value),
            h(
              'p',
              { class: 'quiet' },
              here.length === 1
                ? `byte ${whole(here.at)}`
                : `bytes ${whole(here.at)} to ${whole(here.at + here.length - 1)}: ${whole(here.length)} of them`,
            ),
          ]
        : [h('p', { class: 'quiet' }, 'more numbers of the same kind')]),
    );
  }
}
customElements.define('rung-hex', Hex);
