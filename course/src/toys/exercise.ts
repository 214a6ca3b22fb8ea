// An exercise: the reader's C++ is compiled in this page, checked, and put in the engine's place. Inside the element is
// what a reader without JavaScript gets: the beginning, hints, a solution.
import './exercise_style';
import { compiler, compilerSize } from './compiler';
import { note } from './diary';
import type { Editor } from './editor';
import {
  lineOf,
  load,
  type Compiled,
  type Compiler,
  type Message,
  type Report,
  type Rung,
  type Stopped,
} from './engine';
import { bytes, button, h } from './parts';
import { Results } from './results';
import { exported, keepAttempt, keepCode, change, read, take } from './work';

interface Facts {
  name: string;
  function: string;
  signature: string;
  title: string;
  page?: string;
}

class Exercise extends HTMLElement {
  private facts!: Facts;
  private stub = '';
  private editor?: Editor;
  private engine?: Promise<Rung>;
  private state = h('p', { class: 'note', role: 'status' });
  private progress = h('progress', { 'aria-label': 'the compiler on its way', max: 1, hidden: true });
  private stopButton = button('Stop', () => this.stopping?.abort(), { hidden: true });
  private stopping?: AbortController; // of the check that runs
  private checkButton = button('Check', () => void this.check(), {
    class: 'main',
    'aria-keyshortcuts': 'Control+Enter',
  });
  private attempts = h('select', { name: 'attempts', 'aria-label': 'earlier attempts' });
  private results!: Results;
  private busy = false;
  private kept = true;

  connectedCallback() {
    this.facts = { ...this.dataset } as unknown as Facts;
    this.classList.add('toy');
    this.stub = stubOf(this);
    const figure = this.querySelector(':scope > figure')!;
    const place = h('div', { class: 'editor' });
    this.results = new Results(this.facts, {
      goTo: (line, column) => this.editor?.goTo(line, column),
      apply: (fixes) => this.editor?.apply(fixes),
      tell: (prompt) => this.tellWith(prompt),
      debug: () => this.debug(),
    });
    figure.replaceWith(place, this.tools(), this.progress, this.state, this.results.element);
    this.help();
    this.append(this.files());
    void this.open(place);
  }

  // The script of the editor, then whatever else costs nothing.
  private async open(place: HTMLElement) {
    const { editorIn } = await import('./editor');
    const { name, title } = this.facts;
    this.editor = editorIn(place, {
      text: read(name)?.code || this.stub,
      label: `${title}: your file, ${name}.cpp`,
      changed: (text) => this.keep(text),
      check: () => void this.check(),
    });
    this.showAttempts();
    if (read(name)?.passed)
      this.say('Solved. You may write it anew at any time: what you have now stays among the attempts.');
    else await this.announce();
    place.addEventListener('focusin', () => void this.prepare(), { once: true });
    this.dataset.ready = '';
  }

  private async announce() {
    try {
      const { bytes: size, kept } = await compilerSize();
      this.kept = kept;
      if (!kept)
        this.say(`The first check brings a C++ compiler into this page: ${bytes(size)}, once. Your browser keeps it.`);
    } catch (error) {
      this.say(`The compiler is not there: ${lineOf(error)}`);
    }
  }

  // Whoever begins to write will check: what costs no network is made ready.
  private async prepare() {
    void this.engineHere().catch(() => {});
    if (this.kept) await compiler(undefined).catch(() => {});
  }

  private engineHere(): Promise<Rung> {
    this.engine ??= load().catch((error) => {
      this.engine = undefined;
      throw error;
    });
    return this.engine;
  }

  private keep(text: string) {
    if (!keepCode(this.facts.name, text)) this.say('This browser keeps nothing: export your file before you leave.');
  }

  // Where long code has moved it, and the first lines below it, out of the window: the keys stay in the editor.
  private showState() {
    const { top, bottom } = this.state.getBoundingClientRect();
    const covered = 104, // by the bars at the top of a narrow page
      below = 120;
    if (top < covered || bottom + below > innerHeight) this.state.scrollIntoView({ block: 'center' });
  }

  private say(words: string) {
    this.state.textContent = words;
  }

  private tools() {
    const again = button('Begin again', () => {
      this.editor?.replace(this.stub);
      this.editor?.mark([]);
      this.results.clear();
      this.say('Here is the beginning again. Ctrl-Z brings back what you had.');
    });
    const back = () => {
      const { attempts } = read(this.facts.name)!;
      const chosen = attempts[Number(this.attempts.value)];
      this.attempts.value = '';
      if (!chosen) return;
      this.editor?.replace(chosen.text);
      this.editor?.mark([]);
      this.results.clear();
      this.say('An earlier attempt, as it was: not checked now. Ctrl-Z brings back what you had.');
    };
    this.attempts.addEventListener('change', back);
    this.attempts.hidden = true;
    const keys = h('span', { class: 'quiet' }, 'Ctrl-Enter checks. Tab indents; Escape, then Tab leaves the editor.');
    return h('div', { class: 'row tools' }, this.checkButton, this.stopButton, again, this.attempts, keys);
  }

  private showAttempts() {
    const { attempts = [] } = read(this.facts.name) ?? {};
    this.attempts.hidden = attempts.length === 0;
    const words = (when: number) => new Date(when).toLocaleString([], { dateStyle: 'short', timeStyle: 'short' });
    const options = attempts.map(
      ({ when, state }, i) => new Option(`${words(when)}: ${inWords[state] ?? state}`, String(i)),
    );
    this.attempts.replaceChildren(new Option('earlier attempts', ''), ...options.reverse());
  }

  private async check() {
    if (this.busy || !this.editor) return;
    this.busy = true;
    this.stopping = undefined;
    this.checkButton.disabled = true;
    const text = this.editor.text;
    const first = (read(this.facts.name)?.attempts.length ?? 0) === 0;
    this.editor.mark([]);
    this.results.clear();
    let state = '';
    try {
      const compiled = await this.compile(text);
      if (compiled) state = compiled.module ? await this.run(compiled.module, first) : 'compile';
    } catch (error) {
      this.say(lineOf(error));
    }
    if (state) this.keepOutcome(text, state);
    this.showState();
    this.busy = false;
    this.checkButton.disabled = false;
    if (this.stopping?.signal.aborted) this.checkButton.focus(); // the button that had the keys is gone
    this.dataset.checked = String(Number(this.dataset.checked ?? 0) + 1);
  }

  private keepOutcome(text: string, state: string) {
    const { name, title } = this.facts;
    const before = read(name);
    keepAttempt(name, text, state);
    this.showAttempts();
    if (state !== 'passed') return;
    if (before?.solution) this.inDiary(`wrote ${title} after looking at the solution`, true);
  }

  private inDiary(said: string, right: boolean) {
    const { name, title } = this.facts;
    const ask = `Can you write “${title}” from the beginning, without looking?`;
    note(`exercise:${name}`, { page: `exercises/${name}`, ask, said, answer: '', right });
  }

  private async compile(text: string): Promise<Compiled | undefined> {
    let clang: Compiler, engine: Rung;
    try {
      this.say('The compiler starts …');
      this.showState();
      [clang, engine] = await Promise.all([
        compiler((done, all) => {
          this.progress.hidden = done >= all;
          this.progress.value = done / all;
          this.say(`The compiler is on its way: ${bytes(done)} of ${bytes(all)} …`);
        }),
        this.engineHere(),
      ]);
      this.kept = true;
    } catch (error) {
      this.progress.hidden = true;
      this.say('');
      this.results.atTheTerminal(lineOf(error));
      return undefined;
    }
    this.say('Compiling …');
    const began = performance.now();
    const compiled = await clang.compile(text, this.facts, engine.model.room);
    this.dataset.milliseconds = String(Math.round(performance.now() - began));
    this.editor!.mark(compiled.messages);
    this.results.messages(compiled.messages);
    if (!compiled.module) this.say(notCompiled(compiled.messages));
    return compiled;
  }

  // → 'passed', or the check that failed; '': it was stopped.
  private async run(module: Uint8Array, first: boolean): Promise<string> {
    const engine = await this.engineHere();
    const { signal } = (this.stopping = new AbortController());
    this.stopButton.hidden = false;
    let running = '';
    const onText = (name: string) => {
      running = name;
      this.results.running(name);
      this.say('Checking …');
    };
    try {
      const solution = { exercise: this.facts.name, module };
      const report = await engine.check(solution, { onText, onPrint: (text) => this.results.print(text), signal });
      this.results.report(report, solution);
      const failed = report.checks.find(({ state }) => state !== 'passed' && state !== 'skipped');
      this.say(failed ? (first ? `Not right yet, and ${notYet(true)}` : notYet(false)) : this.praise(report));
      return failed ? failed.check : 'passed';
    } catch (error) {
      const { stopped } = error as { stopped?: Stopped };
      if (!stopped && !signal.aborted) throw error;
      void this.engineHere().then((rung) => rung.exercises()); // it starts anew while the reader reads
      if (!stopped) {
        this.results.stopped(running, {}, 'cut');
        this.say('You stopped it. Nothing is known of this check.');
        return '';
      }
      await this.showStop(stopped, module, running, first);
      return stopped.why === 'not-yet' ? 'not-yet' : running || 'by-hand';
    } finally {
      this.stopButton.hidden = true;
    }
  }

  private async showStop(stopped: Stopped, module: Uint8Array, running: string, first: boolean) {
    if (stopped.why === 'not-yet') {
      this.results.stopped(running, { what: `${stopped.what} is still to be written.` }, 'not-yet');
      this.say(
        `It compiles. Now take not_yet away and write ${stopped.what}: that is the normal start. Then check again.`,
      );
      return;
    }
    const clang = await compiler(undefined);
    const places = await clang.lines(module, stopped.offsets, this.facts);
    const { title, input } = stopped;
    const isEndless = stopped.why === 'endless'; // what is said of it stands above
    this.results.stopped(
      running,
      { title, input, places, what: isEndless ? undefined : stopped.what },
      isEndless ? 'cut' : 'failed',
    );
    const [place] = places;
    if (place) {
      const { line, column } = place;
      this.editor!.mark([{ line, column, endColumn: column + 1, severity: 'error', text: stopped.what, fixes: [] }]);
    }
    const what = sentence(place ? stopped.what : capital(stopped.what));
    const lookAt = place ? 'the line' : 'what it was called with';
    const start = ` And that is the normal start: look at ${lookAt}, change one thing, check again.`;
    this.say(`${place ? `Line ${place.line}: ` : ''}${what}${first ? start : ''}`);
  }

  private praise(report: Report): string {
    const inside = report.checks.some(({ check, state }) => check === 'pebble' && state === 'passed');
    return inside ? 'All checks passed: pebble runs with your code.' : 'All checks passed.';
  }

  private async tellWith(prompt: string): Promise<void> {
    const solution = this.results.solution;
    if (!solution) throw new Error('Check your code first.');
    const engine = await this.engineHere();
    const { exercise } = solution; // Rung's function may make another pebble, too: of four bits, say
    const [theirs, sound] = [await engine.storyWith(solution, prompt), await engine.storyWith({ exercise }, prompt)];
    if (this.results.solution === solution) this.results.stories(theirs, sound); // else another check came in between
  }

  private async debug(): Promise<void> {
    const solution = this.results.solution;
    if (!solution) return;
    const engine = await this.engineHere();
    const report = await engine.debug(solution);
    if (this.results.solution === solution) this.results.inside(report);
  }

  // A hint is there when the one before was opened; the solution for whoever asks twice.
  private help() {
    const { name } = this.facts;
    const hints = [...this.querySelectorAll<HTMLDetailsElement>(':scope > details.hint')];
    const show = (opened: number) => hints.forEach((hint, i) => (hint.hidden = i > opened));
    show(read(name)?.hints ?? 0);
    hints.forEach((hint, i) =>
      hint.addEventListener('toggle', () => {
        const before = read(name)?.hints ?? 0;
        if (!hint.open || i < before) return;
        change(name, { hints: i + 1 });
        show(i + 1);
      }),
    );
    const solution = this.querySelector<HTMLDetailsElement>(':scope > details.solution')!;
    const summary = solution.querySelector('summary')!;
    if (read(name)?.solution) return;
    summary.addEventListener('click', (event) => {
      if (solution.open || read(name)?.solution) return;
      if (summary.dataset.sure === undefined) {
        event.preventDefault();
        summary.dataset.sure = '';
        summary.textContent =
          'A solution: really? Once more opens it, and in a day or later you are asked to write it from the beginning';
        return;
      }
      change(name, { solution: true });
      this.inDiary('looked at the solution', false);
    });
  }

  private files() {
    const save = button('Export all exercises as a file', () => {
      const link = h('a', { href: URL.createObjectURL(new Blob([exported()], { type: 'application/json' })) });
      link.download = 'rung-learn.json';
      link.click();
      URL.revokeObjectURL(link.href);
      this.say(
        'Exported as rung-learn.json. This page takes it in again, and so does a terminal: ' +
          'rung learn import rung-learn.json',
      );
    });
    const input = h('input', { type: 'file', accept: '.json,application/json' });
    input.addEventListener('change', async () => {
      try {
        const taken = take(await input.files![0].text());
        this.say(taken === 0 ? 'There is nothing in it that is not here already.' : `${taken} taken in.`);
        const code = read(this.facts.name)?.code;
        if (code && code !== this.editor?.text) this.editor?.replace(code);
        this.showAttempts();
      } catch (error) {
        this.say(lineOf(error));
      }
    });
    return h('p', { class: 'row files' }, save, h('label', {}, 'Take in a file: ', input));
  }
}

const inWords: Record<string, string> = {
  passed: 'passed',
  compile: 'did not compile',
  'not-yet': 'still to be written',
  'by-hand': 'a case by hand failed',
  random: 'a random case failed',
  pebble: 'wrong inside pebble',
  story: 'another story',
  kept: 'kept from another place',
};

const notYet = (first: boolean) =>
  first
    ? 'that is the normal start. Read what was expected and what came, change one thing, check again.'
    : 'Not yet. The first check that failed says the most.';

const capital = (words: string) => words[0]!.toUpperCase() + words.slice(1);
const sentence = (words: string) => (/[.?!]$/.test(words) ? words : `${words}.`);

function notCompiled(messages: Message[]): string {
  const errors = messages.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (!first) return 'It does not compile.';
  const more = errors.length > 1 ? ` The first of ${errors.length}: often the others go with it.` : '';
  const words = first.line > 0 ? `Line ${first.line}: ${first.text}` : capital(first.text);
  return `It does not compile. ${sentence(words)}${more}`;
}

// The code block's own button knows its text: a line ends in U+007F there.
function stubOf(exercise: HTMLElement): string {
  const code = exercise.querySelector<HTMLElement>(':scope > figure [data-code]')?.dataset.code;
  if (code === undefined) throw new Error('the exercise has no beginning');
  return `${code.replaceAll('\u007f', '\n')}\n`;
}

customElements.define('rung-exercise', Exercise);
