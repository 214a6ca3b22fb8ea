// The worker: the engine, compiled to WebAssembly, and what carries requests to it and answers back.
import { hearEach, inNode, post } from './port.js';
import { Learner, type Surroundings } from './learner.js';
import type { ModelFile } from './types.js';

/** What emscripten makes of the engine (web/CMakeLists.txt). */
interface Engine {
  HEAPU8: Uint8Array;
  HEAPF32: Float32Array;
  _rung_call(request: number): number;
  _malloc(bytes: number): number;
  _free(at: number): void;
}

interface Request {
  id: number;
  request: Record<string, unknown>;
  files?: ModelFile[];
  module?: Uint8Array;
}

// Under Node the glue asks for what its older modules have, and for the bytes; a browser fetches them while it
// compiles.
async function start(): Promise<Engine> {
  const textAt = (at: number, bytes: number) => text.decode(engine.HEAPU8.slice(at >>> 0, (at >>> 0) + bytes));
  const onText = (at: number, bytes: number) => post({ id: current, text: textAt(at, bytes) });
  const onCase = (title: number, titleBytes: number, input: number, inputBytes: number) =>
    post({ id: current, trying: { title: textAt(title, titleBytes), input: textAt(input, inputBytes) } });
  const onFound = (at: number, bytes: number) => post({ id: current, found: JSON.parse(textAt(at, bytes)) });
  const onSurroundings = (memory: WebAssembly.Memory, table: WebAssembly.Table, room: number, bytes: number) => {
    const { _malloc: malloc, _free: free } = engine;
    surroundings = { memory, table, room: room >>> 0, bytes, malloc, free };
  };
  const options: Record<string, unknown> = {
    onText,
    onCase,
    onFound,
    onSurroundings,
    print: () => {},
    printErr: () => {},
  };
  if (inNode) {
    const [{ readFile }, { createRequire }] = await Promise.all([
      import('node:fs/promises' as string),
      import('node:module' as string),
    ]);
    Object.assign(globalThis, { require: createRequire(import.meta.url), __dirname: '.' });
    options.wasmBinary = await readFile(new URL('./rung.wasm', import.meta.url));
  }
  const { default: make } = await import(/* @vite-ignore */ new URL('./rung.mjs', import.meta.url).href);
  return make(options);
}

const text = new TextDecoder();
let current = 0; // the request at hand
let engine: Engine;
let surroundings: Surroundings | undefined; // of a learner's module; there once a model is loaded
const starting = start().then((made) => {
  engine = made;
});

function call(request: Record<string, unknown>): { answer?: unknown; error?: string; moved: ArrayBuffer[] } {
  const bytes = new TextEncoder().encode(JSON.stringify(request));
  const at = engine._malloc(bytes.length + 1) >>> 0;
  if (at === 0) return { error: 'there is no memory for this: a page may have 4 GB', moved: [] };
  engine.HEAPU8.set(bytes, at);
  engine.HEAPU8[at + bytes.length] = 0;
  const said = engine._rung_call(at) >>> 0;
  engine._free(at);
  const {
    answer,
    arrays = [],
    error,
  } = JSON.parse(text.decode(engine.HEAPU8.slice(said, engine.HEAPU8.indexOf(0, said))));
  const values = (arrays as [number, number][]).map(([place, count]) =>
    engine.HEAPF32.slice(place / 4, place / 4 + count),
  );
  return { answer: withArrays(answer, values), error, moved: values.map((array) => array.buffer as ArrayBuffer) };
}

// {"array": i} is the i-th.
function withArrays(value: any, arrays: Float32Array[]): any {
  if (value === null || typeof value !== 'object') return value;
  if (typeof value.array === 'number') return arrays[value.array];
  if (arrays.length > 0) for (const key of Object.keys(value)) value[key] = withArrays(value[key], arrays);
  return value;
}

// Files go into the engine's memory piece by piece, and are looked at where they lie.
async function copy(files: ModelFile[], progress: (done: number, all: number) => void) {
  const all = files.reduce((sum, file) => sum + file.data.size, 0);
  if (all > 1.9e9)
    throw new Error(
      `${files.length === 1 ? files[0]!.name : 'these files'}: ${(all / 1e9).toFixed(1)} GB, a page can hold 1.9 GB`,
    );
  const piece = 1 << 24,
    places = [];
  let done = 0;
  for (const { name, data } of files) {
    const at = engine._malloc(Math.max(1, data.size)) >>> 0;
    if (at === 0) throw new Error(`${name}: there is no memory for its ${(data.size / 1e6).toFixed(0)} MB`);
    for (let from = 0; from < data.size; from += piece) {
      const bytes = new Uint8Array(await data.slice(from, from + piece).arrayBuffer());
      engine.HEAPU8.set(bytes, at + from);
      progress((done += bytes.length), all);
    }
    places.push({ name, at, bytes: data.size });
  }
  return places;
}

async function answer({ id, request, files, module }: Request) {
  current = id;
  try {
    await starting;
    if (files) request = { ...request, files: await copy(files, (done, all) => post({ id, progress: [done, all] })) };
  } catch (error) {
    post({ id, error: (error as Error).message, dead: true });
    return;
  }
  const learner = module && surroundings && new Learner(surroundings, (text) => post({ id, printed: text }));
  try {
    if (learner) request = { ...request, slot: learner.enter(module) };
    const { answer, error, moved } = call(request);
    post({ id, answer, error }, moved);
  } catch (error) {
    // a trap: the engine's memory can no longer be trusted
    const stopped = learner?.stopped(error);
    const why = (error as Error).message ?? String(error);
    post({ id, error: stopped ? why : `the engine was stopped and starts anew: ${why}`, stopped, dead: true });
  }
}

hearEach(answer);
