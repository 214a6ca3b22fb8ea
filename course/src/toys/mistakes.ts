// The gallery: a classic mistake is made in the engine of this page, and told beside the sound one.
import { bars, farOff } from './draw';
import { addressOf } from './diary';
import {
  aWordPlease,
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

// Why pebble may show nothing of a mistake, by how the mistake's name begins.
const unseen: [begins: string, why: string][] = [
  ['embedding-scale', 'pebble does not scale its embedding'],
  ['linear-bias', 'pebble’s linear layers have no bias'],
  ['window-forgotten', 'pebble has no window, every layer looks back at everything'],
  ['m0-', 'it takes another text'],
  ['m1-', 'it takes another file'],
  [
    'm2-causal-mask row-of-tokens',
    'pebble reads a prompt at once, so that there are as many keys as tokens. It takes one that is read in parts',
  ],
  [
    'm2-logits rms-norm-epsilon',
    'pebble’s rows are so loud that ε is nothing beside their mean. It takes quieter ones',
  ],
  [
    'm2-rms-norm rms-norm-epsilon',
    'pebble’s rows are so loud that ε is nothing beside their mean. It takes quieter ones',
  ],
  ['m2-gqa', 'pebble has four heads and two key heads, and 4 / 2 is 2 again. It takes another model'],
  ['m2-', 'pebble’s scores are too small to show it. It takes another model, with larger ones'],
  ['m3-', 'it takes other logits'],
  ['m5-block divided-by-zero', 'pebble has no 32 weights that are all 0'],
  ['m4-', 'a story is one prompt that only goes on. It takes a second one, or a way back'],
  ['', 'it takes another text'],
];

interface Told {
  text: string;
  ended?: string;
}
interface Made {
  story: Told;
  sound: Told;
  wrong?: HTMLElement; // the first wrong tensor, if there is one
  more: HTMLElement[];
}

class Mistakes extends HTMLElement {
  private rung?: Rung;
  private said = h('p', { class: 'note', role: 'status' });
  private shown = h('div');
  private sound?: Told & { prompt: string };
  private busy = false;
  private wanted?: { choice: Choice }; // a new one for everything that is asked for

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
    // Several ways to make one mistake have one name, and the engine makes the first of them.
    const named = new Map(single.map((one) => [nameOf(one), one] as const).reverse());
    const once = single.filter((one) => named.get(nameOf(one)) === one);
    const all: Choice[] = [...whole, ...once];
    const select = h('select', { name: 'mistake', onchange: () => void this.show(all[select.selectedIndex]!) });
    const group = (label: string, options: string[]) =>
      select.append(h('optgroup', { label }, ...options.map((name) => new Option(name, name))));
    group('in the forward pass', whole.map(nameOf));
    for (const exercise of new Set(once.map(({ exercise }) => exercise)))
      group(`in exercise ${exercise}`, once.filter((one) => one.exercise === exercise).map(nameOf));
    return h(
      'form',
      {
        onsubmit: (event) => {
          event.preventDefault();
          void this.show(all[select.selectedIndex]!);
        },
      },
      h('label', {}, 'mistake ', select),
      h('label', {}, 'a story that begins with ', prompt),
      h('button', {}, 'Tell'),
    );
  }

  // The sound story once for a prompt, then with the mistake: always the likeliest token.
  private async show(choice: Choice) {
    const wanted = (this.wanted = { choice });
    if (this.busy) return; // who is at it goes on with what was asked for last
    this.busy = true;
    const prompt = this.querySelector<HTMLInputElement>('[name=prompt]')!.value;
    try {
      if (prompt.trim() === '') throw new Error(aWordPlease);
      const { story, sound, wrong, more } =
        'name' in choice ? await this.inAll(choice, prompt) : await this.inOne(choice, prompt);
      const isSame = story.text === sound.text && story.ended === sound.ended;
      const quote = (title: string, { text, ended }: Told) => {
        const begins = text.startsWith(prompt);
        const words = begins ? [h('b', {}, prompt), text.slice(prompt.length)] : [text];
        const end = ended && h('p', { class: 'quiet' }, `Here it ends: ${ended}.`);
        return h('figure', {}, h('figcaption', {}, title), h('blockquote', {}, ...words), end);
      };
      this.shown.replaceChildren(
        h('p', {}, h('strong', {}, nameOf(choice)), `: ${'name' in choice ? choice.description : choice.sentence}.`),
        wrong ?? h('p', {}, nothingWrong(choice, isSame), ...pageAbout(choice)),
        h('div', { class: 'beside' }, quote('as it should be', sound), quote('with the mistake', story)),
        ...more,
      );
      this.said.textContent = isSame && wrong ? 'The story is the same, word for word: only the numbers tell.' : '';
      this.dataset.shown = nameOf(choice);
    } catch (error) {
      this.shown.replaceChildren(); // it was about another
      this.said.textContent = lineOf(error);
    }
    this.busy = false;
    if (this.wanted !== wanted) await this.show(this.wanted.choice);
  }

  private async tell(prompt: string): Promise<Told> {
    return { text: prompt + (await this.rung!.generate(prompt, { temperature: 0, maxTokens: 40 })).text };
  }

  private async inAll(mistake: Mistake, prompt: string): Promise<Made> {
    if (this.sound?.prompt !== prompt) {
      await this.rung!.break(null);
      this.sound = { prompt, ...(await this.tell(prompt)) };
    }
    const { sound } = this;
    await this.rung!.break(mistake.name);
    const story = await this.tell(prompt),
      compared = await this.rung!.compare(prompt, { top: 5 });
    const next = h(
      'div',
      { class: 'beside' },
      bars(compared.sound, 'the next token, as it should be'),
      bars(compared.changed, 'with the mistake'),
    );
    return { story, sound, wrong: firstWrong(compared), more: [next] };
  }

  private async inOne(mistake: KnownMistake, prompt: string): Promise<Made> {
    const story = await this.rung!.storyWith(mistake, prompt),
      // of four bits, say: not pebble as it is
      sound = await this.rung!.storyWith({ exercise: mistake.exercise }, prompt);
    return { story, sound, wrong: checked(await this.rung!.debug(mistake), mistake), more: [] };
  }
}

function nothingWrong(choice: Choice, isSame: boolean) {
  const [, why] = unseen.find(([begins]) => nameOf(choice).startsWith(begins))!;
  return isSame ? `No tensor is wrong, and no word of the story: ${why}.` : 'No tensor is wrong: only the story tells.';
}

function firstWrong({ firstWrong: tensor, where, patterns = [], differences }: Comparison) {
  if (!tensor || !where) return undefined;
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
function checked({ checks: [check] }: Report, mistake: KnownMistake) {
  if (check?.state !== 'failed') return undefined;
  const lines = [
    ['expected', check.expected],
    ['with the mistake', check.got],
  ].map(([words, text = '']) =>
    h('figure', {}, h('figcaption', {}, words), h('pre', { tabindex: 0, 'aria-label': words }, text)),
  );
  return h('div', {}, h('p', {}, check.title, '.', ...pageAbout(mistake)), h('div', { class: 'beside' }, ...lines));
}

function pageAbout(choice: Choice) {
  if ('name' in choice) return [];
  const [name = '', anchor = ''] = choice.page.split('#'),
    address = addressOf(name);
  address.hash = anchor;
  return [' ', h('a', { href: address.href }, 'The page about it'), '.'];
}
customElements.define('rung-mistakes', Mistakes);
