// A question with one right choice. A wrong one says what it would have meant; the answer can be unfolded at any time.
import { note, read } from './diary';

class Question extends HTMLElement {
  connectedCallback() {
    const choices = [...this.querySelectorAll<HTMLElement>('.choice')];
    this.setAttribute('aria-live', 'polite');
    const show = (choice: HTMLElement) => {
      for (const other of choices) other.querySelector<HTMLElement>('.why')!.hidden = other !== choice;
      const right = choice.querySelector('input')!.hasAttribute('data-right');
      choice.classList.toggle('right', right);
      return right;
    };
    for (const choice of choices) {
      const input = choice.querySelector('input')!;
      input.addEventListener('change', () => note(this.id, input.id, show(choice)));
    }
    const before = read()[this.id]?.answer;
    const chosen = choices.find((choice) => choice.querySelector('input')!.id === before);
    if (chosen) { chosen.querySelector('input')!.checked = true; show(chosen); }
  }
}
customElements.define('rung-question', Question);
