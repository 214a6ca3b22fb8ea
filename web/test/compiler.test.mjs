// The compiler's door: messages at their line with what would mend them, and whatever stops a learner's code named by
// line, while the engine lives on.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { loadCompiler } from '../dist/compiler.js';
import { load } from '../dist/index.js';

const exercise = {
  name: 'm2-rms-norm',
  function: 'rms_norm',
  signature: 'void(std::span<float> out, std::span<const float> x, std::span<const float> weight, float epsilon)',
};
const [compiler, rung] = await Promise.all([loadCompiler(), load()]);
after(() => (compiler.close(), rung.close()));

const head =
  '#include "learn.h"\nvoid rms_norm(std::span<float> out, std::span<const float> x, std::span<const float> weight, float epsilon) {\n';
const right =
  '  float sum = 0;\n  for (float v : x) sum += v * v;\n  float scale = 1 / std::sqrt(sum / x.size() + epsilon);\n' +
  '  for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i] * scale * weight[i];\n';
const compile = (source) => compiler.compile(source, exercise, rung.model.room);
async function run(body, options = {}) {
  const { module, said } = await compile(`${head}${body}}\n`);
  assert.ok(module, said);
  return { module, report: rung.check({ exercise: exercise.name, module }, options) };
}
// Where and why it was stopped. Lines of the body count from 3.
async function stop(body) {
  const { module, report } = await run(body);
  const error = await report.then(
    () => assert.fail('it was not stopped'),
    (error) => error,
  );
  assert.ok(error.stopped, error.stack);
  const [place] = await compiler.lines(module, error.stopped.offsets, exercise);
  return { why: error.stopped.why, words: error.message, line: place?.line };
}

test('an error stands at its line, with what would mend it', async () => {
  const { module, messages } = await compile(`${head}  float sum = 0\n${right.replace(/.*\n/, '')}}\n`);
  assert.equal(module, undefined);
  const [{ line, severity, text, fixes }] = messages;
  assert.deepEqual({ line, severity, text }, { line: 3, severity: 'error', text: "expected ';' at end of declaration" });
  assert.deepEqual(fixes, [{ line: 3, column: 16, endLine: 3, endColumn: 16, text: ';' }]);
});

test('a warning does not keep it from running', async () => {
  const { module, messages } = await compile(`${head}  int unused = 1;\n${right}}\n`);
  assert.ok(module);
  assert.deepEqual(messages.map(({ line, severity }) => [line, severity]), [[3, 'warning']]);
});

test('another name, another type, a function that is nowhere: said once, of the file', async () => {
  const said = async (source) => (await compile(source)).messages.filter(({ line }) => line === 0).map(({ text }) => text);
  const file = `${head}${right}}\n`;
  assert.deepEqual(await said(file.replace('void rms_norm', 'void norm')), [
    'your file has no function rms_norm: it is called by that name',
  ]);
  assert.match((await said(file.replace('float epsilon', 'double epsilon'))).join(), /^keep the signature of rms_norm: void\(/);
  assert.deepEqual(await said(file.replace('#include "learn.h"', '#include "learn.h"\nfloat half(float);').replace('float sum = 0', 'float sum = half(0)')), [
    'half(float) is declared, and called, but nothing says what it does',
  ]);
});

test('what it prints arrives', async () => {
  const printed = [];
  const { report } = await run(`  print("%zu numbers", x.size());\n${right}`, { onPrint: (text) => printed.push(text) });
  assert.equal((await report).passed, true);
  assert.equal(printed[0], '2 numbers');
});

test('what stops it is named by line, and the engine starts anew', async () => {
  const beyond = 'an index is beyond the end of a span';
  assert.deepEqual(await stop(`  out[0] = x[x.size()];\n${right}`), { why: 'trap', words: beyond, line: 3 });
  const divided = await stop(`  volatile int zero = 0;\n  out[0] = 5 / zero;\n${right}`);
  assert.deepEqual(divided, { why: 'trap', words: 'your code divides a whole number by zero', line: 4 });
  const { report } = await run(right);
  assert.equal((await report).passed, true);
});

test('a function that calls itself without end', async () => {
  const file =
    '#include "learn.h"\nfloat deep(const volatile float* p) {\n  volatile float a[50];\n  a[0] = *p;\n  return deep(a) + a[0];\n}\n' +
    `${head.replace(/.*\n/, '')}  out[0] = deep(x.data());\n${right}}\n`;
  const { module } = await compile(file);
  const error = await rung.check({ exercise: exercise.name, module }).catch((error) => error);
  assert.equal(error.message, 'a function calls itself without end, until the stack is full');
  const [place] = await compiler.lines(module, error.stopped.offsets, exercise);
  assert.ok(place.line >= 2 && place.line <= 6, `line ${place.line}`);
});

test('an endless loop is stopped, and the engine is there again', async () => {
  const stopped = await stop(`  volatile int zero = 0;\n  while (zero == 0) {}\n${right}`);
  assert.equal(stopped.why, 'endless');
  assert.match(stopped.words, /^it was stopped after 5 seconds without an end/);
  const { report } = await run(right);
  assert.equal((await report).passed, true);
});

test('an endless loop inside pebble is stopped as soon as one in a case', async () => {
  const checks = [];
  const body = `  static int calls = 0;\n  volatile int zero = 0;\n  if (++calls > 100) while (zero == 0) {}\n${right}`;
  const { report } = await run(body, { onText: (name) => checks.push(name) });
  const error = await report.catch((error) => error);
  assert.equal(checks.at(-1), 'pebble');
  assert.match(error.message, /^it was stopped after 5 seconds without an end/);
});

test('vectors and strings lie in the engine’s memory', async () => {
  const { report } = await run(
    `  std::vector<float> squares;\n  for (float v : x) squares.push_back(v * v);\n  std::string text = std::to_string(squares.size());\n` +
      `  if (text.empty()) return;\n${right.replace('for (float v : x) sum += v * v;', 'for (float v : squares) sum += v;')}`,
  );
  assert.equal((await report).passed, true);
});
