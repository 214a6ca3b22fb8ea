// The page "Your diary": what was answered and guessed, by page; out as one file, and in again.
import { addressOf, exported, forget, read, take, type Entry } from './diary';

class DiaryPage extends HTMLElement {
  private said!: HTMLElement;

  connectedCallback() {
    this.classList.add('toy');
    this.draw();
  }

  private draw(words = '') {
    this.replaceChildren();
    const entries = Object.values(read()).sort((a, b) => a.when - b.when);
    const right = entries.filter((entry) => entry.right).length;
    const sum = document.createElement('p');
    sum.className = 'sum';
    sum.textContent =
      entries.length === 0 ? 'Nothing is written here yet.' : `${entries.length} answered, ${right} of them right.`;
    this.append(sum);
    for (const page of new Set(entries.map((entry) => entry.page)))
      this.append(
        this.page(
          page,
          entries.filter((entry) => entry.page === page),
        ),
      );
    this.append(this.tools(entries.length));
    this.said = document.createElement('p');
    this.said.setAttribute('role', 'status');
    this.said.textContent = words;
    this.append(this.said);
  }

  private page(name: string, entries: Entry[]) {
    const section = document.createElement('section');
    const head = document.createElement('h2');
    const link = document.createElement('a');
    link.href = addressOf(name).href;
    link.textContent = name === 'index' ? 'home' : name;
    head.append(link);
    const list = document.createElement('ul');
    for (const entry of entries) {
      const item = document.createElement('li');
      const ask = document.createElement('strong');
      ask.textContent = entry.ask;
      const verdict =
        entry.is !== undefined
          ? `you guessed ${entry.said}, it is ${entry.is}`
          : `${entry.said} (${entry.right ? 'right' : 'not yet'})`;
      item.append(ask, ` ${verdict}; ${new Date(entry.when).toISOString().slice(0, 10)}`);
      list.append(item);
    }
    section.append(head, list);
    return section;
  }

  private tools(count: number) {
    const row = document.createElement('p');
    const button = (words: string, act: () => void) => {
      const made = document.createElement('button');
      made.type = 'button';
      made.textContent = words;
      made.addEventListener('click', act);
      row.append(made, ' ');
      return made;
    };
    if (count > 0) button('Export as a file', () => this.save());
    const label = document.createElement('label');
    label.textContent = 'Take in a file: ';
    const file = document.createElement('input');
    file.type = 'file';
    file.accept = '.json,application/json';
    file.addEventListener('change', async () => {
      try {
        const taken = take(await file.files![0].text());
        this.draw(taken === 0 ? 'There is nothing in it that is not here already.' : `${taken} taken in.`);
      } catch (error) {
        this.draw((error as Error).message);
      }
    });
    label.append(file);
    row.append(label, ' ');
    if (count > 0) {
      const remove = button('Forget everything', () => {
        if (remove.dataset.sure) {
          forget();
          this.draw('Forgotten.');
          return;
        }
        remove.dataset.sure = 'yes';
        remove.textContent = 'Really forget everything?';
      });
    }
    return row;
  }

  private save() {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([exported()], { type: 'application/json' }));
    link.download = 'rung-diary.json';
    link.click();
    URL.revokeObjectURL(link.href);
    this.said.textContent = 'Exported as rung-diary.json.';
  }
}
customElements.define('rung-diary', DiaryPage);
