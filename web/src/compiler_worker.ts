// The worker in which a learner's C++ becomes a module: clang and lld, which are WebAssembly themselves. Started once,
// and kept: their first start takes two seconds, each further one a fraction of that.
import { entry, fromHost, toCompile, toFindLines, toLink } from './clang.js';
import { packedFiles, type PackedFiles } from './packed.js';
import { hearEach, post, readText } from './port.js';

type Run = (words: string[], files: Record<string, unknown>, options: object) => Promise<Record<string, any>>;

/** The tool's files afterwards, and what it said; without `files` it failed. */
interface Done {
  files?: Record<string, any>;
  said: string;
}

const text = new TextDecoder();
const folder = new URL('./compiler/', import.meta.url);
let run: Run;
const given: Record<string, string | Uint8Array> = {};

async function use(words: string[], files: Record<string, unknown>, onProgress?: () => void): Promise<Done> {
  let said = '';
  const hear = (bytes: Uint8Array | null) => {
    if (bytes) said += text.decode(bytes);
  };
  try {
    const done = await run(words, files, { stdout: hear, stderr: hear, fetchProgress: onProgress ?? (() => {}) });
    return { files: done, said };
  } catch (error) {
    if ((error as { code?: number }).code === undefined) throw error; // not what the tool says: it was stopped
    return { said };
  }
}

/** What is fetched is told in bytes; then the tools start, once without work. */
async function start(files: PackedFiles, onProgress: (bytes: number) => void) {
  const file = await packedFiles(files, onProgress);
  (globalThis as any).fetchOfCompiler = file;
  const { runLLVM } = await import(/* @vite-ignore */ new URL('bundle.js', folder).href);
  run = runLLVM;
  const bytesOf = async (name: string) => new Uint8Array(await (await file(new URL(name, folder))).arrayBuffer());
  [given['learn.pch'], given['learn.h'], given['entry.h']] = await Promise.all([
    bytesOf('learn.pch'),
    readText(new URL('learn.h', folder)),
    readText(new URL('entry.h', folder)),
  ]);
  // Code that has run once is quick: better now than when somebody waits.
  const warm = {
    file: 'warm.cpp',
    source: 'int warm() { return 1; }\n',
    functionName: 'warm',
    signature: 'int()',
    base: 1 << 20,
  };
  await compile(warm);
}

interface ToCompile {
  file: string;
  source: string;
  functionName: string;
  signature: string;
  base: number;
}

async function compile({ file, source, functionName, signature, base }: ToCompile) {
  const sources = { ...given, [file]: source, 'entry.cpp': entry(file, functionName, signature) };
  const compiled = await use(toCompile, sources);
  if (!compiled.files) return { said: compiled.said };
  const linked = await use(toLink(base), { 'entry.o': compiled.files['entry.o'], from_host: fromHost.join('\n') });
  return { said: compiled.said + linked.said, module: linked.files?.['learner.wasm'] as Uint8Array | undefined };
}

// Offsets are told from the module's beginning; the symbolizer counts from that of its code section.
async function findLines({ module, offsets }: { module: Uint8Array; offsets: number[] }) {
  const code = codeSection(module);
  const { said } = await use(toFindLines(offsets.map((offset) => offset - code)), { 'learner.wasm': module });
  return said;
}

function codeSection(module: Uint8Array): number {
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = module[at++]!;
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
  };
  while (at < module.length) {
    const id = module[at++],
      bytes = number();
    if (id === 10) return at;
    at += bytes;
  }
  return at;
}

hearEach<{ id: number; verb: 'start' | 'compile' | 'lines' } & any>(async ({ id, verb, ...request }) => {
  try {
    let answer: unknown;
    if (verb === 'start') await start(request.files, (bytes) => post({ id, bytes }));
    else answer = verb === 'compile' ? await compile(request) : await findLines(request);
    post({ id, answer });
  } catch (error) {
    post({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
