// The arithmetic of the toys against the official answers in tests/golden/ and against what the engine recorded in
// src/data/toys/native.json.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { root } from '../src/plugins/source.mjs';
import {
  byteAlphabet,
  distribution,
  dot,
  join,
  nextMerge,
  quantizeQ4,
  quantizeQ8,
  rms,
  rmsNorm,
  rope,
  silu,
  toF16,
  words,
} from '../src/toys/formulas.ts';

const json = (path) => JSON.parse(readFileSync(root + path, 'utf8'));
const data = (name) => json(`course/src/data/toys/${name}.json`);
const native = data('native');
function near(ours, theirs, bound, what) {
  const size = Math.max(...theirs.map(Math.abs));
  ours.forEach((x, i) =>
    assert.ok(Math.abs(x - theirs[i]) <= bound * size, `${what}, number ${i}: ${x}, not ${theirs[i]}`),
  );
}

test('merges happen in the order in which the engine explains them', () => {
  const ranks = new Map(
      data('merges')
        .merges.split('\n')
        .map((pair, rank) => [pair, rank]),
    ),
    alphabet = byteAlphabet();
  for (const [text, { ranks: expected }] of Object.entries(native.merges)) {
    const happened = [];
    for (const word of words(text)) {
      let pieces = [...new TextEncoder().encode(word)].map((byte) => alphabet[byte]);
      for (let merge = nextMerge(pieces, ranks); merge; merge = nextMerge(pieces, ranks)) {
        happened.push(merge.rank);
        pieces = join(pieces, merge.at);
      }
    }
    assert.deepEqual(happened, expected, text);
  }
});

test('RoPE: the product of the turned q and k is the engine’s, and depends on the distance alone', () => {
  const { cases, theta, queryAt, keyAt } = data('rope');
  cases.forEach(({ q, k }, i) => {
    const product = (a, b) => dot(rope(q, a, theta), rope(k, b, theta));
    near([product(queryAt, keyAt)], [native.rope[i]], 1e-4, `case ${i}`);
    near([product(queryAt + 40, keyAt + 40)], [native.rope[i]], 1e-4, `case ${i}, moved`);
    assert.notEqual(product(queryAt + 1, keyAt).toFixed(3), product(queryAt, keyAt).toFixed(3));
  });
});

test('RoPE: the numbers that its page tells of the toy are the toy’s', () => {
  const { cases, theta } = data('rope');
  const product = (layer, head, distance) => {
    const { q, k } = cases.find((one) => one.layer === Number(layer) && one.head === Number(head));
    return dot(rope(q, Number(distance), theta), rope(k, 0, theta));
  };
  const page = readFileSync(`${root}course/src/content/docs/m2-forward-pass.md`, 'utf8').replace(/\s+/g, ' ');
  const near =
    /In layer (\d+), head (\d+), .*?: at (\d+) tokens q·k is ([−\d.]+), at (\d+) it is ([−\d.]+), at (\d+) it is ([−\d.]+)\. /;
  const [, layer, head, ...pairs] = near.exec(page);
  for (const i of [0, 2, 4])
    assert.equal(product(layer, head, pairs[i]).toFixed(1).replace('-', '−'), pairs[i + 1], `at ${pairs[i]} tokens`);
  const stays =
    /choose layer (\d+), head (\d+)\. There it stays between (\d+) and (\d+) from distance (\d+) to (\d+)\./;
  const [, toldLayer, toldHead, low, high, from, to] = stays.exec(page);
  const all = Array.from({ length: to - from + 1 }, (_, i) => product(toldLayer, toldHead, Number(from) + i));
  assert.equal(Math.floor(Math.min(...all)), Number(low));
  assert.equal(Math.ceil(Math.max(...all)), Number(high));
});

test('RMSNorm: the rows of pebble come out as the engine’s, however loud they come in', () => {
  const { rows, epsilon } = data('norm');
  rows.forEach(({ x, w }, layer) => {
    near(rmsNorm(x, w, epsilon), native.norm[layer], 1e-3, `layer ${layer}`);
    near(
      rmsNorm(
        x.map((value) => 10 * value),
        w,
        epsilon,
      ),
      native.norm[layer],
      1e-3,
      `layer ${layer}, louder`,
    );
  });
  assert.equal(rms([3, 4]), Math.sqrt(12.5));
});

test('SwiGLU: the gated rows are the engine’s', () => {
  data('gate').rows.forEach(({ gate, up }, layer) =>
    near(
      gate.map((g, i) => silu(g) * up[i]),
      native.gate[layer],
      1e-3,
      `layer ${layer}`,
    ),
  );
});

test('sampling: shares without a rule are the engine’s', () => {
  data('sampling').texts.forEach(({ logits, text }, i) =>
    near(
      distribution(logits, { temperature: 1, topK: 0, topP: 1, minP: 0 }).slice(0, 12),
      native.sampling[i],
      1e-3,
      text,
    ),
  );
});

test('sampling: with temperature, top-k, top-p and min-p as transformers does it', () => {
  const { logits, cases } = json('tests/golden/sampling/cases.json');
  let compared = 0;
  for (const {
    logits: name,
    temperature,
    top_k: topK,
    top_p: topP,
    min_p: minP,
    repetition_penalty,
    ids,
    probabilities,
  } of cases) {
    if (repetition_penalty !== 1 || !['plain', 'peaked', 'steps', 'far apart'].includes(name)) continue;
    const what = JSON.stringify({ name, temperature, topK, topP, minP });
    const { values } = logits.find((one) => one.name === name),
      order = values.map((_, id) => id).sort((a, b) => values[b] - values[a] || a - b);
    const shares = distribution(
      order.map((id) => values[id]),
      { temperature, topK, topP, minP },
    );
    const kept = order
      .map((id, i) => [id, shares[i]])
      .filter(([, share]) => share > 1e-30)
      .sort(([a], [b]) => a - b);
    assert.deepEqual(
      kept.map(([id]) => id),
      ids.filter((_, i) => probabilities[i] > 1e-30),
      what,
    );
    near(
      kept.map(([, share]) => share),
      probabilities.filter((share) => share > 1e-30),
      1e-4,
      what,
    );
    compared++;
  }
  assert.ok(compared >= 40, `only ${compared} cases`);
});

for (const [name, size, quantize] of [
  ['q8_0', 34, quantizeQ8],
  ['q4_0', 18, quantizeQ4],
]) {
  test(`${name}: bit for bit the blocks of the official implementation`, () => {
    const file = readFileSync(`${root}tests/golden/quantize/values.f32`),
      blocks = readFileSync(`${root}tests/golden/quantize/${name}.blocks`);
    const values = new Float32Array(file.buffer, file.byteOffset, file.length / 4);
    let compared = 0;
    for (let b = 0; b < values.length / 32; ++b) {
      const x = [...values.slice(32 * b, 32 * b + 32)],
        theirs = blocks.subarray(size * b, size * (b + 1)),
        bits = theirs.readUInt16LE(0);
      const largest = Math.max(...x.map(Math.abs));
      if (!(largest > 1e-6 && largest < 1e4)) continue; // a toy has no blocks whose scale is no ordinary half float
      const { scale, codes } = quantize(x),
        f16 =
          (bits & 0x8000 ? -1 : 1) *
          (((bits >> 10) & 31) === 0
            ? (bits & 1023) * 2 ** -24
            : (1 + (bits & 1023) / 1024) * 2 ** (((bits >> 10) & 31) - 15));
      assert.equal(scale, f16, `block ${b}`);
      const their =
        name === 'q8_0'
          ? [...new Int8Array(theirs.buffer, theirs.byteOffset + 2, 32)]
          : Array.from({ length: 32 }, (_, i) => (i < 16 ? theirs[2 + i] & 15 : theirs[i - 14] >> 4));
      assert.deepEqual(codes, their, `block ${b}`);
      compared++;
    }
    assert.ok(compared > 100, `only ${compared} blocks`);
  });
}

test('a number becomes the nearest half float, ties to the even one', () => {
  for (const [x, half] of [
    [1, 1],
    [1 + 2 ** -11, 1],
    [1 + 3 * 2 ** -11, 1 + 2 ** -9],
    [-0.06738, -0.0673828125],
    [2 ** -24 * 0.6, 2 ** -24],
    [2 ** -26, 0],
  ])
    assert.equal(toF16(x), half, String(x));
});
