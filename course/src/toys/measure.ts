// One worker of several that measure this machine at the same time: how fast it reads memory, and how fast it multiplies and adds. The two loops are a WebAssembly module
// that is put together here, byte by byte, since a loop in JavaScript would measure JavaScript.
const memoryPages = 512; // of 64 KiB: 32 MiB a worker, so that together they have more than the caches hold

// ---- The module ----
const leb = (n: number): number[] => n < 128 ? [n] : [(n & 127) | 128, ...leb(n >>> 7)];
const signed = (n: number): number[] => n >= -64 && n < 64 ? [n & 127] : [(n & 127) | 128, ...signed(n >> 7)];
const section = (id: number, body: number[]): number[] => [id, ...leb(body.length), ...body];
const simd = (op: number): number[] => [0xfd, ...leb(op)];
const get = (i: number) => [0x20, ...leb(i)], set = (i: number) => [0x21, ...leb(i)], i32 = (n: number) => [0x41, ...signed(n)];
const f32x4 = (x: number): number[] => [...simd(12), ...Array.from({ length: 4 }, () => [...new Uint8Array(new Float32Array([x]).buffer)]).flat()];
const typeI32 = 0x7f, typeV128 = 0x7b;

// (n: i32) → i32: `turn` while i, local 1, is below n. What is added up in the last locals leaves as a number, else it would not be computed.
function body(registers: number, turn: (register: (i: number) => number) => number[], step: number): number[] {
  const register = (i: number) => 2 + i;
  const code = [2, ...leb(1), typeI32, ...leb(registers), typeV128,
    0x03, 0x40, ...turn(register), ...get(1), ...i32(step), 0x6a, 0x22, 1, ...get(0), 0x48, 0x0d, 0, 0x0b, // loop … i += step, br_if i < n
    ...get(register(0)), ...Array.from({ length: registers - 1 }, (_, i) => [...get(register(i + 1)), ...simd(81)]).flat(), // xor
    ...simd(27), 0, 0x0b]; // lane 0
  return [...leb(code.length), ...code];
}
const read = body(8, (register) => Array.from({ length: 8 }, (_, i) =>
  [...get(register(i)), ...get(1), ...simd(0), 4, ...leb(16 * i), ...simd(81), ...set(register(i))]).flat(), 128); // register ^= load
const arithmetic = body(12, (register) => Array.from({ length: 12 }, (_, i) =>
  [...get(register(i)), ...f32x4(0.9999), ...simd(230), ...f32x4(0.25), ...simd(228), ...set(register(i))]).flat(), 1); // register = register·c + d
const name = (words: string) => [words.length, ...new TextEncoder().encode(words)];
export const module = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
  ...section(1, [1, 0x60, 1, typeI32, 1, typeI32]), ...section(3, [2, 0, 0]), ...section(5, [1, 0, ...leb(memoryPages)]),
  ...section(7, [3, ...name('read'), 0, 0, ...name('arithmetic'), 0, 1, ...name('memory'), 2, 0]), ...section(10, [2, ...read, ...arithmetic])]);

// ---- The measurement ----
export type What = 'read' | 'arithmetic';

// Bytes or operations a second. In short calls: only between calls a browser takes the faster code that it has made meanwhile.
export async function measure(what: What, milliseconds = 300): Promise<number> {
  const { instance } = await WebAssembly.instantiate(module) as unknown as WebAssembly.WebAssemblyInstantiatedSource;
  const { read, arithmetic, memory } = instance.exports as { read(n: number): number; arithmetic(n: number): number; memory: WebAssembly.Memory };
  if (what === 'read') new Float64Array(memory.buffer).fill(1.5); // a page that nobody wrote to may not be there
  const size = memory.buffer.byteLength, turns = 10_000;
  const [call, work] = what === 'read' ? [() => read(size), size] : [() => arithmetic(turns), turns * 12 * 4 * 2];
  for (const warm = performance.now() + milliseconds / 3; performance.now() < warm;) call();
  let calls = 0, now = 0;
  const from = performance.now();
  do {
    for (let i = 0; i < (what === 'read' ? 1 : 20); ++i, ++calls) call();
    now = performance.now();
  } while (now < from + milliseconds);
  return work * calls / (now - from) * 1000;
}

if (typeof self !== 'undefined' && typeof document === 'undefined' && 'postMessage' in self) {
  self.onmessage = ({ data }: MessageEvent<What>) => measure(data).then((rate) => self.postMessage(rate), (error) => self.postMessage(String(error.message ?? error)));
}
