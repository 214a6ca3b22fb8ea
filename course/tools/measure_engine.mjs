// Measures what the pages say in numbers that depend on the machine, and writes src/data/measured.json.
//   node tools/measure_engine.mjs [--rung PATH] [--repeat N]
// On a quiet machine, after `rung pull smollm2`; some two minutes.
//   node tools/measure_engine.mjs --turns
// only how near decode comes to plain reading when the two take turns: on a busy machine, too, for both meet the
// others.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, version } from '../src/plugins/source.mjs';
import { program } from './program.mjs';

const at = process.argv.indexOf('--repeat');
const repeat = at > 0 ? process.argv[at + 1] : '5';
const file = join(root, 'course/src/data/measured.json');
const date = new Date().toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' });
const folder = mkdtempSync(join(tmpdir(), 'rung-measure-'));
const rung = (...args) =>
  execFileSync(program, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1e8 });
const bench = (...args) => JSON.parse(rung('bench', '--json', '--repeat', repeat, ...args));
// Three digits say what such a measurement is worth.
const digits = (x) =>
  (x >= 100 ? String(Math.round(x)) : String(Number(x.toPrecision(x >= 10 ? 2 : 3)))).replace(/\B(?=(\d{3})+$)/g, ',');
const percent = (x) => String(Math.round(100 * x));
const speed = (run) => digits(run.tokens_per_second);
const machineOf = (result) => {
  // with other work its speeds say little, and a page should say so
  const busy = loadavg()[0] > cpus().length + 1 ? ', busy with other work' : '';
  return `${result.threads} cores of an ${cpus()[0].model.trim()}, kernels ${result.kernels}${busy}`;
};
// Decode and as many bytes just read, one after the other, again and again. A machine that is moved about, as virtual
// ones are, reads now faster and now slower: of twelve runs the two ends.
const turns = () => {
  const runs = Array.from({ length: 12 }, () =>
    bench('-m', 'smollm2', '--prompt-tokens', '16', '--contexts', '64', '--batches', '1'),
  );
  const [slowest, fastest] = [(a, b) => a - b, (a, b) => b - a].map((order) => {
    const all = runs.map((run) => run.decodes[0].in_turns).sort((a, b) => order(a.read_gb_per_s, b.read_gb_per_s));
    const { gb_per_s, read_gb_per_s } = all[0];
    return {
      decode_gbs: gb_per_s.toFixed(1),
      read_gbs: read_gb_per_s.toFixed(1),
      percent: percent(gb_per_s / read_gb_per_s),
    };
  });
  return { machine: machineOf(runs[0]), date, version, slowest, fastest };
};
const write = (measured) => {
  writeFileSync(file, JSON.stringify(measured, null, 2) + '\n');
  console.log(JSON.stringify(measured, null, 2));
};

if (process.argv.includes('--turns')) {
  write({ ...JSON.parse(readFileSync(file, 'utf8')), turns: turns() });
  rmSync(folder, { recursive: true });
  process.exit();
}

const smollm2 = bench('-m', 'smollm2', '--prompt-tokens', '512', '--contexts', '64,1024', '--batches', '1,8');
const [near, far] = [64, 1024].map((context) =>
  smollm2.decodes.find((run) => run.context === context && run.batch === 1),
);
const eight = smollm2.decodes.find((run) => run.batch === 8);
const anew = bench(
  '-m',
  'smollm2',
  '--no-cache',
  '--prompt-tokens',
  '64',
  '--contexts',
  '64,256',
  '--batches',
  '1',
  '--decode-tokens',
  '4',
);
const [anewNear, anewFar] = [64, 256].map((context) => anew.decodes.find((run) => run.context === context));
const one = bench('-m', 'smollm2', '--threads', '1', '--prompt-tokens', '512', '--contexts', '64', '--batches', '1');

// What bits cost pebble, on stories of its own that it tells with the seeds 1 to 8.
let stories = '';
for (let seed = 1; seed <= 8; ++seed)
  stories +=
    'Once upon a time' +
    rung('generate', '--device', 'reference', '--seed', String(seed), '-n', '400', 'Once upon a time') +
    '\n';
writeFileSync(join(folder, 'stories.txt'), stories);
const formats = ['q8_0', 'q5_0', 'q4_0'];
for (const format of formats) rung('quantize', 'pebble', '--to', format, `${format}.gguf`);
const compared = JSON.parse(
  rung(
    'compare',
    'pebble@reference',
    ...formats.map((format) => `${format}.gguf`),
    '--device',
    'reference',
    '--json',
    'stories.txt',
  ),
);
const costs = Object.fromEntries(
  compared.models.map((model) => [model.model.replace(/.*\//, '').replace('.gguf', ''), model]),
);

const ceilings = smollm2.ceilings;
write({
  machine: machineOf(smollm2),
  date,
  version,
  how: 'node course/tools/measure_engine.mjs: rung bench, rung quantize, rung compare; medians',
  smollm2: {
    prefill: speed(smollm2.prefills[0]),
    prefill_gops: digits(smollm2.prefills[0].gop_per_s),
    prefill_peak_percent: percent(smollm2.prefills[0].gop_per_s / ceilings.int8_gop_per_s),
    decode: speed(near),
    prefill_times: digits(smollm2.prefills[0].tokens_per_second / near.tokens_per_second),
    decode_far: speed(far),
    decode_gbs: digits(near.gb_per_s),
    decode_gops: digits(near.gop_per_s),
    decode_mb: digits(near.bytes_per_token / 1e6),
    decode_far_mb: digits(far.bytes_per_token / 1e6),
    eight_together: speed(eight),
    eight_times: digits(eight.tokens_per_second / near.tokens_per_second),
    anew: speed(anewNear),
    anew_far: speed(anewFar),
    cache_times: digits(near.tokens_per_second / anewNear.tokens_per_second),
    one_thread_prefill: speed(one.prefills[0]),
    two_threads_times: digits(smollm2.prefills[0].tokens_per_second / one.prefills[0].tokens_per_second),
  },
  ceilings: {
    read_gbs: digits(ceilings.read_gb_per_s),
    int8_gops: digits(ceilings.int8_gop_per_s),
    f32_gflops: digits(ceilings.f32_gflop_per_s),
    ridge: digits(ceilings.int8_gop_per_s / ceilings.read_gb_per_s),
  },
  pebble: Object.fromEntries(
    formats.map((format) => [
      format,
      {
        mb: digits(costs[format].weight_bytes / 1e6),
        kl: String(Number(costs[format].divergence.value.toPrecision(2))),
        same: (100 * costs[format].same_first.value).toFixed(1),
      },
    ]),
  ),
  turns: turns(),
});
rmSync(folder, { recursive: true });
