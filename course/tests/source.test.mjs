// What a page shows of the source follows it or fails: a name that is gone, a line that is gone, an empty region, too
// many lines.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import code from '../src/plugins/code.mjs';
import { exercises, pageOf } from '../src/plugins/exercises.mjs';
import links from '../src/plugins/links.mjs';
import numbers from '../src/plugins/numbers.mjs';
import questions from '../src/plugins/questions.mjs';
import runs from '../src/plugins/runs.mjs';
import { root } from '../src/plugins/source.mjs';

const path = 'build/source-test.cpp';
mkdirSync(join(root, 'build'), { recursive: true });
writeFileSync(
  join(root, path),
  `// What this file is.
int half(int x) {
  // before

  return x / 2;
}
void emptied(int x) {
  // once there was something
}
void long_one() {
${'  f();\n'.repeat(70)}}
`,
);

// A plugin over a page of one node: what the node became, or the line that the build stops with.
const apply = (plugin, node) => {
  const tree = { type: 'root', children: [node] };
  plugin()(tree, {
    fail(message) {
      throw new Error(message);
    },
  });
  return tree.children;
};
const fence = (meta) => ({ type: 'code', lang: 'cpp', meta: `src=${path} ${meta}`, value: '' });
const fails = (plugin, node, words) =>
  assert.throws(
    () => apply(plugin, node),
    (error) => error.message.includes(words) || assert.fail(`"${error.message}" does not say "${words}"`),
  );

test('code is what stands in the source', () => {
  const [shown, where] = apply(code, fence('name=half'));
  assert.match(shown.value, /^\/\/ What this file is\.\nint half\(int x\) \{\n.*return x \/ 2;\n\}$/s);
  assert.match(where.value, /lines 1 to 6/);
  assert.equal(apply(code, fence('name=half from="return"'))[0].value, '  return x / 2;\n}');
});

test('a name that is gone stops the build', () => {
  fails(code, fence('name=third'), `${path}: nothing named third is defined there`);
  fails(links, { type: 'link', url: `src:${path}#third`, children: [] }, 'nothing named third');
});

test('a line that is gone stops the build', () =>
  fails(code, fence('name=half from="return y"'), 'no line has "return y"'));
test('a region without a line of code stops the build', () =>
  fails(code, fence('name=emptied'), `${path}, lines 7 to 9: an empty region`));
test('more lines than a reader takes in stop the build', () =>
  fails(code, fence('name=long_one'), 'long_one is 72 lines'));
test('a command that was never recorded stops the build', () =>
  fails(runs, { type: 'code', lang: 'run', value: 'rung nothing' }, 'nothing is recorded of "rung nothing"'));
test('a number that nobody measured stops the build', () =>
  fails(numbers, { type: 'text', value: '{{no.such.number}}' }, 'no.such.number'));
test('a question has one right choice', () => {
  fails(
    questions,
    { type: 'code', lang: 'question', value: 'Why?\n- a :: b\n- c :: d' },
    'a question has one right choice: Why?',
  );
  fails(
    questions,
    { type: 'code', lang: 'question', value: 'Why?\n+ a' },
    'a choice is "- words :: what it would have meant": + a',
  );
});
test('a link in a question or a prediction, where it would stay as it is written, stops the build', () => {
  fails(
    questions,
    { type: 'code', lang: 'predict', meta: 'id=x answer=1', value: 'How many?\n:: As [they](https://they.org/) say.' },
    'no links: "As [they](https://they.org/) say."',
  );
});

test("a kernel's page has its text, its file and the way to the terminal, and no editor", () => {
  const kernel = exercises().find(({ isAtTerminal }) => isAtTerminal);
  const page = pageOf(kernel);
  assert.match(page, new RegExp(`rung learn watch ${kernel.name}\\b`));
  assert.ok(page.includes(`title="${kernel.name}.metal"`) && page.includes('not_yet('), 'the file to begin with');
  assert.ok(page.includes('A third hint') && page.includes('A solution'));
  assert.ok(!page.includes('<rung-exercise'));
  assert.ok(pageOf(exercises()[0]).includes('<rung-exercise'), 'others have one');
});
