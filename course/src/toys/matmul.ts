// Matrix shapes: change the sizes and the numbers, choose a result, see which row and which column made it.
class Matmul extends HTMLElement {
  private m = 2;
  private k = 2;
  private n = 2;
  private a: number[] = [];
  private b: number[] = [];
  private chosen = [0, 0];

  connectedCallback() {
    this.classList.add('toy');
    this.fill();
    this.draw();
  }

  // Small numbers in order, so that a product can be checked in the head.
  private fill() {
    this.a = Array.from({ length: this.m * this.k }, (_, i) => i + 1);
    this.b = Array.from({ length: this.k * this.n }, (_, i) => i + 5);
  }

  product(row: number, column: number): number {
    let sum = 0;
    for (let i = 0; i < this.k; ++i) sum += this.a[row * this.k + i] * this.b[i * this.n + column];
    return sum;
  }

  private draw() {
    this.replaceChildren();
    const sizes = document.createElement('p');
    for (const name of ['m', 'k', 'n'] as const) {
      const label = document.createElement('label');
      label.textContent = ` ${name} = `;
      const select = document.createElement('select');
      for (let i = 1; i <= 4; ++i) select.add(new Option(String(i), String(i), false, this[name] === i));
      select.addEventListener('change', () => {
        this[name] = Number(select.value);
        this.chosen = [0, 0];
        this.fill();
        this.draw();
        this.querySelector<HTMLSelectElement>(`select[data-name=${name}]`)!.focus();
      });
      select.dataset.name = name;
      label.append(select);
      sizes.append(label);
    }
    const [row, column] = this.chosen;
    const tables = document.createElement('div');
    tables.style.cssText = 'display:flex;flex-wrap:wrap;gap:.75rem;align-items:center';
    tables.append(
      this.table(this.a, this.m, this.k, (r) => r === row, `[${this.m}×${this.k}]`),
      '·',
      this.table(this.b, this.k, this.n, (_, c) => c === column, `[${this.k}×${this.n}]`),
      '=',
      this.results(),
    );
    const words = document.createElement('p');
    words.setAttribute('aria-live', 'polite');
    const terms = Array.from(
      { length: this.k },
      (_, i) => `${this.a[row * this.k + i]}·${this.b[i * this.n + column]}`,
    );
    const sum = `${terms.join(' + ')} = ${this.product(row, column)}`;
    words.textContent = `Row ${row + 1} times column ${column + 1}: ${sum}`;
    this.append(sizes, tables, words);
  }

  private table(
    values: number[],
    rows: number,
    columns: number,
    marked: (r: number, c: number) => boolean,
    caption: string,
  ) {
    const table = document.createElement('table');
    table.createCaption().textContent = caption;
    for (let r = 0; r < rows; ++r) {
      const line = table.insertRow();
      for (let c = 0; c < columns; ++c) {
        const cell = line.insertCell();
        cell.textContent = String(values[r * columns + c]);
        cell.style.cssText = 'padding:.2rem .5rem;text-align:right';
        if (marked(r, c)) {
          cell.style.fontWeight = '700';
          cell.style.outline = '2px solid var(--rung-q)';
        }
      }
    }
    return table;
  }

  private results() {
    const table = document.createElement('table');
    table.createCaption().textContent = `[${this.m}×${this.n}]`;
    for (let r = 0; r < this.m; ++r) {
      const line = table.insertRow();
      for (let c = 0; c < this.n; ++c) {
        const button = document.createElement('button');
        button.type = 'button';
        button.textContent = String(this.product(r, c));
        button.setAttribute('aria-pressed', String(r === this.chosen[0] && c === this.chosen[1]));
        button.setAttribute('aria-label', `row ${r + 1}, column ${c + 1}: ${this.product(r, c)}`);
        button.addEventListener('click', () => {
          this.chosen = [r, c];
          this.draw();
          this.querySelectorAll<HTMLButtonElement>('table button')[r * this.n + c].focus();
        });
        line.insertCell().append(button);
      }
    }
    return table;
  }
}
customElements.define('rung-matmul', Matmul);
