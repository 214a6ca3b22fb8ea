// The door, in Node: what it answers is what the program says (RUNG names it: build/release/src/cli/rung), and what
// goes wrong is one line.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, openAsBlob, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { load } from '../dist/index.js';

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../..');
const program = process.env.RUNG ?? join(root, 'build/release/src/cli/rung');
const native = (...words) =>
  JSON.parse(
    execFileSync(program, [...words, '--json'], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .at(-1),
  );
const text = 'The fox gave the lantern to Mia. Mia has the';

const rung = await load();
after(() => rung.close());

// An engine of one test, closed whatever happens there: one that is left open keeps the program waiting.
async function loadFor(test, model, options) {
  const own = await load(model, options);
  test.after(() => own.close());
  return own;
}

const close = (found, expected, most, words) =>
  assert.ok(Math.abs(found - expected) <= most, `${words}: ${found}, expected ${expected}`);

test('pebble is what it is', () => {
  const { name, layers, heads, kvHeads, headDim, hidden, vocabulary, device, kernels } = rung.model;
  assert.deepEqual(
    { name, layers, heads, kvHeads, headDim, hidden, vocabulary, device, kernels },
    {
      name: 'pebble',
      layers: 5,
      heads: 4,
      kvHeads: 2,
      headDim: 32,
      hidden: 192,
      vocabulary: 2048,
      device: 'reference',
      kernels: 'scalar',
    },
  );
});

test('tokens, and back', async () => {
  const tokens = await rung.tokenize('Hello, wörld 🦊');
  assert.deepEqual(
    tokens.map(({ id }) => id),
    native('tokenize', 'Hello, wörld 🦊').ids,
  );
  assert.equal(await rung.textOf(tokens.map(({ id }) => id)), 'Hello, wörld 🦊');
});

test("logits are the program's", async () => {
  const { top, logits } = await rung.logits(text, { top: 5 });
  const { next } = native('logits', '--device', 'reference', '--top', '5', text);
  assert.deepEqual(
    top.map(({ id }) => id),
    next.map(({ id }) => id),
  );
  for (const [i, one] of next.entries()) close(logits[one.id], one.logit, 1e-3, `logit ${i}`);
  assert.equal(logits.length, rung.model.vocabulary);
});

test("every tensor is the program's, by name, shape and size", async () => {
  const { tensors, attention, lens, tokens } = await rung.trace(text, {
    values: ['layer.2.q_rope'],
    attention: true,
    lens: 2,
  });
  const { checkpoints } = native('trace', '--device', 'reference', text);
  assert.deepEqual(
    tensors.map(({ name, shape, axes }) => ({ name, axes, shape })),
    checkpoints.map(({ name, shape, axes }) => ({ name, axes, shape })),
  );
  for (const [i, one] of checkpoints.entries()) close(tensors[i].rms, one.rms, 1e-4 * one.rms, one.name);
  assert.deepEqual(
    tensors.filter(({ values }) => values).map(({ name, values }) => [name, values.length]),
    [['layer.2.q_rope', tokens.length * 128]],
  );
  const maps = native('trace', '--device', 'reference', '--heads', text).attention;
  for (const { layer, head, weights } of maps) {
    const last = weights.at(-1),
      n = tokens.length;
    for (const [j, weight] of last.entries())
      close(attention[layer].weights[(head * n + n - 1) * n + j], weight, 1e-4, `layer ${layer} head ${head} key ${j}`);
  }
  assert.equal(lens.length, 6);
  const { top } = await rung.logits(text, { top: 2 });
  assert.deepEqual(
    lens
      .at(-1)
      .rows.at(-1)
      .map(({ id }) => id),
    top.map(({ id }) => id),
    'after the last layer the lens is the model',
  );
});

for (const device of ['reference', 'cpu']) {
  test(`the likeliest story on ${device}, in pieces`, async (t) => {
    const own = await loadFor(t, 'pebble', { device });
    let pieces = '';
    const told = await own.generate('Once upon a time', {
      temperature: 0,
      maxTokens: 100,
      onText: (piece) => {
        pieces += piece;
      },
    });
    assert.deepEqual(
      told.ids,
      native('generate', '--device', device, '--temperature', '0', '-n', '100', 'Once upon a time').ids,
    );
    assert.equal(pieces, told.text);
    const { logits } = await own.logits(text);
    for (const one of native('logits', '--device', 'reference', text).next)
      close(logits[one.id], one.logit, 1e-3, `${device}: logit ${one.id}`);
  });
}

test('the same seed, the same text as the program', async () => {
  const told = await rung.generate('One day', { temperature: 0.9, topP: 0.9, seed: 7, maxTokens: 40 });
  const { ids } = native(
    'generate',
    '--device',
    'reference',
    '--temperature',
    '0.9',
    '--top-p',
    '0.9',
    '--seed',
    '7',
    '-n',
    '40',
    'One day',
  );
  assert.deepEqual(told.ids, ids);
});

test('a head is switched off, and on again', async () => {
  const before = await rung.logits(text);
  await rung.switchOff([{ layer: 3, head: 1 }]);
  const { firstWrong, differences } = await rung.compare(text);
  assert.equal(firstWrong, 'layer.3.attention');
  assert.ok(differences.filter(({ layer }) => layer >= 0 && layer < 3).every(({ distance }) => distance === 0));
  await rung.switchOff([]);
  assert.deepEqual((await rung.logits(text)).logits, before.logits);
});

// tests/model/golden_test.cpp: where each is first seen; undefined: pebble has nothing that it could be seen in.
const first = {
  'norm-sum': 'layer.0.attention_norm',
  'norm-centred': 'layer.0.attention_norm',
  'norm-all-tokens': 'layer.0.attention_norm',
  'norm-weight': 'layer.0.attention_norm',
  'norm-epsilon': 'layer.0.attention_norm',
  'missing-qk-norm': 'layer.0.q_norm',
  'missing-final-norm': 'final_norm',
  'linear-transposed': 'layer.0.q',
  'rope-missing': 'layer.0.q_rope',
  'rope-pairing': 'layer.0.q_rope',
  'rope-backwards': 'layer.0.q_rope',
  'rope-in-place': 'layer.0.q_rope',
  'rope-position': 'layer.0.q_rope',
  'rope-frequencies': 'layer.0.q_rope',
  'rope-queries-only': 'layer.0.k_rope',
  'cache-position': 'layer.0.attention',
  'keys-values-swapped': 'layer.0.attention',
  'query-scale': 'layer.0.attention',
  'causal-mask': 'layer.0.attention',
  'mask-one-more': 'layer.0.attention',
  'mask-one-less': 'layer.0.attention',
  'softmax-axis': 'layer.0.attention',
  'gqa-grouping': 'layer.0.attention',
  'heads-transposed': 'layer.0.attention',
  'gate-up-swapped': 'layer.0.gated',
  'activation-missing': 'layer.0.gated',
  'activation-sigmoid': 'layer.0.gated',
  'activation-other': 'layer.0.gated',
  'residual-missing': 'layer.0.attention_residual',
  'residual-normed': 'layer.0.attention_residual',
  'embedding-scale': undefined,
  'linear-bias': undefined,
  'window-forgotten': undefined,
};
test("every classic mistake is first wrong where the engine's tests say", async () => {
  assert.deepEqual((await rung.mistakes()).map(({ name }) => name).sort(), Object.keys(first).sort());
  for (const [mistake, expected] of Object.entries(first)) {
    await rung.break(mistake);
    assert.equal((await rung.compare(text)).firstWrong, expected, mistake);
  }
  await rung.break(null);
  assert.equal((await rung.compare(text)).firstWrong, undefined);
});

test('a comparison names the first number that is off, and what it looks like', async () => {
  await rung.break('residual-missing');
  const { where, patterns } = await rung.compare(text);
  await rung.break(null);
  assert.equal(where.tensor, 'layer.0.attention_residual');
  assert.equal(where.layer, 0);
  assert.equal(where.token, 0);
  assert.equal(where.head, undefined);
  assert.notEqual(where.got, where.expected);
  assert.deepEqual(patterns.slice(0, 2), [
    'this is layer.0.attention_output, unchanged',
    'embedding is missing: added to what came out, it would be right',
  ]);
});

test("an exercise's mistake takes the learner's place", async () => {
  const all = await rung.exerciseMistakes();
  const mistake = all.find((one) => one.mistake === 'rope-backwards');
  assert.equal(mistake.exercise, 'm2-rope');
  const { checks } = await rung.debug(mistake);
  assert.equal(checks[0].where.tensor, 'layer.0.q_rope');
  assert.equal(checks[0].causes[0].id, 'rope-backwards');
  const sound = await rung.storyWith(null, text, { tokens: 20 }),
    told = await rung.storyWith(mistake, text, { tokens: 20 });
  assert.notEqual(told.text, sound.text);
  await assert.rejects(rung.debug({ exercise: 'm2-rope', mistake: 'typo' }), /^Error: m2-rope has no mistake 'typo'$/);
});

test('a story of 0 tokens goes on until it ends by itself, as 0 says everywhere', async () => {
  const { ids, ended } = await rung.storyWith(null, text, { tokens: 0 });
  assert.ok(ids.length > 40, 'more than where nothing is said');
  assert.equal(ended, undefined, 'something came');
  assert.deepEqual(ids, (await rung.generate(text, { temperature: 0, maxTokens: 0 })).ids);
});

const fileOf = async (path) => ({ name: basename(path), data: await openAsBlob(path) });

test('a GGUF, and a folder of safetensors', async (t) => {
  const place = mkdtempSync(join(tmpdir(), 'rung-')),
    path = join(place, 'small.gguf');
  after(() => rmSync(place, { recursive: true }));
  execFileSync(program, ['quantize', join(root, 'models/pebble'), '--to', 'q4_1', path]);
  for (const device of ['reference', 'cpu']) {
    const gguf = await loadFor(t, [await fileOf(path)], { device });
    const { ids } = await gguf.generate('Once upon a time', { temperature: 0, maxTokens: 40 });
    assert.deepEqual(
      ids,
      native('generate', '-m', path, '--device', device, '--temperature', '0', '-n', '40', 'Once upon a time').ids,
      device,
    );
  }
  const folder = join(root, 'models/pebble');
  const files = await Promise.all(
    readdirSync(folder)
      .filter((name) => /json|safetensors/.test(name))
      .map((name) => fileOf(join(folder, name))),
  );
  const again = await loadFor(t, files, { name: 'pebble of files' });
  assert.deepEqual((await again.logits(text)).logits, (await rung.logits(text)).logits);
});

test('what is wrong with files is one line', async () => {
  const fails = async (files, words) =>
    assert.rejects(
      load(files),
      (error) => error instanceof Error && words.test(error.message) && !error.message.includes('\n'),
    );
  await fails([], /^no files: expected a \.gguf/);
  await fails([{ name: 'photo.jpg', data: new Blob(['x']) }], /^photo\.jpg: expected a \.gguf/);
  await fails(
    [
      {
        name: 'broken.gguf',
        data: new Blob([readFileSync(join(root, 'tests/golden/models/llama-gguf/model.gguf')).subarray(0, 1000)]),
      },
    ],
    /^broken\.gguf: /,
  );
  // An axis of 2^32 and a little: a 32-bit memory must not take it for the little.
  const wide = readFileSync(join(root, 'tests/golden/models/llama-gguf/model.gguf')),
    name = 'token_embd.weight';
  wide.writeUInt32LE(1, wide.indexOf(name) + name.length + 4 + 4);
  await fails(
    [{ name: 'wide.gguf', data: new Blob([wide]) }],
    /^wide\.gguf: tensor 'token_embd\.weight' has an axis of 42949\d+, expected at most 4294967295$/,
  );
  await fails(
    [
      { name: 'a.json', data: new Blob(['{}']) },
      { name: 'b.json', data: new Blob(['{}']) },
    ],
    /^these files: no model lies in this folder/,
  );
  await fails([{ name: 'large.gguf', data: { size: 5e9 } }], /^large\.gguf: 5\.0 GB, a page can hold 1\.9 GB$/);
});

test('what is wrong with a request is one line, and the next one is answered', async () => {
  await assert.rejects(rung.logits(''), /^Error: the text is empty/);
  await assert.rejects(
    rung.trace('word '.repeat(400)),
    /^Error: the text has \d+ tokens, this page takes at most 256$/,
  );
  await assert.rejects(rung.switchOff([{ layer: 5, head: 0 }]), /^Error: layer 5: the model has layers 0 to 4$/);
  await assert.rejects(rung.break('typo'), /^Error: there is no mistake 'typo'$/);
  await assert.rejects(rung.generate('a', { temperature: -1 }), /temperature/);
  assert.equal((await rung.logits('Once upon a', { top: 1 })).top[0].text, ' time');
});

test('a story is stopped, and the engine lives on', async () => {
  const stop = new AbortController();
  await assert.rejects(
    rung.generate('Once', { maxTokens: 0, temperature: 1, seed: 1, signal: stop.signal, onText: () => stop.abort() }),
    { name: 'AbortError' },
  );
  assert.equal((await rung.logits('Once upon a', { top: 1 })).top[0].text, ' time');
});

test('what is stopped before it began, or while the engine starts anew, does not run', async () => {
  await assert.rejects(rung.generate('Once', { signal: AbortSignal.abort() }), { name: 'AbortError' });
  const first = new AbortController();
  const told = rung.generate('Once', { maxTokens: 0, signal: first.signal, onText: () => first.abort() });
  await assert.rejects(told, { name: 'AbortError' });
  const second = new AbortController();
  let heard = '';
  const again = rung.generate('Once', { signal: second.signal, onText: (text) => (heard += text) }); // the worker starts
  second.abort();
  await assert.rejects(again, { name: 'AbortError' });
  assert.equal((await rung.logits('Once upon a', { top: 1 })).top[0].text, ' time');
  assert.equal(heard, '');
});

test('after a trap the engine starts anew, with the same mistake', async () => {
  await rung.break('query-scale');
  // Inside the door: a file that lies where no memory is.
  await assert.rejects(
    rung.send({ verb: 'load', name: 'x', files: [{ name: 'x.gguf', at: 3e9, bytes: 1e6 }] }),
    /^Error: the engine was stopped and starts anew: /,
  );
  assert.equal((await rung.compare('Once upon a time')).firstWrong, 'layer.0.attention');
  await rung.break(null);
});

test('the same bits whatever the company: a text at once, and token by token', async (t) => {
  const own = await loadFor(t, 'pebble', { device: 'cpu' });
  const { ids, text: told } = await own.generate('Once upon a time', { temperature: 0, maxTokens: 20 });
  const again = await own.generate('Once upon a time' + told, { temperature: 0, maxTokens: 1 });
  const longer = await own.generate('Once upon a time', { temperature: 0, maxTokens: 21 });
  assert.equal(longer.ids.at(-1), again.ids[0]);
  assert.equal(ids.length, 20);
});
