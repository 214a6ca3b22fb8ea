// One worker of several that measure this machine at the same time: how fast it reads memory, and how fast it
// multiplies and adds. The two loops are a WebAssembly module that is put together here, byte by byte, since a loop in
// JavaScript would measure JavaScript.
const memoryPages = 512; // of 64 KiB: 32 MiB a worker, so that together they have more than the caches hold

// ---- The module (webassembly.github.io/spec: binary format) ----
const leb = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...leb(n >>> 7)]);
const signed = (n: number): number[] => (n >= -64 && n < 64 ? [n & 127] : [(n & 127) | 128, ...signed(n >> 7)]);
const section = (id: number, content: number[]): number[] => [id, ...leb(content.length), ...content];
const name = (words: string): number[] => [words.length, ...new TextEncoder().encode(words)];
const i32 = 0x7f;
const v128 = 0x7b;

// Instructions, as in the text format.
const simd = (code: number, ...rest: number[]): number[] => [0xfd, ...leb(code), ...rest];
const get = (local: number): number[] => [0x20, ...leb(local)];
const set = (local: number): number[] => [0x21, ...leb(local)];
const tee = (local: number): number[] => [0x22, ...leb(local)];
const i32Const = (n: number): number[] => [0x41, ...signed(n)];
const [loop, branchIf, end] = [[0x03, 0x40], [0x0d, 0], [0x0b]];
const [i32Add, i32LessThan] = [[0x6a], [0x48]];
const [xor, multiply, add, firstLane] = [simd(81), simd(230), simd(228), simd(27, 0)];
const load = (offset: number): number[] => simd(0, 4, ...leb(offset)); // aligned to 2⁴ bytes
const splat = (x: number): number[] => simd(12, ...new Uint8Array(new Float32Array([x, x, x, x]).buffer));

// (n) → a number, in which all registers are, else they would not be computed. Locals: 0 is n, 1 is i, from 2 on the
// registers.   before; loop { turn; i += step; if i < n, again }
function body(registers: number[], before: number[], turn: number[], step: number): number[] {
  const locals = [2, ...leb(1), i32, ...leb(Math.max(...registers) - 1), v128];
  const again = [...get(1), ...i32Const(step), ...i32Add, ...tee(1), ...get(0), ...i32LessThan, ...branchIf, ...end];
  const all = registers.flatMap((register, i) => [...get(register), ...(i > 0 ? xor : [])]);
  const code = [...locals, ...before, ...loop, ...turn, ...again, ...all, ...firstLane, ...end];
  return [...leb(code.length), ...code];
}
const from2 = (count: number): number[] => Array.from({ length: count }, (_, i) => 2 + i);

// register ^= 16 bytes of memory, eight times a turn
const reading = from2(8).flatMap((r, i) => [...get(r), ...get(1), ...load(16 * i), ...xor, ...set(r)]);
// register = register · 0.9999 + 0.25, twelve times: each waits for itself alone
const constants = [...splat(0.9999), ...set(14), ...splat(0.25), ...set(15)];
const computing = from2(12).flatMap((r) => [...get(r), ...get(14), ...multiply, ...get(15), ...add, ...set(r)]);

export const module = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, [1, 0x60, 1, i32, 1, i32]), // one type: i32 → i32
  ...section(3, [2, 0, 0]), // two functions of it
  ...section(5, [1, 0, ...leb(memoryPages)]),
  ...section(7, [3, ...name('read'), 0, 0, ...name('arithmetic'), 0, 1, ...name('memory'), 2, 0]),
  ...section(10, [2, ...body(from2(8), [], reading, 128), ...body(from2(14), constants, computing, 1)]),
]);

// ---- The measurement ----
export type What = 'read' | 'arithmetic';

// Bytes or operations a second. In short calls: only between calls a browser takes the faster code that it has made
// meanwhile.
export async function measure(what: What, milliseconds = 300): Promise<number> {
  const { instance } = (await WebAssembly.instantiate(module)) as unknown as WebAssembly.WebAssemblyInstantiatedSource;
  const { read, arithmetic, memory } = instance.exports as {
    read(n: number): number;
    arithmetic(n: number): number;
    memory: WebAssembly.Memory;
  };
  if (what === 'read') new Float64Array(memory.buffer).fill(1.5); // a page that nobody wrote to may not be there
  const size = memory.buffer.byteLength,
    turns = 10_000;
  const [call, work] = what === 'read' ? [() => read(size), size] : [() => arithmetic(turns), turns * 12 * 4 * 2];
  for (const warm = performance.now() + milliseconds / 3; performance.now() < warm;) call();
  let calls = 0,
    now = 0;
  const from = performance.now();
  do {
    for (let i = 0; i < (what === 'read' ? 1 : 20); ++i, ++calls) call();
    now = performance.now();
  } while (now < from + milliseconds);
  return ((work * calls) / (now - from)) * 1000;
}

if (typeof self !== 'undefined' && typeof document === 'undefined' && 'postMessage' in self) {
  self.onmessage = ({ data }: MessageEvent<What>) =>
    measure(data).then(
      (rate) => self.postMessage(rate),
      (error) => self.postMessage(String(error.message ?? error)),
    );
}
