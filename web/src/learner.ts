// A learner's module inside the engine: it lies in the engine's memory, in a room that the engine keeps free for it,
// and is called through one place in the engine's table. What stops it stops the engine, whose memory may have been
// written over by then: whoever started the engine's worker throws it away.
import type { Stopped } from './types.js';

/** The engine, as a learner's module needs it. */
export interface Surroundings {
  memory: WebAssembly.Memory;
  table: WebAssembly.Table;
  /** Where the module may lie, and how many bytes there are. */
  room: number;
  bytes: number;
  malloc(bytes: number): number;
  free(at: number): void;
}

const text = new TextDecoder();
class NotYet extends Error {}

export class Learner {
  private errors = ''; // what the library says before it gives up: an index beyond a span

  constructor(
    private readonly engine: Surroundings,
    private readonly onPrint: (text: string) => void,
  ) {}

  /** Its place in the table: always a new one, since the engine's glue remembers what a place had. */
  enter(bytes: Uint8Array): number {
    const module = new WebAssembly.Module(bytes as BufferSource);
    const { exports } = new WebAssembly.Instance(module, {
      env: { memory: this.engine.memory, ...this.host() },
      wasi_snapshot_preview1: this.system(),
    }) as { exports: Record<string, any> };
    const used = exports.__heap_base.value - this.engine.room;
    if (used > this.engine.bytes)
      throw new NotYet(`your variables need ${Math.ceil(used / 1024)} KiB, and there are ${this.engine.bytes / 1024}`);
    exports.__wasm_call_ctors?.();
    const place = this.engine.table.grow(1);
    this.engine.table.set(place, exports.rung_exercise);
    return place;
  }

  /** Why it ended, if it was the learner's code that was running. */
  stopped(error: unknown): Stopped | undefined {
    if (error instanceof NotYet) return { why: 'not-yet', what: error.message, offsets: [] };
    const trap = error as Error;
    if (!(trap instanceof WebAssembly.RuntimeError || trap instanceof RangeError || trap instanceof Refused)) return;
    // Chromium and Node name a module as its file was, Firefox where it was made; the engine came from rung.wasm.
    const frames = (trap.stack ?? '').split('\n').filter((line) => /learner\.wasm|> WebAssembly\.Module/.test(line));
    const offsets = frames.flatMap((line) => {
      const at = /:(0x[0-9a-f]+)\)?\s*$/.exec(line);
      return at ? [Number(at[1])] : [];
    });
    const what = isDeep(offsets) ? withoutEnd : inWords(trap, this.errors);
    return { why: 'trap', what, offsets: offsets.slice(0, 8) };
  }

  private host() {
    return {
      rung_print: (at: number, bytes: number) => this.onPrint(this.textAt(at, bytes)),
      rung_not_yet: (at: number) => {
        const bytes = new Uint8Array(this.engine.memory.buffer);
        throw new NotYet(this.textAt(at, bytes.indexOf(0, at >>> 0) - (at >>> 0)));
      },
      rung_malloc: (bytes: number) => {
        const at = this.engine.malloc(bytes);
        if (at === 0) throw new Refused(`your code asks for more memory than there is: ${asked(bytes)}`);
        return at;
      },
      rung_free: (at: number) => this.engine.free(at),
    };
  }

  // Of the system there is one thing: to write, as printf and the library's last words do.
  private system() {
    const write = (file: number, pieces: number, count: number, written: number) => {
      const view = new DataView(this.engine.memory.buffer);
      let sum = 0;
      for (let i = 0; i < count; ++i) {
        const bytes = view.getUint32(pieces + 8 * i + 4, true);
        const piece = this.textAt(view.getUint32(pieces + 8 * i, true), bytes);
        if (file === 2) this.errors += piece;
        else this.onPrint(piece);
        sum += bytes;
      }
      view.setUint32(written, sum, true);
      return 0;
    };
    const others = (name: string | symbol) => () => {
      throw new Refused(`your code asks the system for ${String(name)}, and a page has no system`);
    };
    const known: Record<string, unknown> = {
      fd_write: write,
      fd_close: () => 0,
      fd_seek: () => 70,
      fd_fdstat_get: () => 0,
    };
    return new Proxy(known, { get: (_, name) => known[name as string] ?? others(name) }) as WebAssembly.ModuleImports;
  }

  private textAt(at: number, bytes: number): string {
    return text.decode(new Uint8Array(this.engine.memory.buffer, at >>> 0, bytes).slice());
  }
}

/** What their code asks for and cannot have. */
class Refused extends Error {}
const asked = (bytes: number) => (bytes < 0 ? 'did a size become less than zero?' : `${bytes} bytes at once`);

// A stack that is full ends anywhere: at first it writes over other things. The same few places again and again tell.
const isDeep = (offsets: number[]) => offsets.length > 7 && new Set(offsets.slice(0, 8)).size < 4;
const withoutEnd = 'a function calls itself without end, until the stack is full';

// What the library says before it gives up, in plain words. "…/array:277: libc++ Hardening assertion … failed: …" → its
// last part; where an index stands in it, compiler/pack.mjs has put it there.
function saidBefore(errors: string): string | undefined {
  const [, index, size, container] = /(\d+)\/(\d+) (span|vector|string|string_view|array)\s*$/.exec(errors) ?? [];
  if (container) {
    const signed = Number(index) | 0; // a size_t has 32 bits here
    const where = signed < 0 ? 'before the beginning' : 'beyond the end';
    return `index ${signed} is ${where} of a ${container} of ${size}`;
  }
  const assertion = /assertion .* failed: (.*)/.exec(errors)?.[1]?.trim();
  const other = /^(?:basic_)?(\w+)[^:]*::operator\[\]/.exec(assertion ?? '')?.[1];
  if (other) return `an index is beyond the end of a ${other}`;
  const thrown = /^(\w+) was thrown in -fno-exceptions mode/m.exec(errors)?.[1];
  if (thrown) return meanings[thrown] ?? `the library throws ${thrown}, and there are no exceptions here`;
  return assertion || errors.trim() || undefined;
}
const meanings: Record<string, string> = {
  length_error: 'a length beyond all bounds: did a size become less than zero?',
  bad_array_new_length: 'a length beyond all bounds: did a size become less than zero?',
  bad_alloc: 'your code asks for more memory than there is: did a size become less than zero?',
  out_of_range: 'a place beyond the end was asked for',
};

function inWords(error: Error, errors: string): string {
  const said = saidBefore(errors);
  if (said) return said;
  const known: [RegExp, string][] = [
    [/out of bounds|index out of bounds/, 'your code reads or writes where no memory is'],
    [/call stack|too much recursion/i, withoutEnd],
    [/divide by zero/, 'your code divides a whole number by zero'],
    [/unreachable/, 'your code came to a place that must not be reached: a function that ends without its return?'],
    [
      /unrepresentable|float.*(truncat|overflow)|integer overflow/i,
      'your code makes a whole number of one that is too large for it',
    ],
    [
      /indirect call|null function|signature mismatch/,
      'your code calls a function through a pointer that leads nowhere',
    ],
  ];
  return known.find(([what]) => what.test(error.message))?.[1] ?? error.message;
}
