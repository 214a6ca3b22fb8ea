// A line of the reader's own for pebble itself, which runs in the page: the engine is fetched when it is first asked.
import { lineOf, pebble, type Rung } from './engine';
import { h, said } from './parts';

export function ownText(ask: (rung: Rung, text: string) => Promise<void>): HTMLElement {
  const input = h('input', { name: 'own', maxlength: 120, size: 24, autocomplete: 'off', spellcheck: 'false' });
  const button = h('button', { type: 'submit' }, 'Ask pebble');
  const state = said();
  const form = h('form', { class: 'row own' }, h('label', {}, 'Your own text: ', input), button, state);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (input.value === '') return;
    button.disabled = true;
    state.textContent = 'pebble is thinking …';
    try {
      await ask(await pebble(), input.value);
      state.textContent = '';
    } catch (error) {
      state.textContent = lineOf(error);
    }
    button.disabled = false;
  });
  return form;
}
