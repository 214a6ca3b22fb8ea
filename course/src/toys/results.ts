// What came of a check: the compiler's words, the checks one after the other, stories side by side, the first place
// where a run leaves the reference.
import { addressOf } from './diary';
import type { Check, Fix, Message, PlaceInCode, Report, Solution } from './engine';
import { lineOf } from './engine';
import { button, h } from './parts';

const firstWords = 'Once upon a time';
const titles: Record<string, string> = {
  'by-hand': 'By hand',
  random: 'Random shapes',
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
};

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
  private lines = 0;

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
    const commands = `rung learn start my-rung\ncd my-rung\nrung learn check ${this.facts.name}`;
    this.said.replaceChildren(
      h(
        'li',
        { class: 'error' },
        `The compiler could not be started here: ${why}. It wants 32 MB once and half a gigabyte of memory, which a `,
        'phone may not have. At a terminal the same exercise needs neither:',
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
    if (before?.classList.contains('running')) before.replaceWith(this.line({ check: (before as HTMLElement).dataset.check!, state: 'passed' }));
    this.checks.append(this.line({ check: name, state: 'running' }));
  }

  stopped(running: string, what: string, places: PlaceInCode[], state: 'failed' | 'not-yet' = 'failed') {
    const calls = places.filter(({ line }, i) => places[i - 1]?.line !== line).slice(0, 4);
    const links = calls.flatMap(({ line, column }, i) => [
      i === 0 ? ' in ' : ', called from ',
      button(`line ${line}`, () => this.acts.goTo(line, column), { class: 'place' }),
    ]);
    const last = this.checks.lastElementChild;
    const line = this.line({ check: running || 'by-hand', state });
    line.append(h('p', {}, what, ...links));
    if (last?.classList.contains('running')) last.replaceWith(line);
    else this.checks.append(line);
  }

  report(report: Report, solution: Solution) {
    this.solution = solution;
    const done = report.checks.filter(({ check, state }) => check !== 'speed' || state !== 'skipped'); // most have no race
    this.checks.replaceChildren(...done.map((check) => this.whole(check)));
    const story = report.checks.find(({ story }) => story !== undefined);
    if (story) this.stories(story.story!, story.referenceStory ?? '');
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
    const rows: [string, string | undefined][] = [
      ['in', input],
      ['how', arithmetic],
      ['expected', expected],
      ['yours', got],
    ];
    const list = h('dl', {});
    for (const [name, text] of rows)
      if (text) list.append(h('dt', {}, name), h('dd', {}, h('pre', { tabindex: 0, 'aria-label': name }, text)));
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

  /** Theirs, and Rung's. */
  stories(theirs: string, sound: string) {
    const quote = (title: string, text: string) => h('figure', {}, h('figcaption', {}, title), h('blockquote', {}, text));
    const prompt = h('input', { name: 'prompt', value: firstWords, maxlength: 200, autocomplete: 'off' });
    const said = h('p', { class: 'note', role: 'status' }, theirs === sound ? 'The same, word for word.' : '');
    const tell = async (event: Event) => {
      event.preventDefault();
      said.textContent = 'pebble tells it twice …';
      await this.acts.tell(prompt.value || ' ').catch((error) => (said.textContent = lineOf(error)));
    };
    this.told.replaceChildren(
      h('div', { class: 'beside' }, quote(`with your ${this.facts.function}`, theirs), quote('with Rung’s', sound)),
      said,
      h('form', { class: 'row', onsubmit: (event) => void tell(event) }, h('label', {}, 'another that begins with ', prompt), h('button', {}, 'Tell')),
    );
  }

  /** Of the check inside pebble, whatever failed before it. */
  inside({ checks }: Report) {
    const lines = checks.map((check) => this.found(check));
    this.apart.replaceChildren(h('ol', { class: 'checks' }, ...lines));
  }
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
  return h('div', { class: 'causes' }, h('p', {}, causes.length > 1 ? 'Most likely, the first one first:' : 'Most likely:'), h('ul', {}, ...items));
}
