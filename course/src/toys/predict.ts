// A number that the reader guesses before it is shown. Guess and answer go into the diary.
import { note, pageOf, read } from './diary';

// 3556096 → 3,556,096; of what is shorter the digits stay as they are.
const grouped = (value: number | string): string =>
  Math.abs(Number(value)) >= 10_000 ? Number(value).toLocaleString('en', { maximumFractionDigits: 20 }) : String(value);

// 3,556,096 is a number, and so is 0,5 for many.
const numberOf = (text: string): number =>
  Number(/^\s*-?[1-9]\d{0,2}(,\d{3})+(\.\d+)?\s*$/.test(text) ? text.replaceAll(',', '') : text.replace(',', '.'));

class Predict extends HTMLElement {
  connectedCallback() {
    const row = this.querySelector<HTMLElement>('.guess')!;
    const input = row.querySelector('input')!;
    const details = this.querySelector('details')!;
    const ask = this.querySelector('label')!.textContent!;
    row.hidden = false;
    const said = document.createElement('p');
    said.setAttribute('aria-live', 'polite');
    row.after(said);
    const unit = this.dataset.unit ? ' ' + this.dataset.unit : '';
    const compare = () => {
      const guess = numberOf(input.value);
      const answer = Number(this.dataset.answer);
      const is = `${grouped(this.dataset.answer!)}${unit}`;
      if (input.value.trim() === '' || Number.isNaN(guess)) {
        said.textContent = 'A number, please; any will do.';
        return;
      }
      const right = guess === answer;
      said.textContent = right ? 'Exactly.' : `You said ${grouped(guess)}, it is ${is}.`;
      note(this.id, {
        page: pageOf(this),
        ask,
        said: `${grouped(guess)}${unit}`,
        answer: input.value,
        right,
        is,
      });
      details.open = true;
    };
    row.querySelector('button')!.addEventListener('click', compare);
    input.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') compare();
    });
    input.value = read()[this.id]?.answer ?? '';
  }
}
customElements.define('rung-predict', Predict);
