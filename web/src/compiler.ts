// The compiler's door: `loadCompiler()` fetches it (30 MB, once: the browser keeps it) and starts it in a worker.
import type { CompiledExercise, Compiler, CompilerOptions, CompilerSize, Message, PlaceInCode } from './types.js';
import { isKept, type PackedFiles } from './packed.js';
import { readText, startWorker, type AnyWorker } from './port.js';
import { messagesOf, placesOf } from './messages.js';

interface Reply {
  id: number;
  answer?: any;
  error?: string;
  bytes?: number;
}

class Door implements Compiler {
  private waiting = new Map<
    number,
    { resolve(answer: any): void; reject(error: Error): void; bytes?: (n: number) => void }
  >();
  private nextId = 0;
  private gone?: Error;

  constructor(private readonly worker: AnyWorker<Reply>) {
    worker.listen(
      (reply) => this.hear(reply),
      (why) => this.lose(new Error(`the compiler stopped: ${why}`)),
    );
  }

  start(files: PackedFiles, onBytes: (bytes: number) => void): Promise<void> {
    return this.ask('start', { files }, onBytes);
  }

  async compile(source: string, exercise: CompiledExercise, base: number) {
    const { name, function: functionName, signature } = exercise;
    const file = `${name}.cpp`;
    const { said, module } = await this.ask('compile', { file, source, functionName, signature, base });
    const messages: Message[] = messagesOf(said, file, source, functionName);
    return { module: module as Uint8Array | undefined, messages, said: said as string };
  }

  async lines(module: Uint8Array, offsets: number[], exercise: { name: string }): Promise<PlaceInCode[]> {
    return offsets.length === 0 ? [] : placesOf(await this.ask('lines', { module, offsets }), `${exercise.name}.cpp`);
  }

  close() {
    this.lose(new Error('the compiler was closed'));
  }

  private ask(verb: string, fields: object, bytes?: (n: number) => void): Promise<any> {
    return new Promise((resolve, reject) => {
      if (this.gone) return reject(this.gone);
      const id = this.nextId++;
      this.waiting.set(id, { resolve, reject, ...(bytes ? { bytes } : {}) });
      this.worker.postMessage({ id, verb, ...fields });
    });
  }

  private hear(reply: Reply) {
    const waiting = this.waiting.get(reply.id);
    if (!waiting) return;
    if (reply.bytes !== undefined) return waiting.bytes?.(reply.bytes);
    this.waiting.delete(reply.id);
    if (reply.error === undefined) waiting.resolve(reply.answer);
    else waiting.reject(new Error(reply.error));
  }

  private lose(why: Error) {
    this.gone = why;
    this.worker.terminate();
    for (const { reject } of this.waiting.values()) reject(why);
    this.waiting.clear();
  }
}

interface Files {
  version: string;
  files: PackedFiles;
}
let listed: Promise<Files> | undefined; // read once

function filesJson(): Promise<Files> {
  listed ??= readText(new URL('./compiler/files.json', import.meta.url)).then(JSON.parse);
  listed.catch(() => (listed = undefined)); // another time it may be there
  return listed;
}

const toFetch = (files: PackedFiles) => Object.values(files).reduce((all, { packed }) => all + packed, 0);

/** How much there is to fetch; fetches next to nothing itself. */
export async function compilerSize(): Promise<CompilerSize> {
  const { version, files } = await filesJson();
  return { version, bytes: toFetch(files), kept: await isKept(files) };
}

/** Fetches the compiler and starts it in a worker of its own. Fails with an `Error` of one line. */
export async function loadCompiler({ onProgress }: CompilerOptions = {}): Promise<Compiler> {
  const { files } = await filesJson();
  const door = new Door(await startWorker<Reply>('compiler_worker.js'));
  let done = 0;
  try {
    await door.start(files, (bytes) => onProgress?.((done += bytes), toFetch(files)));
    return door;
  } catch (error) {
    door.close();
    throw error;
  }
}
