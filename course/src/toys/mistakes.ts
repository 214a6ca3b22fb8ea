// The gallery: a classic mistake is made in the engine of this page, and told beside the sound one.
import { bars, farOff } from './draw';
import { addressOf } from './diary';
import {
  lineOf,
  load,
  onItsWay,
  whenIdle,
  type Comparison,
  type KnownMistake,
  type Mistake,
  type Report,
  type Rung,
} from './engine';
import { h } from './parts';

// Of the forward pass as a whole, or of one exercise.
type Choice = Mistake | KnownMistake;
const nameOf = (choice: Choice) => ('name' in choice ? choice.name : `${choice.exercise} ${choice.mistake}`);

class Mistakes extends HTMLElement {
  private rung?: Rung;
  private said = h('p', { class: 'note', role: 'status' });
  private shown = h('div');
  private sound = '';
  private busy = false;
  private wanted?: Choice;

  connectedCallback() {
    this.classList.add('toy');
    const printed = h('div', {}, ...this.childNodes);
    this.append(printed, this.said);
    void whenIdle().then(async () => {
      this.said.textContent = onItsWay;
      try {
        this.rung = await load();
        const whole = await this.rung.mistakes(),
          single = await this.rung.exerciseMistakes();
        printed.remove();
        this.prepend(this.form(whole, single), this.shown);
        await this.show(whole[0]!);
      } catch (error) {
        this.said.textContent = lineOf(error);
      }
    });
  }

  private form(whole: Mistake[], single: KnownMistake[]) {
    const prompt = h('input', {
      name: 'prompt',
      value: 'Once upon a time',
      size: '24',
      maxlength: '200',
      autocomplete: 'off',
    });
    const all: Choice[] = [...whole, ...single];
    const select = h('select', { name: 'mistake', onchange: () => void this.show(all[select.selectedIndex]!) });
    const group = (label: string, options: string[]) =>
      select.append(h('optgroup', { label }, ...options.map((name) => new Option(name, name))));
    group('in the forward pass', whole.map(nameOf));
    for (const exercise of new Set(single.map(({ exercise }) => exercise)))
      group(`in exercise ${exercise}`, single.filter((one) => one.exercise === exercise).map(nameOf));
    return h(
      'form',
      {
        onsubmit: (event) => {
          event.preventDefault();
          this.sound = '';
          void this.show(all[select.selectedIndex]!);
        },
      },
      h('label', {}, 'mistake ', select),
      h('label', {}, 'a story that begins with ', prompt),
      h('button', {}, 'Tell'),
    );
  }

  // The sound story once, then with the mistake: the same prompt, always the likeliest token.
  private async show(choice: Choice) {
    this.wanted = choice;
    if (this.busy) return; // who is at it goes on with what was chosen last
    this.busy = true;
    const prompt = this.querySelector<HTMLInputElement>('[name=prompt]')!.value || ' ';
    try {
      if (!this.sound) {
        await this.rung!.break(null);
        this.sound = await this.tell(prompt);
      }
      const { story, found, sound } = 'name' in choice ? await this.inAll(choice, prompt) : await this.inOne(choice, prompt);
      const quote = (title: string, text: string) => {
        const begins = text.startsWith(prompt);
        const words = begins ? [h('b', {}, prompt), text.slice(prompt.length)] : [text];
        return h('figure', {}, h('figcaption', {}, title), h('blockquote', {}, ...words));
      };
      this.shown.replaceChildren(
        h('p', {}, h('strong', {}, nameOf(choice)), `: ${'name' in choice ? choice.description : choice.sentence}.`),
        ...found.slice(0, 1),
        h('div', { class: 'beside' }, quote('as it should be', sound), quote('with the mistake', story)),
        ...found.slice(1),
      );
      this.said.textContent =
        story === sound ? 'The story is the same, word for word: only the numbers tell.' : '';
      this.dataset.shown = nameOf(choice);
    } catch (error) {
      this.said.textContent = lineOf(error);
    }
    this.busy = false;
    if (this.wanted !== choice) await this.show(this.wanted);
  }

  private async tell(prompt: string) {
    return prompt + (await this.rung!.generate(prompt, { temperature: 0, maxTokens: 40 })).text;
  }

  private async inAll(mistake: Mistake, prompt: string) {
    await this.rung!.break(mistake.name);
    const story = await this.tell(prompt),
      compared = await this.rung!.compare(prompt, { top: 5 });
    const next = h(
      'div',
      { class: 'beside' },
      bars(compared.sound, 'the next token, as it should be'),
      bars(compared.changed, 'with the mistake'),
    );
    return { story, sound: this.sound!, found: [h('div', {}, firstWrong(compared)), next] };
  }

  private async inOne(mistake: KnownMistake, prompt: string) {
    const [{ text: story }, { text: sound }] = [
      await this.rung!.storyWith(mistake, prompt),
      await this.rung!.storyWith({ exercise: mistake.exercise }, prompt), // of four bits, say: not pebble as it is
    ];
    return { story, sound, found: [h('div', {}, ...checked(await this.rung!.debug(mistake), mistake.page))] };
  }
}

function firstWrong({ firstWrong: tensor, where, patterns = [], differences }: Comparison) {
  if (!tensor || !where) return h('p', {}, 'No tensor of this text is wrong: that is how such a mistake stays unseen.');
  const head = where.head === undefined ? '' : `, head ${where.head}`,
    looks = patterns[0] ? ` Of the whole tensor: ${patterns[0]}.` : '';
  return h(
    'p',
    {},
    'The first tensor that is wrong: ',
    h('code', {}, tensor),
    `. ${farOff(differences)} First at token ${where.token}${head}, place ${where.index}: `,
    `${where.got?.toPrecision(4) ?? 'no number'} instead of ${where.expected.toPrecision(4)}.${looks}`,
  );
}

// What the check inside pebble says of a mistake in one function.
function checked({ checks: [check] }: Report, page: string) {
  const [name = '', anchor = ''] = page.split('#'),
    address = addressOf(name);
  address.hash = anchor;
  const link = [' ', h('a', { href: address.href }, 'The page about it'), '.'];
  if (check?.state !== 'failed') return [h('p', {}, 'A pass through pebble shows nothing wrong: it takes another text.', ...link)];
  const lines = [
    ['expected', check.expected],
    ['with the mistake', check.got],
  ].map(([words, text = '']) => h('figure', {}, h('figcaption', {}, words), h('pre', { tabindex: 0, 'aria-label': words }, text)));
  return [h('p', {}, check.title, '.', ...link), h('div', { class: 'beside' }, ...lines)];
}
customElements.define('rung-mistakes', Mistakes);
