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

class Bits extends HTMLElement {
  private value = 0.15625;

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
      if (input.value.trim() !== '' && !Number.isNaN(value)) {
        this.value = value;
        this.draw();
      }
    });
    label.append(input);
    this.append(label);
    for (const type of types) {
      const row = document.createElement('div');
      row.className = 'bits';
      row.dataset.type = type.name;
      this.append(row);
    }
    const integer = document.createElement('p');
    integer.className = 'int8';
    this.append(integer);
    this.draw();
  }

  private draw() {
    for (const type of types) this.row(type, bitsOf(this.value, type));
    const scale = Math.abs(this.value) / 127;
    this.querySelector('.int8')!.textContent =
      `int8 has no point: it needs a scale beside it. With the scale ${scale.toPrecision(3)}, ` +
      `${this.value} is ${this.value === 0 ? 0 : Math.sign(this.value) * 127}, and the next number that can be said is ${(scale * 126).toPrecision(4)} in size.`;
  }

  private row(type: Type, bits: boolean[]) {
    const row = this.querySelector<HTMLElement>(`[data-type=${type.name}]`)!;
    row.replaceChildren();
    const value = valueOf(bits, type);
    const name = document.createElement('p');
    name.setAttribute('aria-live', 'polite');
    name.textContent = `${type.name}: ${value}${Object.is(value, this.value) ? '' : ` (off by ${(value - this.value).toPrecision(3)})`}`;
    row.append(name);
    bits.forEach((bit, i) => {
      const button = document.createElement('button');
      button.type = 'button';
      const part = i === 0 ? 'sign' : i <= type.exponent ? 'exponent' : 'fraction';
      button.className = part;
      button.textContent = bit ? '1' : '0';
      button.setAttribute('aria-label', `${type.name}, bit ${bits.length - 1 - i}, ${part}: ${bit ? 1 : 0}`);
      button.addEventListener('click', () => {
        const turned = bits.with(i, !bit);
        this.value = valueOf(turned, type);
        this.querySelector('input')!.value = String(this.value);
        this.draw();
        this.querySelector(`[data-type=${type.name}]`)!.querySelectorAll('button')[i].focus();
      });
      row.append(button);
    });
  }
}
customElements.define('rung-bits', Bits);
