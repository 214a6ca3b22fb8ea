// A number that the reader guesses before it is shown. Guess and answer go into the diary.
import { note, pageOf, read } from './diary';

// 24,576 has a comma of thousands, 1,5 a decimal one. 1,131 may be either: what is nearer to the answer is meant.
function numberOf(typed: string, answer: number): number {
  const text = typed.trim().replace('−', '-');
  const decimal = text === '' ? NaN : Number(text.replace(',', '.'));
  if (!/^[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?$/.test(text)) return decimal;
  const grouped = Number(text.replaceAll(',', ''));
  return Math.abs(decimal - answer) < Math.abs(grouped - answer) ? decimal : grouped;
}
const written = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: 20 });

// How a guess is called: within 2% of the answer nearly right, within a quarter of it near.
function verdict(guess: number, answer: number): string {
  const ratio = guess / answer;
  if (ratio >= 0.98 && ratio <= 1.02) return 'Nearly right: you';
  return ratio >= 0.75 && ratio <= 1.25 ? 'Near: you' : 'You';
}

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
    const { answer: exact, is, unit } = this.dataset as Record<string, string>;
    const compare = () => {
      const guess = numberOf(input.value, Number(exact));
      if (!Number.isFinite(guess)) {
        said.textContent = 'A number, please; any will do.';
        return;
      }
      const right = guess === Number(exact);
      said.textContent = right ? 'Exactly.' : `${verdict(guess, Number(exact))} said ${written(guess)}, it is ${is}.`;
      note(this.id, {
        page: pageOf(this),
        ask,
        said: `${written(guess)} ${unit}`.trim(),
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
