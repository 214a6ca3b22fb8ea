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
  const { why, offsets, title, input } = error.stopped;
  const [place] = await compiler.lines(module, offsets, exercise);
  return { why, words: error.message, line: place?.line, title, input };
}

test('an error stands at its line, with what would mend it', async () => {
  const { module, messages } = await compile(`${head}  float sum = 0\n${right.replace(/.*\n/, '')}}\n`);
  assert.equal(module, undefined);
  const [{ line, severity, text, fixes }] = messages;
  assert.deepEqual(
    { line, severity, text },
    { line: 3, severity: 'error', text: "expected ';' at end of declaration" },
  );
  assert.deepEqual(fixes, [{ line: 3, column: 16, endLine: 3, endColumn: 16, text: ';' }]);
});

test('what is proposed and not certain to mend it is left out', async () => {
  const fixes = async (line) =>
    (await compile(`${head}${line}\n${right}}\n`)).messages.map(({ fixes }) => fixes.map(({ text }) => text));
  assert.deepEqual(await fixes('  unsigned w = 7; w = w >> 4 - 8;'), [[], []], 'parentheses that keep the mistake');
  assert.deepEqual(
    await fixes('  float f = 1; std::uint8_t b[] = {f}; b[0] = 1;'),
    [[]],
    'a cast by a name of the library',
  );
  assert.deepEqual(await fixes('  if (std::size_t n = x.size()) ++n'), [[';']]);
  assert.deepEqual(await fixes('  const std::span<float>* p = &out; if (p.size() > 9) return;'), [['->']]);
  assert.deepEqual(await fixes('  out[0] = epsilom;'), [['epsilon']], 'a name of theirs, misspelt');
  assert.deepEqual(await fixes('  out[0] = std::sqrtt(2.0f);'), [[]], 'a name that does not stand there');
});

test('a warning does not keep it from running', async () => {
  const { module, messages } = await compile(`${head}  int unused = 1;\n${right}}\n`);
  assert.ok(module);
  assert.deepEqual(
    messages.map(({ line, severity }) => [line, severity]),
    [[3, 'warning']],
  );
});

test('another name, another type, a function that is nowhere: said once, of the file', async () => {
  const said = async (source) =>
    (await compile(source)).messages.filter(({ line }) => line === 0).map(({ text }) => text);
  const file = `${head}${right}}\n`;
  assert.deepEqual(await said(file.replace('void rms_norm', 'void norm')), [
    'your file has no function rms_norm: it is called by that name',
  ]);
  assert.match(
    (await said(file.replace('float epsilon', 'double epsilon'))).join(),
    /^keep the signature of rms_norm: void\(/,
  );
  assert.deepEqual(
    await said(
      file
        .replace('#include "learn.h"', '#include "learn.h"\nfloat half(float);')
        .replace('float sum = 0', 'float sum = half(0)'),
    ),
    ['half(float) is declared, and called, but nothing says what it does'],
  );
});

test('what it prints arrives', async () => {
  const printed = [];
  const { report } = await run(`  print("%zu numbers", x.size());\n${right}`, {
    onPrint: (text) => printed.push(text),
  });
  assert.equal((await report).passed, true);
  assert.equal(printed[0], '2 numbers');
});

test('what stops it is named by line, and the engine starts anew', async () => {
  const told = async (body) => {
    const { why, words, line } = await stop(`${body}\n${right}`);
    assert.equal(why, 'trap');
    return [line, words];
  };
  const huge = 'a length beyond all bounds: did a size become less than zero?';
  assert.deepEqual(await told('  out[0] = x[x.size()];'), [3, 'index 2 is beyond the end of a span of 2']);
  assert.deepEqual(await told('  int i = 0;\n  out[--i] = 1;'), [4, 'index -1 is before the beginning of a span of 2']);
  assert.deepEqual(await told('  std::vector<float> v(x.begin(), x.end());\n  out[0] = v[x.size() + 5];'), [
    4,
    'index 7 is beyond the end of a vector of 2',
  ]);
  assert.deepEqual(await told('  std::string_view word = "one";\n  out[0] = word[x.size() + 5];'), [
    4,
    'index 7 is beyond the end of a string_view of 3',
  ]);
  assert.deepEqual(await told('  volatile int zero = 0;\n  out[0] = 5 / zero;'), [
    4,
    'your code divides a whole number by zero',
  ]);
  assert.deepEqual(await told('  std::string s(x.size() - 3, \'a\');\n  print("%s", s.c_str());'), [3, huge]);
  assert.deepEqual(await told('  std::vector<float> v;\n  v.reserve(x.size() - 3);\n  print("%p", v.data());'), [
    4,
    huge,
  ]);
  assert.deepEqual(await told('  print("%d", std::string("one").at(x.size() + 5));'), [
    3,
    'a place beyond the end was asked for',
  ]);
  const [line, words] = await told(
    '  volatile std::size_t n = 4290000000u;\n  char* p = new char[n];\n  print("%p", p);',
  );
  assert.deepEqual(
    [line, words],
    [4, 'your code asks for more memory than there is: did a size become less than zero?'],
  );
  const [, tooMuch] = await told(
    '  volatile std::size_t n = 2200000000u;\n  void* p = std::malloc(n);\n  print("%p", p);',
  );
  assert.match(tooMuch, /^your code asks for more memory than there is/);
  const [, product] = await told(
    '  volatile std::size_t n = std::size_t{1} << 31;\n  void* p = std::calloc(n, 2);\n  print("%p", p);',
  );
  assert.match(product, /^your code asks for more memory than there is/);
  const { report } = await run(right);
  assert.equal((await report).passed, true);
});

test('what is stopped says in which case', async () => {
  const crash = '  volatile int zero = 0;\n  if (x.size() > 2) out[0] = 5 / zero;\n';
  const { title, input } = await stop(`${crash}${right}`);
  assert.match(title, /./);
  assert.match(input, /^x = \[.*, .*, .*\]/m);
  const loop = await stop(`  for (volatile int i = 0; i < 1;) {}\n${right}`);
  assert.match(loop.input, /^x = \[3, 4\]/m);
});

test('what is stopped while causes are sought has failed before, and that is told with its cause', async () => {
  const sum = `  float sum = 0;
  for (float v : x) sum += v * v;
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i] / std::sqrt(sum + epsilon) * weight[i];
`;
  const ends = [
    'volatile int zero = 0; out[0] = 5 / zero;',
    'for (volatile int i = 0; i < 1;) {}',
    'not_yet("of more");',
  ];
  for (const end of ends) {
    const { report } = await run(`${sum}  if (x.size() != 2) { ${end} }`);
    const { passed, checks } = await report;
    assert.equal(passed, false);
    assert.deepEqual(
      checks.map(({ check, state, title, got }) => [check, state, title, got]),
      [['by-hand', 'failed', 'two numbers, weights of 1', 'out = [0.6, 0.8]']],
    );
    assert.equal(checks[0].causes[0].id, 'rms-norm-sum');
  }
  assert.equal((await (await run(right)).report).passed, true);
});

test('a check that is stopped by its reader ends at once, and the next one is answered', async () => {
  const stopping = new AbortController();
  const { report } = await run(`  for (volatile int i = 0; i < 1;) {}\n${right}`, {
    signal: stopping.signal,
    onText: () => stopping.abort(),
  });
  await assert.rejects(report, { name: 'AbortError' });
  assert.equal((await (await run(right)).report).passed, true);
});

test('a story is told beside that of Rung’s own function, which does the same', async () => {
  const text = 'Once upon a time';
  const fourBits = { exercise: 'm1-q4-0' };
  assert.notEqual((await rung.storyWith(fourBits, text)).text, (await rung.storyWith(null, text)).text);
  const { module } = await compile(`${head}${right}}\n`);
  const mine = await rung.storyWith({ exercise: exercise.name, module }, text);
  assert.deepEqual(mine, await rung.storyWith({ exercise: exercise.name }, text));
  assert.equal(mine.ended, undefined);
  const ends = async (value) => {
    const { module } = await compile(`${head}  for (float& o : out) o = ${value};\n}\n`);
    return rung.storyWith({ exercise: exercise.name, module }, text);
  };
  assert.deepEqual(await ends('NAN'), { text, ids: [], ended: 'the model gave nan as the logit of token 0' });
  assert.deepEqual(await ends('0'), {
    text,
    ids: [],
    ended: 'all tokens have the same score, and the first of them is the one that ends a story',
  });
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
  assert.match(stopped.words, /^It was stopped after 5 seconds without an end/);
  const { report } = await run(right);
  assert.equal((await report).passed, true);
});

test('an endless loop inside pebble is stopped as soon as one in a case', async () => {
  const checks = [];
  const body = `  static int calls = 0;\n  volatile int zero = 0;\n  if (++calls > 100) while (zero == 0) {}\n${right}`;
  const { report } = await run(body, { onText: (name) => checks.push(name) });
  const error = await report.catch((error) => error);
  assert.equal(checks.at(-1), 'pebble');
  assert.match(error.message, /^It was stopped after 5 seconds without an end/);
});

test('vectors and strings lie in the engine’s memory', async () => {
  const { report } = await run(
    `  std::vector<float> squares;\n  for (float v : x) squares.push_back(v * v);\n  std::string text = std::to_string(squares.size());\n` +
      `  if (text.empty()) return;\n${right.replace('for (float v : x) sum += v * v;', 'for (float v : squares) sum += v;')}`,
  );
  assert.equal((await report).passed, true);
});

// The library asks for memory in ways of its own: std::stable_sort by a new that does not throw.
test('whatever asks for memory is given the engine’s', async () => {
  const sorted =
    '  std::vector<float> by_size(x.begin(), x.end());\n  by_size.resize(4096);\n' +
    '  std::stable_sort(by_size.begin(), by_size.end(), [](float a, float b) { return a > b; });\n';
  const by_hand =
    '  int* numbers = static_cast<int*>(std::calloc(4, sizeof(int)));\n  numbers[3] = 7;\n' +
    '  numbers = static_cast<int*>(std::realloc(numbers, 1 << 16));\n  auto* wide = new (std::align_val_t{64}) char[5];\n' +
    '  print("%d %d", numbers[0] + numbers[3], static_cast<int>(reinterpret_cast<std::uintptr_t>(wide) % 64));\n' +
    '  ::operator delete[](wide, std::align_val_t{64});\n  std::free(numbers);\n';
  const printed = [];
  const { report } = await run(sorted + by_hand + right, { onPrint: (text) => printed.push(text) });
  assert.equal((await report).passed, true);
  assert.equal(printed[0], '7 0');
});
