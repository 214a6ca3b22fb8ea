// The bits of a number as f32, f16, bf16 and int8. Turn a bit, or type a number, and see what each type makes of it.
interface Type {
  name: string;
  exponent: number;
  fraction: number;
}
const types: Type[] = [
  { name: 'f32', exponent: 8, fraction: 23 },
  { name: 'bf16', exponent: 8, fraction: 7 },
  { name: 'f16', exponent: 5, fraction: 10 },
];

// bits ↔ value by the definition of IEEE 754, so that the three types are one function.
export function valueOf(bits: boolean[], { exponent, fraction }: Type): number {
  const number = (part: boolean[]) => part.reduce((sum, bit) => sum * 2 + Number(bit), 0);
  const sign = bits[0] ? -1 : 1;
  const e = number(bits.slice(1, 1 + exponent)),
    f = number(bits.slice(1 + exponent));
  const bias = 2 ** (exponent - 1) - 1;
  if (e === 2 ** exponent - 1) return f === 0 ? sign * Infinity : NaN;
  if (e === 0) return sign * f * 2 ** (1 - bias - fraction);
  return sign * (1 + f / 2 ** fraction) * 2 ** (e - bias);
}

// Round to nearest, ties to even.
export function bitsOf(value: number, { exponent, fraction }: Type): boolean[] {
  const bias = 2 ** (exponent - 1) - 1;
  const sign = value < 0 || Object.is(value, -0);
  let magnitude = Math.abs(value),
    e = 0,
    f = 0;
  if (Number.isNaN(value)) {
    e = 2 ** exponent - 1;
    f = 2 ** (fraction - 1);
  } else if (magnitude !== 0) {
    e = Math.max(1 - bias, Math.floor(Math.log2(magnitude)));
    if (magnitude < 2 ** e && e > 1 - bias) e--;
    const scaled = (magnitude / 2 ** e) * 2 ** fraction;
    f = Math.floor(scaled);
    const rest = scaled - f;
    if (rest > 0.5 || (rest === 0.5 && f % 2 === 1)) f++;
    if (f >= 2 ** (fraction + 1)) {
      f /= 2;
      e++;
    }
    if (f < 2 ** fraction) e = 0;
    else {
      f -= 2 ** fraction;
      e += bias;
    }
    if (e >= 2 ** exponent - 1) {
      e = 2 ** exponent - 1;
      f = 0;
    }
  }
  const bits = (number: number, count: number) =>
    Array.from({ length: count }, (_, i) => Math.floor(number / 2 ** (count - 1 - i)) % 2 === 1);
  return [sign, ...bits(e, exponent), ...bits(f, fraction)];
}

const largestOf = ({ exponent, fraction }: Type) => (2 - 2 ** -fraction) * 2 ** (2 ** (exponent - 1) - 1);

// What a type makes of a number, in words.
function saidOf(type: Type, made: number, meant: number): string {
  if (Object.is(made, meant)) return `${type.name}: ${made}`;
  if (!Number.isFinite(made)) {
    const end = Number(largestOf(type).toPrecision(6));
    return `${type.name}: ${made < 0 ? 'minus ' : ''}infinity, for ${type.name} ends at ${made < 0 ? -end : end}`;
  }
  return `${type.name}: ${made} (off by ${(made - meant).toPrecision(3)})`;
}

class Bits extends HTMLElement {
  private value = 0.15625;
  private at = new Map(types.map(({ name }) => [name, 0])); // of each row the bit that Tab comes to

  connectedCallback() {
    this.classList.add('toy');
    this.replaceChildren();
    const label = document.createElement('label');
    label.textContent = 'A number: ';
    const input = document.createElement('input');
    input.value = String(this.value);
    input.inputMode = 'decimal';
    input.addEventListener('input', () => {
      const value = Number(input.value.replace(',', '.'));
      const isNone = input.value.trim() === '' || Number.isNaN(value);
      said.textContent = isNone ? ' no number' : '';
      if (isNone) return;
      this.value = value;
      this.draw();
    });
    const said = document.createElement('span');
    said.setAttribute('role', 'status');
    label.append(input);
    this.append(label, said, legend());
    for (const type of types) {
      const row = document.createElement('div');
      row.className = 'bits';
      row.dataset.type = type.name;
      row.setAttribute('role', 'group');
      row.setAttribute('aria-label', `${type.name}: the arrows go from bit to bit, Enter turns one`);
      row.addEventListener('keydown', (event) => this.walk(event, type));
      this.append(row);
    }
    const integer = document.createElement('p');
    integer.className = 'int8';
    this.append(integer);
    this.draw();
  }

  private draw() {
    for (const type of types) this.row(type, bitsOf(this.value, type));
    const integer = this.querySelector('.int8')!;
    if (!Number.isFinite(this.value)) {
      integer.textContent = 'int8 has no infinity, and nothing that is no number.';
      return;
    }
    const scale = Math.abs(this.value) / 127;
    integer.textContent =
      `int8 has no point: it needs a scale beside it. With the scale ${scale.toPrecision(3)}, ` +
      `${this.value} is ${this.value === 0 ? 0 : Math.sign(this.value) * 127}, ` +
      `and the next number that can be said is ${(scale * 126).toPrecision(4)} in size.`;
  }

  private row(type: Type, bits: boolean[]) {
    const row = this.querySelector<HTMLElement>(`[data-type=${type.name}]`)!;
    row.replaceChildren();
    const value = valueOf(bits, type);
    const name = document.createElement('p');
    name.setAttribute('aria-live', 'polite');
    name.textContent = saidOf(type, value, this.value);
    row.append(name);
    bits.forEach((bit, i) => {
      const button = document.createElement('button');
      button.type = 'button';
      const part = i === 0 ? 'sign' : i <= type.exponent ? 'exponent' : 'fraction';
      button.className = part;
      button.textContent = bit ? '1' : '0';
      button.setAttribute('aria-label', `${type.name}, bit ${bits.length - 1 - i}, ${part}: ${bit ? 1 : 0}`);
      button.tabIndex = i === this.at.get(type.name) ? 0 : -1;
      button.addEventListener('click', () => {
        this.at.set(type.name, i);
        const turned = bits.with(i, !bit);
        this.value = valueOf(turned, type);
        this.querySelector('input')!.value = String(this.value);
        this.draw();
        this.querySelector('[role=status]')!.textContent = '';
        this.buttons(type)[i].focus();
      });
      row.append(button);
    });
  }

  private buttons = ({ name }: Type) => this.querySelector(`[data-type=${name}]`)!.querySelectorAll('button');

  // A row is one stop of Tab; the arrows go through it.
  private walk(event: KeyboardEvent, type: Type) {
    const buttons = this.buttons(type),
      at = [...buttons].indexOf(event.target as HTMLButtonElement);
    const ways: Record<string, number> = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: buttons.length - 1 };
    const to = buttons[ways[event.key] ?? -1];
    if (at < 0 || !to) return;
    event.preventDefault();
    buttons[at].tabIndex = -1;
    to.tabIndex = 0;
    this.at.set(type.name, [...buttons].indexOf(to));
    to.focus();
  }
}
// The three colours, named.
function legend(): HTMLElement {
  const line = document.createElement('p');
  line.className = 'bits quiet';
  const parts = ['sign', 'exponent', 'fraction'].map((part) =>
    Object.assign(document.createElement('b'), { className: part, textContent: part }),
  );
  line.append('From left to right: ', parts[0], ' ', parts[1], ' ', parts[2]);
  return line;
}
customElements.define('rung-bits', Bits);
