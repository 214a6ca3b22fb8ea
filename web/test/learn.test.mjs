// Every exercise, as a page runs it: its beginning says not-yet, its solution passes all checks, every wrong solution
// fails at the check that it names. Two compilers and two engines work side by side.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { loadCompiler } from '../dist/compiler.js';
import { load } from '../dist/index.js';

// Node 24.19 ends ("allocations_.erase(addr) == 1") when it collects code of hundreds of modules in several threads.
setFlagsFromString('--no-wasm-code-gc');

const folder = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../../course/exercises');
const exercises = readdirSync(folder)
  .filter((name) => existsSync(join(folder, name, 'exercise.json')))
  .map((name) => ({ name, ...JSON.parse(readFileSync(join(folder, name, 'exercise.json'), 'utf8')) }))
  .filter(({ milestone }) => milestone !== 'M7'); // a Metal kernel: for the terminal alone

const lanes = await Promise.all(
  [0, 1].map(async () => {
    const [compiler, rung] = await Promise.all([loadCompiler(), load()]);
    return { compiler, rung };
  }),
);
after(() => lanes.forEach(({ compiler, rung }) => (compiler.close(), rung.close())));

// What a file comes to: 'passed', 'not-yet', or the check that failed.
async function outcome({ compiler, rung }, exercise, file) {
  const source = readFileSync(join(folder, exercise.name, file), 'utf8');
  const { module, messages, said } = await compiler.compile(source, exercise, rung.model.room);
  assert.ok(module, `${file} does not compile:\n${said}`);
  let running = '';
  try {
    const solution = { exercise: exercise.name, module };
    const { checks } = await rung.check(solution, { onText: (check) => (running = check) });
    const failed = checks.find(({ state }) => state !== 'passed' && state !== 'skipped');
    return { came: failed?.check ?? 'passed', messages, words: JSON.stringify(failed ?? '', null, 1) };
  } catch (error) {
    if (!error.stopped) throw error;
    const places = await compiler.lines(module, error.stopped.offsets, exercise);
    const words = `${error.message} ${JSON.stringify(places)}`;
    return { came: error.stopped.why === 'not-yet' ? 'not-yet' : running, messages, words };
  }
}

test('the engine knows the exercises that have a folder, and no others', async () => {
  assert.deepEqual((await lanes[0].rung.exercises()).sort(), exercises.map(({ name }) => name).sort());
});

describe('exercises', { concurrency: 2 }, () => {
  for (const exercise of exercises) {
    test(exercise.name, async () => {
      const lane = lanes.pop();
      try {
        const stub = await outcome(lane, exercise, 'stub.cpp');
        assert.equal(stub.came, 'not-yet', `stub.cpp: ${stub.words}`);
        assert.deepEqual(stub.messages, [], 'stub.cpp compiles without a warning');
        const solution = await outcome(lane, exercise, 'solution.cpp');
        assert.equal(solution.came, 'passed', `solution.cpp: ${solution.words}`);
        assert.deepEqual(solution.messages, [], 'solution.cpp compiles without a warning');
        for (const file of readdirSync(join(folder, exercise.name, 'wrong'))) {
          const expected = /^\/\/ fails: (\S+)/m.exec(readFileSync(join(folder, exercise.name, 'wrong', file), 'utf8'));
          const { came, words } = await outcome(lane, exercise, `wrong/${file}`);
          assert.equal(came, expected?.[1], `wrong/${file}: ${words}`);
        }
      } finally {
        lanes.push(lane);
      }
    });
  }
});
