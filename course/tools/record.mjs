// Runs every command of the pages with the built program and compares what it prints with course/recorded/.
//   node tools/record.mjs [--accept] [--rung PATH]
// --accept keeps what was printed; without it a difference is a failure. A command for a model that `rung pull` brings
// is run where that model is.
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileOf } from '../src/plugins/recorded.mjs';
import { root, writtenPages } from '../src/plugins/source.mjs';
import { figures } from '../src/plugins/toys.mjs';
import { program } from './program.mjs';

const accept = process.argv.includes('--accept');

// Commands of ```run blocks, and of predict's `from`.
function commandsOf(text) {
  const found = [];
  for (const [, meta, body] of text.matchAll(/^```run *(.*)\n([^]*?)^```/gm)) {
    for (const command of body.trim().split('\n')) found.push({ command, shape: /\bshape\b/.test(meta) });
  }
  for (const [, command] of text.matchAll(/^```predict .*from='([^']*)'/gm)) found.push({ command, shape: false });
  return found;
}

const numbers = (text) => text.replace(/[\d.,]+/g, '#').replace(/ +/g, ' ');
const wanted = new Map();
for (const [, text] of writtenPages()) {
  for (const { command, shape } of commandsOf(text)) wanted.set(command, shape || wanted.get(command) || false);
}
for (const { lang, value } of Object.values(figures)) if (lang === 'run') wanted.set(value, false);

const folder = mkdtempSync(join(tmpdir(), 'rung-course-'));
// The model of a command, if it is a download that is not here.
function lacking(command) {
  const name = / -m ([a-z]\w*)(?= |$)/.exec(command)?.[1]; // a file has a dot, or a quantised pebble's name
  if (!name || name === 'pebble') return undefined;
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return existsSync(join(cache, 'rung', `${name}.gguf`)) ? undefined : name;
}

let failed = 0,
  skipped = 0;
for (const [command, shape] of wanted) {
  const model = lacking(command);
  if (model && existsSync(fileOf(command))) {
    // for ./check, which names what was skipped
    appendFileSync(join(root, 'build/course.counts'), '0 0 1\n');
    appendFileSync(join(root, 'build/course.skips'), `course ${command}\tneeds rung pull ${model}\n`);
    skipped++;
    continue;
  }
  if (!command.startsWith('rung ')) throw new Error(`"${command}": only rung is run`);
  const run = spawnSync('bash', ['-c', command], {
    cwd: folder,
    encoding: 'utf8',
    input: '',
    timeout: 120_000,
    env: {
      ...process.env,
      PATH: `${dirname(program)}:${process.env.PATH}`,
      NO_COLOR: '1',
      COLUMNS: '100',
      LC_ALL: 'C.UTF-8',
    },
  });
  if (run.status === 127) throw new Error(`${command}: ${run.stderr}`);
  const printed = `$ ${command}\n${run.stdout}${run.status === 0 ? '' : run.stderr}`;
  const path = fileOf(command);
  const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const same = shape && before ? numbers(before) === numbers(printed) : before === printed;
  if (same) continue;
  if (accept) {
    writeFileSync(path, printed);
    console.log(`accepted: ${command}`);
    continue;
  }
  failed++;
  console.log(`FAILED ${command}\n--- recorded\n${before}--- now\n${printed}`);
}
rmSync(folder, { recursive: true });
const kept = new Set([...wanted.keys()].map(fileOf));
for (const name of readdirSync(join(root, 'course/recorded'))) {
  const path = join(root, 'course/recorded', name);
  if (kept.has(path)) continue;
  if (accept) rmSync(path);
  else {
    failed++;
    console.log(`FAILED ${path}: no page runs this`);
  }
}
console.log(`${wanted.size - failed - skipped} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed ? 1 : 0);
