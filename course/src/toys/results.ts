// What came of a check: the compiler's words, the checks one after the other, stories side by side, the first place
// where a run leaves the reference.
import { addressOf } from './diary';
import type { Check, Fix, Message, PlaceInCode, Report, Solution, Story } from './engine';
import { aWordPlease, lineOf } from './engine';
import { button, h } from './parts';

const firstWords = 'Once upon a time';
const notInPebble =
  'So pebble does not show it: on its text every number up to the logits is right. ' +
  'Go by the check that failed above, or let it tell its story.';
const titles: Record<string, string> = {
  'by-hand': 'By hand',
  random: 'Random cases',
  pebble: 'Inside pebble',
  story: 'The story',
  speed: 'The speed',
};
const states: Record<string, [mark: string, words: string]> = {
  running: ['…', 'running'],
  passed: ['✓', 'passed'],
  failed: ['✗', 'failed'],
  'not-yet': ['○', 'still to be written'],
  skipped: ['–', 'left out'],
  cut: ['✗', 'stopped'],
};

/** How a learner's code ended before its time. */
interface End {
  what?: string;
  /** The case that it was called with. */
  title?: string;
  input?: string;
  places?: PlaceInCode[];
}

interface Acts {
  goTo(line: number, column?: number): void;
  apply(fixes: Fix[]): void;
  tell(prompt: string): Promise<void>;
  debug(): Promise<void>;
}

export class Results {
  solution?: Solution;
  private said = h('ul', { class: 'messages' });
  private checks = h('ol', { class: 'checks' });
  private printed = h('pre', { class: 'printed', tabindex: 0, 'aria-label': 'what your code printed' });
  private printedBox = h('div', { hidden: true }, h('p', { class: 'quiet' }, 'What your code printed:'), this.printed);
  private told = h('div', { class: 'told' });
  private apart = h('div', { class: 'apart' });
  readonly element = h('div', { class: 'results' }, this.said, this.checks, this.printedBox, this.told, this.apart);
  private prompt = h('input', { name: 'prompt', value: firstWords, maxlength: 200, autocomplete: 'off' });
  private tellButton = h('button', {}, 'Tell');
  private storySaid = h('p', { class: 'note', role: 'status' });
  private beside = h('div', { class: 'beside' });
  private lines = 0;
  private telling = false;

  constructor(
    private readonly facts: { name: string; function: string },
    private readonly acts: Acts,
  ) {}

  clear() {
    this.solution = undefined;
    this.lines = 0;
    this.printedBox.hidden = true;
    for (const part of [this.said, this.checks, this.printed, this.told, this.apart]) part.replaceChildren();
  }

  messages(messages: Message[]) {
    this.said.replaceChildren(
      ...messages.slice(0, 12).map(({ line, column, severity, text, fixes }) => {
        const place = line > 0 && button(`line ${line}`, () => this.acts.goTo(line, column), { class: 'place' });
        const fix = fixes.length > 0 && button('Fix it', () => this.acts.apply(fixes), { class: 'fix' });
        return h('li', { class: severity }, h('strong', {}, severity), ' ', place, ` ${text} `, fix);
      }),
    );
  }

  /** The compiler could not be had: what the reader can do instead. */
  atTheTerminal(why: string) {
    const { name } = this.facts;
    const commands = `alias rung="$PWD/rung"\nrung learn start my-rung\ncd my-rung\nrung learn check ${name}`;
    this.said.replaceChildren(
      h(
        'li',
        { class: 'error' },
        `The compiler could not be started here: ${why}. It wants 32 MB once and half a gigabyte of memory, which a `,
        "phone may not have. At a terminal in the repository's folder the same exercise needs neither:",
        h('pre', { tabindex: 0, 'aria-label': 'commands' }, commands),
      ),
    );
  }

  print(text: string) {
    if (++this.lines > 200) return; // a loop prints faster than anyone reads
    this.printedBox.hidden = false;
    this.printed.append(text.endsWith('\n') ? text : `${text}\n`);
    if (this.lines === 200) this.printed.append('… and so on\n');
  }

  running(name: string) {
    const before = this.checks.lastElementChild;
    if (before?.classList.contains('running'))
      before.replaceWith(this.line({ check: (before as HTMLElement).dataset.check!, state: 'passed' }));
    this.checks.append(this.line({ check: name, state: 'running' }));
  }

  stopped(running: string, { what, title, input, places = [] }: End, state: 'failed' | 'not-yet' | 'cut') {
    const calls = places.filter(({ line }, i) => places[i - 1]?.line !== line).slice(0, 4);
    const links = calls.flatMap(({ line, column }, i) => [
      i === 0 ? ' in ' : ', called from ',
      button(`line ${line}`, () => this.acts.goTo(line, column), { class: 'place' }),
    ]);
    const last = this.checks.lastElementChild;
    const line = this.line({ check: running || 'by-hand', state, title: input && title });
    if (what) line.append(h('p', {}, what, ...links));
    if (input) line.append(texts([['in', input]]));
    if (last?.classList.contains('running')) last.replaceWith(line);
    else this.checks.append(line);
  }

  report(report: Report, solution: Solution) {
    this.solution = solution;
    // most have no race
    const done = report.checks.filter(({ check, state }) => check !== 'speed' || state !== 'skipped');
    this.checks.replaceChildren(...done.map((check) => this.whole(check)));
    const story = report.checks.find(({ story }) => story !== undefined);
    if (story) this.stories({ text: story.story! }, { text: story.referenceStory ?? '' });
  }

  private line({ check, state, title }: { check: string; state: string; title?: string }): HTMLLIElement {
    const [mark, words] = states[state]!;
    return h(
      'li',
      { class: state, 'data-check': check },
      h('span', { class: 'mark', 'aria-hidden': 'true' }, mark),
      h('strong', {}, titles[check] ?? check),
      `: ${words}`,
      title ? h('span', { class: 'quiet' }, ` (${title})`) : undefined,
    );
  }

  private whole(check: Check): HTMLLIElement {
    const line = this.found(check);
    if (check.state === 'failed') line.append(this.inPebble());
    return line;
  }

  private found(check: Check): HTMLLIElement {
    const line = this.line(check);
    if (check.state !== 'failed') return line;
    const { input, expected, got, arithmetic, causes = [] } = check;
    const list = texts([
      ['in', input],
      ['how', arithmetic],
      ['expected', expected],
      ['yours', got],
    ]);
    line.append(list, causesOf(causes));
    return line;
  }

  // What a mistake does to a whole model says more than a number: its story, and the first place that is wrong.
  private inPebble(): HTMLElement {
    const said = h('p', { class: 'note', role: 'status' });
    const acts: [words: string, act: () => Promise<void>][] = [
      ['Where does pebble first go wrong with it?', () => this.acts.debug()],
      ['Tell pebble’s story with it', () => this.acts.tell(firstWords)],
    ];
    const buttons = acts.map(([words, act]) => {
      const pressed = async () => {
        for (const one of buttons) one.disabled = true;
        said.textContent = 'pebble runs …';
        said.textContent = await act().then(() => '', lineOf);
        for (const one of buttons) one.disabled = false;
      };
      return button(words, () => void pressed(), { class: 'debug' });
    });
    return h('div', {}, h('div', { class: 'row' }, ...buttons), said);
  }

  /** Theirs, and Rung's. What was asked for, and where the keys are, stays as it is. */
  stories(theirs: Pick<Story, 'text' | 'ended'>, sound: Pick<Story, 'text' | 'ended'>) {
    const quote = (title: string, { text, ended }: Pick<Story, 'text' | 'ended'>) =>
      h(
        'figure',
        {},
        h('figcaption', {}, title),
        h('blockquote', {}, text),
        ended && h('p', { class: 'quiet' }, `Here it ends: ${ended}.`),
      );
    this.beside.replaceChildren(quote(`with your ${this.facts.function}`, theirs), quote('with Rung’s', sound));
    this.storySaid.textContent = theirs.text === sound.text ? 'The same, word for word.' : '';
    if (this.told.childElementCount > 0) return;
    this.prompt.value = firstWords;
    this.told.replaceChildren(
      this.beside,
      this.storySaid,
      h(
        'form',
        { class: 'row', onsubmit: (event) => void this.tell(event) },
        h('label', {}, 'another that begins with ', this.prompt),
        this.tellButton,
      ),
    );
  }

  private async tell(event: Event) {
    event.preventDefault();
    if (this.telling) return;
    const prompt = this.prompt.value;
    if (prompt.trim() === '') {
      this.storySaid.textContent = aWordPlease;
      this.prompt.focus();
      return;
    }
    this.telling = true;
    this.storySaid.textContent = 'pebble tells it twice …';
    await this.acts.tell(prompt).catch((error) => (this.storySaid.textContent = lineOf(error)));
    this.telling = false;
  }

  /** Of the check inside pebble, whatever failed before it. */
  inside({ checks }: Report) {
    const lines = checks.map((check) => this.found(check));
    if (checks.every(({ state }) => state === 'passed')) lines.at(-1)?.append(h('p', {}, notInPebble));
    this.apart.replaceChildren(h('ol', { class: 'checks' }, ...lines));
  }
}

// Named texts, one below the other.
function texts(rows: [name: string, text: string | undefined][]): HTMLElement {
  const list = h('dl', {});
  for (const [name, text] of rows)
    if (text) list.append(h('dt', {}, name), h('dd', {}, h('pre', { tabindex: 0, 'aria-label': name }, text)));
  return list;
}

// `code` of a sentence.
const withCode = (sentence: string): (Node | string)[] =>
  sentence.split('`').map((part, i) => (i % 2 === 1 ? h('code', {}, part) : part));

// The likeliest first, each with the page that explains it.
function causesOf(causes: { sentence: string; page: string }[]): HTMLElement {
  if (causes.length === 0) return h('div');
  const items = causes.slice(0, 3).map(({ sentence, page }) => {
    const [name, anchor] = page.split('#');
    const address = name ? addressOf(name) : undefined;
    if (address && anchor) address.hash = anchor;
    const words = h('li', {}, ...withCode(/[.!?]$/.test(sentence) ? sentence : `${sentence}.`), ' ');
    if (address) words.append(h('a', { href: address.href }, 'The page about it'));
    return words;
  });
  return h(
    'div',
    { class: 'causes' },
    h('p', {}, causes.length > 1 ? 'Most likely, the first one first:' : 'Most likely:'),
    h('ul', {}, ...items),
  );
}
