// Whoever comes back after a day is asked three questions of earlier pages. Each page has its own questions in its
// text, so these are fetched from there: there is no second list of them. An exercise whose solution was looked up is
// asked again, too: from the beginning.
import { addressOf, begun, due, lookedUp, type Entry } from './diary';

const most = 3;

class Again extends HTMLElement {
  async connectedCallback() {
    const pages = begun((this.dataset.earlier ?? '').split(' ').filter(Boolean));
    const exercises = lookedUp(this.dataset.here!);
    const open: HTMLElement[] = [],
      old: HTMLElement[] = [];
    for (const page of pages) {
      const questions = await this.questionsOf(page);
      const { open: unsure, old: known } = due([...questions.keys()]);
      open.push(...unsure.map((id) => questions.get(id)!));
      old.push(...known.map((id) => questions.get(id)!));
      if (open.length >= most) break;
    }
    const asked = [...exercises.map(toWrite), ...[...open, ...old].map(toAnswer)].slice(0, most);
    if (asked.length > 0) this.show(asked);
  }

  // A page's questions by id, each marked with where it comes from. A page that cannot be had has none.
  private async questionsOf(page: string): Promise<Map<string, HTMLElement>> {
    try {
      const answer = await fetch(addressOf(page));
      if (!answer.ok) return new Map();
      const text = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const title = text.querySelector('h1')?.textContent ?? page;
      return new Map(
        [...text.querySelectorAll<HTMLElement>('rung-question')].map((question) => {
          question.dataset.page = page;
          question.dataset.again = title;
          return [question.id, question];
        }),
      );
    } catch {
      return new Map();
    }
  }

  private show(asked: HTMLElement[]) {
    const details = document.createElement('details');
    const summary = document.createElement('summary');
    const questions = ['a question', 'two questions', 'three questions'][asked.length - 1];
    summary.textContent = `Welcome back: ${questions} from before`;
    details.append(summary, ...asked);
    this.append(details);
  }
}

function toAnswer(question: HTMLElement): HTMLElement {
  const from = document.createElement('p');
  from.textContent = `From “${question.dataset.again}”`;
  const asked = document.createElement('div');
  asked.append(from, document.importNode(question, true));
  return asked;
}

function toWrite({ ask, page }: Entry): HTMLElement {
  const asked = document.createElement('p');
  const link = document.createElement('a');
  link.href = addressOf(page).href;
  link.textContent = 'Try';
  asked.append(`${ask} `, link);
  return asked;
}
customElements.define('rung-again', Again);
