// pebble tells a story in the page, as soon as the page is there. The printed one stands inside until the first word
// comes, and stays where the engine cannot run.
import { aWordPlease, lineOf, onItsWay, pebble, whenIdle } from './engine';

class Story extends HTMLElement {
  private busy = false;
  private text!: HTMLElement;
  private note!: HTMLElement;
  private printed!: HTMLElement;

  connectedCallback() {
    this.classList.add('toy');
    this.printed = document.createElement('div');
    this.printed.append(...this.childNodes);
    this.text = document.createElement('blockquote');
    this.text.hidden = true;
    this.note = document.createElement('p');
    this.note.className = 'note';
    this.note.setAttribute('role', 'status');
    this.append(this.form(), this.text, this.printed, this.note);
    void whenIdle().then(() => this.tell());
  }

  private form() {
    const form = document.createElement('form');
    form.innerHTML = `<label>It begins with <input name="prompt" value="Once upon a time" size="24" maxlength="200"
        autocomplete="off"></label>
      <label>next token: <select name="temperature"><option value="0">always the likeliest</option>
        <option value="0.8">drawn, temperature 0.8</option></select></label>
      <button>Tell</button>`;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.tell();
    });
    return form;
  }

  private async tell() {
    if (this.busy) return;
    const field = (name: string) => this.querySelector<HTMLInputElement>(`[name=${name}]`)!.value;
    const prompt = field('prompt'),
      temperature = Number(field('temperature'));
    if (prompt.trim() === '') {
      this.note.textContent = aWordPlease;
      return;
    }
    this.busy = true;
    try {
      if (this.text.hidden) this.note.textContent = onItsWay;
      const rung = await pebble();
      const begin = () => {
        const said = document.createElement('b');
        said.textContent = prompt;
        this.text.replaceChildren(said, '');
        this.text.hidden = false;
        this.printed.hidden = true;
      };
      let begun = false;
      const { ids, tokensPerSecond, seed } = await rung.generate(prompt, {
        temperature,
        maxTokens: 40,
        onText: (piece) => {
          if (!begun) begin();
          begun = true;
          this.text.lastChild!.textContent += piece;
        },
      });
      if (!begun) begin();
      const speed = `${Math.round(tokensPerSecond)} a second${temperature ? `, seed ${seed}` : ''}`;
      this.note.textContent = `${ids.length} tokens by pebble, in this page: ${speed}.`;
      this.dataset.told = String(Number(this.dataset.told ?? 0) + 1);
    } catch (error) {
      this.note.textContent = lineOf(error);
    } finally {
      this.busy = false;
    }
  }
}
customElements.define('rung-story', Story);
