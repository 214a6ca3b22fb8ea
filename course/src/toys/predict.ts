// A number that the reader guesses before it is shown. Guess and answer go into the diary.
import { note, pageOf, read } from './diary';

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
      const guess = Number(input.value.replace(',', '.'));
      const answer = Number(this.dataset.answer);
      if (input.value.trim() === '' || Number.isNaN(guess)) {
        said.textContent = 'A number, please; any will do.';
        return;
      }
      const right = guess === answer;
      said.textContent = right ? 'Exactly.' : `You said ${guess}, it is ${this.dataset.answer}${unit}.`;
      note(this.id, {
        page: pageOf(this),
        ask,
        said: `${guess}${unit}`,
        answer: input.value,
        right,
        is: `${this.dataset.answer}${unit}`,
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
