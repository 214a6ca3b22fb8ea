// The door to the engine: `load()` starts a worker that runs it and hands out a `Rung` (types.ts says what that is).
//
//   import { load } from 'rung-engine';
//   const rung = await load();                                        // pebble, which comes with it
//   await rung.generate('Once upon a time', { temperature: 0, onText: (piece) => process.stdout.write(piece) });
//
// The worker answers one request after the other. When the machine stops it (a trap, no memory), it is thrown away:
// what it computed with can no longer be trusted. The next one opens the same model, with the same parts switched off.
import { startWorker, type AnyWorker } from './port.js';
import type {
  ExerciseMistake,
  GenerateOptions,
  LoadOptions,
  ModelFacts,
  ModelFile,
  Part,
  Report,
  RunOptions,
  Rung,
  Solution,
  Stopped,
  TraceOptions,
  TriedCase,
} from './types.js';
export type * from './types.js';

/** What goes to the worker: a request, or files to open first. */
interface Message {
  id: number;
  request: Record<string, unknown>;
  files?: ModelFile[];
  module?: Uint8Array;
}

/** What comes from it: an answer, an error, that it must be thrown away, or something on the way. */
interface Reply {
  id: number;
  answer?: unknown;
  error?: string;
  dead?: boolean;
  stopped?: Stopped;
  text?: string;
  printed?: string;
  trying?: TriedCase;
  found?: Report;
  progress?: [number, number];
}

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: Error): void;
  onText?: (piece: string) => void;
  onPrint?: (text: string) => void;
  onProgress?: (done: number, all: number) => void;
  /** The last case that was begun, of a check. */
  tried?: TriedCase;
  /** A check that has failed, before its causes are known: the answer, where the learner's code is stopped there. */
  found?: Report;
  /** Learners' code may run without end: without a sign of life it is stopped. */
  isWatched?: boolean;
  timer?: ReturnType<typeof setTimeout>;
}

// Milliseconds. A sign comes each time that the learner's function returns or the engine takes a step, at most twice a
// second.
const patience = 5_000;

/** What a call of learners' code fails with: `stopped` says more. */
class StoppedError extends Error {
  override name = 'StoppedError';
  constructor(readonly stopped: Stopped) {
    super(stopped.what);
  }
}

class Door implements Rung {
  model!: ModelFacts;
  private worker?: AnyWorker<Reply>;
  private waiting = new Map<number, Waiting>();
  private nextId = 0;
  private parts: Part[] = [];
  private mistake: string | null = null;
  private closed = false;

  constructor(
    private readonly name: string,
    private readonly files: ModelFile[],
    private readonly options: LoadOptions,
  ) {}

  async open(): Promise<void> {
    const worker = await startWorker<Reply>('worker.js');
    if (this.closed) {
      worker.terminate();
      return;
    }
    this.worker = worker;
    worker.listen(
      (reply) => this.hear(reply),
      (why) => this.lose(`the engine stopped: ${why}`),
    );
    const { device = 'reference', context = 0, onProgress } = this.options;
    // Node does not hand a blob of a file to another thread, but one of memory.
    const files =
      typeof Worker !== 'undefined'
        ? this.files
        : await Promise.all(
            this.files.map(async ({ name, data }) => ({
              name,
              data: data instanceof Blob ? new Blob([await data.arrayBuffer()]) : data,
            })),
          );
    this.model = (await this.send(
      { verb: 'load', name: this.name, device, context },
      { onProgress },
      files,
    )) as ModelFacts;
    if (this.parts.length > 0) await this.send({ verb: 'switchOff', parts: this.parts });
    if (this.mistake !== null) await this.send({ verb: 'break', mistake: this.mistake });
  }

  tokenize(text: string) {
    return this.ask('tokenize', { text }) as ReturnType<Rung['tokenize']>;
  }
  textOf(ids: number[]) {
    return this.ask('textOf', { ids }) as Promise<string>;
  }
  logits(text: string, options = {}) {
    return this.ask('logits', { text, ...options }) as ReturnType<Rung['logits']>;
  }
  trace(text: string, options: TraceOptions = {}) {
    return this.ask('trace', { text, ...options }) as ReturnType<Rung['trace']>;
  }
  compare(text: string, options = {}) {
    return this.ask('compare', { text, ...options }) as ReturnType<Rung['compare']>;
  }
  mistakes() {
    return this.ask('mistakes', {}) as ReturnType<Rung['mistakes']>;
  }
  measure() {
    return this.ask('measure', {}) as ReturnType<Rung['measure']>;
  }

  exercises() {
    return this.ask('exercises', {}) as Promise<string[]>;
  }
  check(solution: Solution, options: RunOptions = {}) {
    return this.tryOut('check', solution, {}, options) as ReturnType<Rung['check']>;
  }
  debug(solution: Solution | ExerciseMistake, options: RunOptions = {}) {
    return this.tryOut('debug', solution, {}, options) as ReturnType<Rung['debug']>;
  }
  storyWith(
    solution: Solution | ExerciseMistake | { exercise: string } | null,
    text: string,
    { tokens = 40, ...options }: RunOptions & { tokens?: number } = {},
  ) {
    return this.tryOut('storyWith', solution, { text, tokens }, options) as ReturnType<Rung['storyWith']>;
  }

  exerciseMistakes() {
    return this.ask('exerciseMistakes', {}) as ReturnType<Rung['exerciseMistakes']>;
  }

  private tryOut(
    verb: string,
    solution: Solution | ExerciseMistake | { exercise: string } | null,
    fields: object,
    { onText, onPrint, signal }: RunOptions,
  ) {
    const { exercise, module, mistake }: Partial<Solution & ExerciseMistake> = solution ?? {};
    const callbacks = { ...(onText && { onText }), ...(onPrint && { onPrint }), isWatched: true };
    return this.until(signal, () => this.ask(verb, { exercise, mistake, ...fields }, callbacks, module, signal));
  }

  async switchOff(parts: Part[]) {
    await this.ask('switchOff', { parts });
    this.parts = parts;
  }

  async break(mistake: string | null) {
    await this.ask('break', { mistake });
    this.mistake = mistake;
  }

  generate(text: string, options: GenerateOptions = {}) {
    const { onText, signal, ...settings } = options;
    const ask = () => this.ask('generate', { text, ...settings }, { onText }, undefined, signal);
    return this.until(signal, ask) as ReturnType<Rung['generate']>;
  }

  // The worker computes and hears nothing: whoever stops it ends it.
  private async until<Answer>(signal: AbortSignal | undefined, ask: () => Promise<Answer>): Promise<Answer> {
    signal?.throwIfAborted();
    const abort = () => this.lose(new DOMException('it was stopped', 'AbortError'));
    signal?.addEventListener('abort', abort);
    return ask().finally(() => signal?.removeEventListener('abort', abort));
  }

  close() {
    this.closed = true;
    this.lose('the engine was closed');
  }

  // A new worker, where the last one is gone.
  private async ask(
    verb: string,
    fields: object,
    callbacks: Partial<Waiting> = {},
    module?: Uint8Array,
    signal?: AbortSignal,
  ) {
    if (this.closed) throw new Error('the engine was closed');
    this.opening ??= this.worker
      ? undefined
      : this.open().finally(() => {
          this.opening = undefined;
        });
    await this.opening;
    signal?.throwIfAborted(); // while the worker started
    return this.send({ verb, ...fields }, callbacks, undefined, module);
  }
  private opening?: Promise<void>;

  private send(
    request: Record<string, unknown>,
    callbacks: Partial<Waiting> = {},
    files: ModelFile[] = [],
    module?: Uint8Array,
  ) {
    return new Promise<unknown>((resolve, reject) => {
      const message: Message = { id: this.nextId++, request };
      if (files.length > 0) message.files = files;
      if (module) message.module = module;
      const waiting: Waiting = { ...callbacks, resolve, reject };
      this.waiting.set(message.id, waiting);
      this.worker!.postMessage(message);
      this.watch(waiting);
    });
  }

  private watch(waiting: Waiting) {
    if (!waiting.isWatched) return;
    clearTimeout(waiting.timer);
    const words = `It was stopped after ${patience / 1000} seconds without an end: does a loop never stop?`;
    const stop = () => this.lose(new StoppedError({ why: 'endless', what: words, offsets: [], ...waiting.tried }));
    waiting.timer = setTimeout(stop, patience);
  }

  private hear(reply: Reply) {
    const waiting = this.waiting.get(reply.id);
    if (!waiting) return;
    if (reply.text !== undefined || reply.printed !== undefined || reply.trying || reply.found || reply.progress) {
      if (reply.text) waiting.onText?.(reply.text); // an empty one is a sign of life
      if (reply.printed) waiting.onPrint?.(reply.printed);
      if (reply.trying) waiting.tried = reply.trying;
      if (reply.found) waiting.found = reply.found;
      if (reply.progress) waiting.onProgress?.(...reply.progress);
      return this.watch(waiting);
    }
    this.waiting.delete(reply.id);
    clearTimeout(waiting.timer);
    if (reply.error === undefined) waiting.resolve(reply.answer);
    else if (reply.stopped) fail(waiting, new StoppedError({ ...reply.stopped, ...waiting.tried }));
    else fail(waiting, new Error(reply.error));
    if (reply.dead) this.lose('the engine started anew');
  }

  // The worker is gone, and whoever waits for it hears why.
  private lose(why: string | Error) {
    this.worker?.terminate();
    this.worker = undefined;
    const error = typeof why === 'string' ? new Error(why) : why;
    for (const waiting of this.waiting.values()) {
      clearTimeout(waiting.timer);
      fail(waiting, error);
    }
    this.waiting.clear();
  }
}

function fail(waiting: Waiting, error: Error) {
  if (waiting.found && error instanceof StoppedError) waiting.resolve(waiting.found);
  else waiting.reject(error);
}

/** Starts an engine in a worker and opens a model: pebble, or files (a `.gguf`, or a folder's). */
export async function load(model: 'pebble' | ModelFile[] = 'pebble', options: LoadOptions = {}): Promise<Rung> {
  const files = model === 'pebble' ? [] : model;
  const expected = 'expected a .gguf, or all files of a folder: config.json, tokenizer.json, model.safetensors';
  if (model !== 'pebble' && files.length === 0) throw new Error(`no files: ${expected}`);
  if (files.length === 1 && !files[0]!.name.endsWith('.gguf')) throw new Error(`${files[0]!.name}: ${expected}`);
  const name = model === 'pebble' ? 'pebble' : files.length === 1 ? files[0]!.name : (options.name ?? 'these files');
  const door = new Door(name, files, options);
  try {
    await door.open();
    return door;
  } catch (error) {
    door.close();
    throw error;
  }
}
