// A number that the reader guesses before it is shown. Guess and answer go into the diary.
import { note, read } from './diary';

class Predict extends HTMLElement {
  connectedCallback() {
    const row = this.querySelector<HTMLElement>('.guess')!;
    const input = row.querySelector('input')!;
    const details = this.querySelector('details')!;
    row.hidden = false;
    const said = document.createElement('p');
    said.setAttribute('aria-live', 'polite');
    row.after(said);
    const compare = () => {
      const guess = Number(input.value.replace(',', '.'));
      const answer = Number(this.dataset.answer);
      if (input.value.trim() === '' || Number.isNaN(guess)) { said.textContent = 'A number, please; any will do.'; return; }
      const off = Math.abs(guess - answer);
      said.textContent = off === 0 ? 'Exactly.' : `You said ${guess}, it is ${this.dataset.answer}${this.dataset.unit ? ' ' + this.dataset.unit : ''}.`;
      note(this.id, input.value, off === 0);
      details.open = true;
    };
    row.querySelector('button')!.addEventListener('click', compare);
    input.addEventListener('keydown', (event) => { if (event.key === 'Enter') compare(); });
    input.value = read()[this.id]?.answer ?? '';
  }
}
customElements.define('rung-predict', Predict);
