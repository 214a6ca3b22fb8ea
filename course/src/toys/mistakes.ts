// The gallery: a classic mistake is made in the engine of this page, and told beside the sound one.
import { bars, farOff } from './draw';
import { lineOf, load, onItsWay, whenIdle, type Mistake, type Rung } from './engine';
import { h } from './parts';

class Mistakes extends HTMLElement {
  private rung?: Rung;
  private said = h('p', { class: 'note', role: 'status' });
  private shown = h('div');
  private sound = '';
  private busy = false;
  private wanted?: Mistake;

  connectedCallback() {
    this.classList.add('toy');
    const printed = h('div', {}, ...this.childNodes);
    this.append(printed, this.said);
    void whenIdle().then(async () => {
      this.said.textContent = onItsWay;
      try {
        this.rung = await load();
        const all = await this.rung.mistakes();
        printed.remove();
        this.prepend(this.form(all), this.shown);
        await this.show(all[0]);
      } catch (error) {
        this.said.textContent = lineOf(error);
      }
    });
  }

  private form(all: Mistake[]) {
    const prompt = h('input', {
      name: 'prompt',
      value: 'Once upon a time',
      size: '24',
      maxlength: '200',
      autocomplete: 'off',
    });
    const select = h('select', { name: 'mistake', onchange: () => void this.show(all[select.selectedIndex]) });
    for (const mistake of all) select.add(new Option(mistake.name, mistake.name));
    return h(
      'form',
      {
        onsubmit: (event) => {
          event.preventDefault();
          this.sound = '';
          void this.show(all[select.selectedIndex]);
        },
      },
      h('label', {}, 'mistake ', select),
      h('label', {}, 'a story that begins with ', prompt),
      h('button', {}, 'Tell'),
    );
  }

  // The sound story once, then with the mistake: the same prompt, always the likeliest token.
  private async show(mistake: Mistake) {
    this.wanted = mistake;
    if (this.busy) return; // who is at it goes on with what was chosen last
    this.busy = true;
    const rung = this.rung!,
      prompt = this.querySelector<HTMLInputElement>('[name=prompt]')!.value || ' ';
    const tell = async () => (await rung.generate(prompt, { temperature: 0, maxTokens: 40 })).text;
    try {
      if (!this.sound) {
        await rung.break(null);
        this.sound = await tell();
      }
      await rung.break(mistake.name);
      const story = await tell(),
        { differences, firstWrong, sound, changed } = await rung.compare(prompt, { top: 5 });
      const words = firstWrong
        ? h('p', {}, 'The first tensor that is wrong: ', h('code', {}, firstWrong), `. ${farOff(differences)}`)
        : h('p', {}, 'No tensor of this text is wrong: that is how such a mistake stays unseen.');
      const quote = (title: string, text: string) =>
        h('figure', {}, h('figcaption', {}, title), h('blockquote', {}, h('b', {}, prompt), text));
      this.shown.replaceChildren(
        h('p', {}, h('strong', {}, mistake.name), `: ${mistake.description}.`),
        words,
        h('div', { class: 'beside' }, quote('as it should be', this.sound), quote('with the mistake', story)),
        h(
          'div',
          { class: 'beside' },
          bars(sound, 'the next token, as it should be'),
          bars(changed, 'with the mistake'),
        ),
      );
      this.said.textContent =
        story === this.sound ? 'The story is the same, word for word: only the numbers tell.' : '';
      this.dataset.shown = mistake.name;
    } catch (error) {
      this.said.textContent = lineOf(error);
    }
    this.busy = false;
    if (this.wanted !== mistake) await this.show(this.wanted);
  }
}
customElements.define('rung-mistakes', Mistakes);
