// The arithmetic of the toys, without a page around it: what tests hold against the native engine and the official
// answers.

// ---- M0: byte-pair encoding ----

// The byte alphabet of GPT-2: a byte that is a printable character is written as itself, the others as characters from
// 256 on.
export function byteAlphabet(): string[] {
  const printable = (b: number) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, b) => String.fromCodePoint(printable(b) ? b : next++));
}

const word = new RegExp(
  [
    /'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]/,
    /[^\r\n\p{L}\p{N}]?\p{L}+/u,
    /\p{N}/u,
    / ?[^\s\p{L}\p{N}]+[\r\n]*/u,
    /\s*[\r\n]+/,
    /\s+(?!\S)/,
    /\s+/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'gu',
);
// A text cut into words, inside which merges happen: pebble's expression, that of Qwen 2.
export const words = (text: string): string[] => text.normalize('NFC').match(word) ?? [];

// Of all neighbours the pair with the lowest rank, the leftmost of equals.
export function nextMerge(pieces: string[], ranks: Map<string, number>): { at: number; rank: number } | undefined {
  let best: { at: number; rank: number } | undefined;
  for (let at = 0; at + 1 < pieces.length; ++at) {
    const rank = ranks.get(`${pieces[at]} ${pieces[at + 1]}`);
    if (rank !== undefined && (!best || rank < best.rank)) best = { at, rank };
  }
  return best;
}

export const join = (pieces: string[], at: number): string[] => [
  ...pieces.slice(0, at),
  pieces[at] + pieces[at + 1],
  ...pieces.slice(at + 2),
];

// ---- M2: the forward pass ----

// Pair i of a head of d numbers is (x[i], x[i + d/2]), and turns by this angle from one position to the next.
export const ropeSpeed = (i: number, d: number, theta = 10000): number => theta ** ((-2 * i) / d);

export function rope(x: number[], position: number, theta = 10000): number[] {
  const half = x.length / 2,
    out = [...x];
  for (let i = 0; i < half; ++i) {
    const angle = position * ropeSpeed(i, x.length, theta),
      c = Math.cos(angle),
      s = Math.sin(angle);
    out[i] = x[i] * c - x[i + half] * s;
    out[i + half] = x[i + half] * c + x[i] * s;
  }
  return out;
}

export const dot = (a: number[], b: number[]): number => a.reduce((sum, x, i) => sum + x * b[i], 0);

export const rms = (x: number[], epsilon = 0): number => Math.sqrt(dot(x, x) / x.length + epsilon);

export const rmsNorm = (x: number[], w: number[], epsilon: number): number[] => {
  const size = rms(x, epsilon);
  return x.map((value, i) => (value / size) * w[i]);
};

export const silu = (x: number): number => x / (1 + Math.exp(-x));

// ---- M3: sampling ----

export interface Sampling {
  temperature: number;
  topK: number;
  topP: number;
  minP: number;
}

// Logits, the highest first → the probability of each; 0 where a rule has taken it away. transformers' order:
// temperature, top-k, top-p, min-p.
export function distribution(logits: number[], { temperature, topK, topP, minP }: Sampling): number[] {
  if (temperature === 0) return logits.map((_, i) => Number(i === 0));
  let weights = logits.map((logit) => Math.exp((logit - logits[0]) / temperature));
  if (topK > 0 && topK < logits.length) weights = weights.map((w, i) => (logits[i] < logits[topK - 1] ? 0 : w));
  if (topP < 1) {
    const total = weights.reduce((a, b) => a + b, 0);
    let before = 0; // what those likelier than this one have together
    weights = weights.map((w, i) => {
      const stays = i === 0 || before < topP * total;
      before += w;
      return stays ? w : 0;
    });
  }
  if (minP > 0) weights = weights.map((w) => (w < minP ? 0 : w));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / total);
}

// ---- M5: blocks of 32 ----

export interface Block {
  scale: number;
  codes: number[];
  values: number[];
}
const f32 = Math.fround;

// To the nearest half float, as a number. (What is too small or too large for one does not come up here.)
export function toF16(x: number): number {
  if (x === 0) return 0;
  const step = 2 ** Math.max(Math.floor(Math.log2(Math.abs(x))) - 10, -24);
  const scaled = x / step,
    floor = Math.floor(scaled),
    rest = scaled - floor;
  return (rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor) * step;
}

// value = scale·code, code from −127 to 127. Divided by the scale before it is rounded to f16, as the official program
// does.
export function quantizeQ8(x: number[], chosen?: number): Block {
  const scale = chosen ?? f32(Math.max(...x.map(Math.abs)) / 127),
    inverse = scale === 0 ? 0 : f32(1 / scale),
    kept = toF16(scale);
  const codes = x.map((value) => {
    const scaled = f32(value * inverse);
    return Math.sign(scaled) * Math.min(127, Math.floor(f32(Math.abs(scaled)) + 0.5)) + 0;
  });
  return { scale: kept, codes, values: codes.map((code) => f32(kept * code)) };
}

// value = scale·(code − 8), code from 0 to 15: the value farthest from zero gets code 0, where there is one code more.
export function quantizeQ4(x: number[], chosen?: number): Block {
  const farthest = x.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
  const scale = chosen ?? f32(farthest / -8),
    inverse = scale === 0 ? 0 : f32(1 / scale),
    kept = toF16(scale);
  const codes = x.map((value) => Math.max(0, Math.min(15, Math.trunc(f32(f32(value * inverse) + 8.5)))));
  return { scale: kept, codes, values: codes.map((code) => f32(kept * (code - 8))) };
}

// The root of the mean squared error, as a share of the values' own size.
export const relativeError = (x: number[], y: number[]): number =>
  Math.sqrt(
    x.reduce((sum, value, i) => sum + (value - y[i]) ** 2, 0) / x.reduce((sum, value) => sum + value * value, 0),
  );
