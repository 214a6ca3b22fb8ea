// A question with one right choice. A wrong one says what it would have meant; the answer can be unfolded at any time.
import { note, pageOf, read } from './diary';

class Question extends HTMLElement {
  connectedCallback() {
    const choices = [...this.querySelectorAll<HTMLElement>('.choice')];
    const ask = this.querySelector('legend')!.textContent!;
    const show = (choice: HTMLElement) => {
      for (const other of choices) {
        const why = other.querySelector<HTMLElement>('.why')!;
        why.hidden = other !== choice;
        other.classList.toggle('right', other === choice && other.querySelector('input')!.hasAttribute('data-right'));
      }
      return choice.classList.contains('right');
    };
    for (const choice of choices) {
      const input = choice.querySelector('input')!;
      choice.querySelector('.why')!.parentElement!.setAttribute('aria-live', 'polite');
      input.addEventListener('change', () =>
        note(this.id, {
          page: pageOf(this),
          ask,
          said: choice.querySelector('label')!.textContent!,
          answer: input.id,
          right: show(choice),
        }),
      );
    }
    if (this.hasAttribute('data-again')) return; // what was chosen a day ago is not shown: it is to be found again
    const before = read()[this.id]?.answer;
    const chosen = choices.find((choice) => choice.querySelector('input')!.id === before);
    if (chosen) {
      chosen.querySelector('input')!.checked = true;
      show(chosen);
    }
  }
}
customElements.define('rung-question', Question);
