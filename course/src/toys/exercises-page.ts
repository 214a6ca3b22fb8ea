// The page of all exercises: which are solved, which were begun, what comes next, which milestones are known.
import './exercise_style';
import { h } from './parts';
import { all } from './work';

class Exercises extends HTMLElement {
  connectedCallback() {
    const work = all();
    this.querySelector('figcaption')!.remove();
    const items = [...this.querySelectorAll<HTMLElement>('li')];
    for (const item of items) {
      const { passed, code } = work[item.dataset.name!] ?? {};
      const [state, mark] = passed ? ['solved', '✓ solved'] : code ? ['begun', '… begun'] : ['', ''];
      if (mark) item.append(' ', h('span', { class: `mark ${state}` }, mark));
    }
    const isSolved = (item: HTMLElement) => Boolean(work[item.dataset.name!]?.passed);
    for (const section of this.querySelectorAll('section')) this.sum(section, isSolved);
    const solved = items.filter(isSolved).length;
    const next = items.find((item) => !isSolved(item) && !item.closest('.known'));
    const link = next?.querySelector('a') ?? undefined;
    this.prepend(
      h(
        'p',
        { class: 'sum' },
        `${solved} of ${items.length} solved. `,
        link ? 'Next: ' : 'There is nothing left to solve.',
        link && h('a', { href: link.href }, link.textContent!),
      ),
    );
    this.dataset.shown = '';
  }

  // A milestone whose test-out is solved is known.
  private sum(section: HTMLElement, isSolved: (item: HTMLElement) => boolean) {
    const items = [...section.querySelectorAll('li')];
    const isKnown = items.some((item) => isSolved(item) && item.textContent!.includes('test-out'));
    section.classList.toggle('known', isKnown);
    const solved = items.filter(isSolved).length;
    const isMore = isKnown && solved < items.length;
    const words = `${solved} of ${items.length} solved${isMore ? '; known: its test-out is among them' : ''}`;
    section.querySelector('h2')!.after(h('p', { class: 'quiet' }, words));
  }
}
customElements.define('rung-exercises', Exercises);
