// The numbers of the toys, and what pages say of pebble: recorded from the built program, the engine of web/dist/ and
// pebble's own files into src/data/toys/, a file a toy. native.json is what the tests of the toys compare with: it is
// on no page.
//   node tools/toydata.mjs [--check] [--rung PATH]      --check writes nothing and fails where a number is another one
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from '../../web/dist/index.js';
import { root } from '../src/plugins/source.mjs';
import { program } from './program.mjs';

const check = process.argv.includes('--check');
const folder = mkdtempSync(join(tmpdir(), 'rung-toys-'));
const pebble = join(root, 'models/pebble');

function rung(...args) {
  const run = spawnSync(program, args, { cwd: folder, encoding: 'utf8', input: '', maxBuffer: 1 << 28 });
  if (run.status !== 0) throw new Error(`rung ${args.join(' ')}: ${run.stderr || run.error}`);
  return run.stdout;
}
const json = (...args) => JSON.parse(rung(...args, '--json'));
const round = (x, digits = 6) => Number(x.toPrecision(digits));

// name → { shape, values } of a safetensors file of f32 or bf16.
function tensors(path) {
  const bytes = readFileSync(path),
    start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, start).toString());
  const value = {
    F32: (b, i) => b.readFloatLE(4 * i),
    BF16: (b, i) => bf16(b.readUInt16LE(2 * i)),
  };
  return Object.fromEntries(
    Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(
        ([
          name,
          {
            dtype,
            shape,
            data_offsets: [from, to],
          },
        ]) => {
          const part = bytes.subarray(start + from, start + to),
            width = dtype === 'F32' ? 4 : 2;
          return [
            name,
            {
              shape,
              bytes: part,
              values: Array.from({ length: part.length / width }, (_, i) => value[dtype](part, i)),
            },
          ];
        },
      ),
  );
}
function trace(text) {
  rung('trace', '--device', 'reference', '--out', 'trace.safetensors', text);
  return tensors(join(folder, 'trace.safetensors'));
}
const rowOf = ({ shape, values }, token) =>
  values.slice((token * values.length) / shape[0], ((token + 1) * values.length) / shape[0]);

const config = JSON.parse(readFileSync(join(pebble, 'config.json'), 'utf8'));
const weights = tensors(join(pebble, 'model.safetensors'));
const lantern = 'The fox gave the lantern to Mia. Mia has the';
const native = {};

// The list of merges in the order of their ranks. An id follows from it: three special tokens, the bytes, then what the
// merges make.
function merges() {
  const { vocab, merges } = JSON.parse(readFileSync(join(pebble, 'tokenizer.json'), 'utf8')).model;
  merges.forEach(([left, right], rank) => {
    if (vocab[left + right] !== 259 + rank) throw new Error(`merge ${rank} makes no token ${259 + rank}`);
  });
  native.merges = Object.fromEntries(
    ['lantern', 'The lantern', "Hello 🦊, it's 12 o'clock!", 'unbelievable'].map((text) => [
      text,
      { ids: json('tokenize', text).ids, ranks: json('tokenize', '--explain', text).merges.map((merge) => merge.rank) },
    ]),
  );
  return { merges: merges.map((pair) => pair.join(' ')).join('\n') };
}

// Thousandths, head by head, each row as long as it sees.
function heads() {
  const texts = [
    lantern,
    'Mia had a red ball. Tom had a blue kite. Mia lost the ball',
    'Once upon a time there was a shy owl. The owl',
  ];
  const recorded = texts.map((text) => {
    const { pieces, attention } = json('trace', '--device', 'reference', '--heads', text);
    const shares = Array.from({ length: config.num_hidden_layers }, () => []);
    for (const { layer, head, weights } of attention)
      shares[layer][head] = weights.map((row) => row.map((share) => Math.round(1000 * share)));
    return { text, pieces, shares };
  });
  return {
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    kvHeads: config.num_key_value_heads,
    texts: recorded,
  };
}

// A query of the last token and a key of an earlier one, before they are turned; native: the products after it.
function rope() {
  const tensors = trace(lantern),
    { pieces } = json('tokenize', lantern),
    d = config.head_dim,
    group = config.num_attention_heads / config.num_key_value_heads;
  const last = pieces.length - 1,
    key = pieces.findIndex((piece) => piece.includes('lantern'));
  const part = (name, token, head) => rowOf(tensors[name], token).slice(head * d, (head + 1) * d);
  native.rope = [];
  const cases = [
    [0, 0], // first the one where distance matters most
    [3, 2],
    [1, 1],
  ].map(([layer, head]) => {
    const product = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
    native.rope.push(
      round(
        product(
          part(`layer.${layer}.q_rope`, last, head),
          part(`layer.${layer}.k_rope`, key, Math.floor(head / group)),
        ),
      ),
    );
    return {
      layer,
      head,
      q: part(`layer.${layer}.q_norm`, last, head).map((x) => round(x)),
      k: part(`layer.${layer}.k_norm`, key, Math.floor(head / group)).map((x) => round(x)),
    };
  });
  return { theta: config.rope_theta, query: pieces[last], key: pieces[key], queryAt: last, keyAt: key, cases };
}

// The rows that the norms of the attention see, and what comes out.
function norm() {
  const tensors = trace(lantern),
    { pieces } = json('tokenize', lantern);
  const last = pieces.length - 1;
  native.norm = [];
  const rows = Array.from({ length: config.num_hidden_layers }, (_, layer) => {
    native.norm.push(rowOf(tensors[`layer.${layer}.attention_norm`], last).map((x) => round(x)));
    const x = rowOf(tensors[layer === 0 ? 'embedding' : `layer.${layer - 1}.output`], last);
    return { x: x.map((value) => round(value, 4)), w: weights[`model.layers.${layer}.input_layernorm.weight`].values };
  });
  return { epsilon: config.rms_norm_eps, token: pieces[last], rows };
}

function gate() {
  const tensors = trace(lantern),
    { pieces } = json('tokenize', lantern),
    last = pieces.length - 1;
  native.gate = [];
  const rows = Array.from({ length: config.num_hidden_layers }, (_, layer) => {
    native.gate.push(rowOf(tensors[`layer.${layer}.gated`], last).map((x) => round(x)));
    return Object.fromEntries(
      ['gate', 'up'].map((name) => [name, rowOf(tensors[`layer.${layer}.${name}`], last).map((x) => round(x, 4))]),
    );
  });
  return { token: pieces[last], rows };
}

// All logits, the highest first; the pieces of those that are ever shown, and the others' logits a little rounded.
function sampling() {
  native.sampling = [];
  const texts = ['There was a', 'Mia was', lantern].map((text) => {
    const { next } = json('logits', '--device', 'reference', '--top', String(config.vocab_size), text);
    native.sampling.push(next.slice(0, 12).map(({ probability }) => round(probability)));
    return {
      text,
      pieces: next.slice(0, 40).map(({ piece }) => piece),
      logits: next.map(({ logit }, i) => (i < 40 ? round(logit, 5) : Number(logit.toFixed(2)))),
    };
  });
  return { texts };
}

// What a token costs: each weight of a linear layer once, and q·k and times v for each key. native: operations that
// bench counts, two a multiplication.
function cache() {
  const { parameters, memory, ...model } = json('inspect');
  const matrices = Object.values(weights)
    .filter(({ shape }) => shape.length === 2)
    .reduce((sum, { values }) => sum + values.length, 0);
  const run = json(
    'bench',
    '--prompt-tokens',
    '32',
    '--contexts',
    '64',
    '--batches',
    '1',
    '--decode-tokens',
    '1',
    '--repeat',
    '1',
  ).decode;
  native.cache = {
    before: run.context,
    multiplications: Math.round((((run.gop_per_s * run.seconds) / run.tokens) * 1e9) / 2),
  };
  return {
    parameters,
    matrices,
    layers: model.layers,
    heads: model.heads,
    headDim: model.head_dim,
    hidden: model.hidden_size,
    vocabulary: model.vocab_size,
    cacheBytes: memory.kv_cache_per_token,
  };
}

// Blocks of 32 weights, as the bytes of their bf16; native: the blocks that `rung quantize` makes of them.
function block() {
  const name = 'model.layers.0.self_attn.q_proj.weight',
    inGguf = 'blk.0.attn_q.weight';
  const { values, bytes } = weights[name];
  const spread = (b) => {
    const x = values.slice(32 * b, 32 * b + 32).map(Math.abs);
    return Math.max(...x) / Math.sqrt(x.reduce((s, v) => s + v * v, 0) / 32);
  };
  const order = Array.from({ length: values.length / 32 }, (_, b) => b).sort((a, b) => spread(a) - spread(b));
  const chosen = [0, order.at(-1), order[0]]; // the first, the one with the wildest value, the calmest
  for (const [format, size] of [
    ['q8_0', 34],
    ['q4_0', 18],
  ]) {
    rung('quantize', pebble, `${format}.gguf`, '--to', format);
    const file = readFileSync(join(folder, `${format}.gguf`)),
      { offset } = gguf(file).tensors.find((tensor) => tensor.name === inGguf);
    native[format] = chosen.map((b) => file.subarray(offset + size * b, offset + size * (b + 1)).toString('hex'));
  }
  return {
    name,
    blocks: chosen.map((b) => ({ number: b, bf16: bytes.subarray(64 * b, 64 * b + 64).toString('hex') })),
  };
}

// A GGUF's header, field by field: { at, length, what, value }.
const typeNames = { 0: 'f32', 1: 'f16', 2: 'q4_0', 8: 'q8_0', 14: 'q6_k', 30: 'bf16' };
const kinds = ['u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'f32', 'bool', 'string', 'array', 'u64', 'i64', 'f64'];
function gguf(file) {
  let place = 0;
  const fields = [],
    metadata = {},
    tensors = [];
  const take = (length, what, value) => {
    fields.push({ at: place, length, what, value: String(value) });
    place += length;
    return value;
  };
  const u32 = (what, said) => {
    const n = file.readUInt32LE(place);
    take(4, what, said ? said(n) : n);
    return n;
  };
  const u64 = (what) => {
    const n = Number(file.readBigUInt64LE(place));
    take(8, what, n);
    return n;
  };
  const string = (what) => {
    const n = u64(`length of ${what}`);
    return take(n, what, file.subarray(place, place + n).toString());
  };
  const value = (kind, what) => {
    if (kind === 4) return u32(what);
    if (kind === 5) return take(4, what, file.readInt32LE(place));
    if (kind === 6) return take(4, what, round(file.readFloatLE(place)));
    if (kind === 7) return take(1, what, file[place] !== 0);
    if (kind === 8) return string(what);
    if (kind === 10) return u64(what);
    if (kind !== 9) throw new Error(`a GGUF value of kind ${kind}`);
    const inner = u32(`type of the elements of ${what}`, (n) => `${n} = ${kinds[n]}`),
      count = u64(`how many elements in ${what}`);
    return Array.from({ length: count }, (_, i) => value(inner, `element ${i} of ${what}`));
  };
  take(4, 'the letters GGUF', 'GGUF');
  u32('version of the format');
  const count = u64('how many tensors'),
    settings = u64('how many settings');
  for (let i = 0; i < settings; ++i) {
    const name = string('a setting’s name');
    const kind = u32(`type of ${name}`, (n) => `${n} = ${kinds[n]}`);
    metadata[name] = value(kind, name);
  }
  const infos = place;
  for (let i = 0; i < count; ++i) {
    const name = string('a tensor’s name'),
      dims = u32(`how many axes has ${name}`);
    const shape = Array.from({ length: dims }, (_, d) => u64(`axis ${d} of ${name}`));
    const type = u32(`type of ${name}`, (n) => `${n} = ${typeNames[n] ?? '?'}`);
    tensors.push({ name, shape, type, offset: u64(`where ${name} begins, from the start of the data`) });
  }
  const alignment = metadata['general.alignment'] ?? 32,
    data = Math.ceil(place / alignment) * alignment;
  take(data - place, `empty bytes, so that the data begin at a multiple of ${alignment}`, '');
  for (const tensor of tensors) tensor.offset += data;
  return { fields, metadata, tensors, infos, data };
}

function hex() {
  const file = readFileSync(join(folder, 'q8_0.gguf')),
    read = gguf(file);
  const window = (words, from, to) => ({
    words,
    at: from,
    hex: file.subarray(from, to).toString('hex'),
    fields: read.fields.filter((field) => field.at + field.length > from && field.at < to && field.length > 0),
  });
  const first = read.tensors.find((tensor) => tensor.offset === read.data);
  const parts = [
    window('the beginning: letters, counts, settings', 0, 352),
    window('where the list of tensors begins', read.infos - (read.infos % 16), read.infos - (read.infos % 16) + 192),
    window('where the numbers begin', read.data - 64, read.data + 128),
  ];
  for (let b = 0; b < 3; ++b) {
    // Q8_0: a scale and 32 codes
    const scale = read.data + 34 * b;
    parts[2].fields.push(
      {
        at: scale,
        length: 2,
        what: `scale of block ${b} of ${first.name}, f16`,
        value: String(round(f16(file.readUInt16LE(scale)))),
      },
      {
        at: scale + 2,
        length: 32,
        what: `32 codes of block ${b}, each one byte with a sign`,
        value: Array.from(new Int8Array(file.subarray(scale + 2, scale + 34))).join(' '),
      },
    );
  }
  native.hex = { size: file.length, metadata: json('inspect', '-m', 'q8_0.gguf', '--metadata').metadata };
  return { files: [{ name: 'pebble as GGUF (q8_0)', size: file.length, parts }, safetensorsParts()] };
}

function safetensorsParts() {
  const file = readFileSync(join(pebble, 'model.safetensors'));
  const json = Number(file.readBigUInt64LE(0)),
    data = 8 + json;
  const field = (at, length, what, value) => ({ at, length, what, value: String(value) });
  const part = (words, from, to, fields) => ({ words, at: from, hex: file.subarray(from, to).toString('hex'), fields });
  const beginning = part('the beginning', 0, 192, [
    field(0, 8, 'how many bytes of JSON follow, lowest byte first', json),
    field(8, 184, 'JSON: for each tensor its type, its shape, and where its bytes lie', `${file.subarray(8, 60)}…`),
  ]);
  const numbers = part('where the numbers begin', data - 64, data + 64, [
    field(data - 64, 64, 'the end of the JSON', file.subarray(data - 40, data)),
    ...Array.from({ length: 32 }, (_, i) =>
      field(data + 2 * i, 2, `number ${i} of the first tensor, bf16`, bf16(file.readUInt16LE(data + 2 * i))),
    ),
  ]);
  return { name: 'pebble as safetensors', size: file.length, parts: [beginning, numbers] };
}

function bf16(bits) {
  return new Float32Array(new Uint32Array([bits << 16]).buffer)[0];
}

function f16(bits) {
  const e = (bits >> 10) & 31,
    f = bits & 1023;
  return (bits & 0x8000 ? -1 : 1) * (e === 0 ? f * 2 ** -24 : (1 + f / 1024) * 2 ** (e - 15));
}

// The same but for the last digits: the reference device's sums are the machine's own.
function same(a, b) {
  if (typeof a === 'number' && typeof b === 'number')
    return Math.abs(a - b) <= (Number.isInteger(a) ? 1 : 1e-4 * Math.max(0.1, Math.abs(a)));
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return a === b;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => same(a[key], b[key]));
}

// What the toys show of a text that the reader types.
function own() {
  const text = 'The owl lost a blue kite. The owl',
    { pieces, attention } = json('trace', '--device', 'reference', '--heads', text);
  const { weights } = attention.find(({ layer, head }) => layer === 2 && head === 3),
    { next } = json('logits', '--device', 'reference', text);
  native.own = {
    text,
    pieces,
    layer: 2,
    head: 3,
    row: weights.at(-1).map((share) => round(share, 4)),
    next: next.map(({ piece, probability }) => [piece, round(probability)]),
  };
}

// The rows of the embedding that point most nearly the same way: {lantern: "·torch 0.59, …"}.
function embeddings() {
  const { vocab } = JSON.parse(readFileSync(join(pebble, 'tokenizer.json'), 'utf8')).model;
  const table = weights['model.embed_tokens.weight'],
    dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  const rows = Object.entries(vocab).map(([piece, id]) => {
    const row = rowOf(table, id);
    return { piece, row: row.map((x) => x / Math.sqrt(dot(row, row))) };
  });
  return Object.fromEntries(
    ['lantern', 'said', 'he', 'red', 'fox'].map((word) => {
      const { row } = rows.find(({ piece }) => piece === `Ġ${word}`);
      const nearest = rows.map((other) => [dot(row, other.row), other.piece]).sort(([a], [b]) => b - a);
      const said = nearest.slice(1, 4).map(([cosine, piece]) => `${piece.replace('Ġ', '·')} ${cosine.toFixed(2)}`);
      return [word, said.join(', ')];
    }),
  );
}

// What pebble says with a mistake in it.
async function mistakes() {
  const rung = await load();
  const told = async () =>
    (await rung.generate('Once upon a time there was a', { temperature: 0, maxTokens: 24 })).text.trim();
  const made = { none: await told() };
  for (const { name } of await rung.mistakes()) {
    await rung.break(name);
    made[name] = await told();
  }
  rung.close();
  return made;
}

let failed = 0;
own();
const made = {
  merges: merges(),
  heads: heads(),
  rope: rope(),
  norm: norm(),
  gate: gate(),
  sampling: sampling(),
  cache: cache(),
  block: block(),
  hex: hex(),
  embeddings: embeddings(),
  mistakes: await mistakes(),
  native,
};
for (const [name, data] of Object.entries(made)) {
  const path = join(root, `course/src/data/toys/${name}.json`);
  const before = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
  if (same(before, data)) continue;
  if (check) {
    failed++;
    console.log(`FAILED ${path}: the program says something else now (node tools/toydata.mjs, then read the diff)`);
    continue;
  }
  writeFileSync(path, JSON.stringify(data) + '\n');
  console.log(`written: ${path}`);
}
rmSync(folder, { recursive: true });
console.log(`${Object.keys(made).length - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
