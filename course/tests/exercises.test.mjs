// The exercises, by keyboard: of each milestone one is written wrong, a hint is read, it is written right, and pebble
// tells its story with it. What is written stays; what was looked up is asked again. SHOTS=FOLDER leaves pictures.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import axe from 'axe-core';
import { exercises } from '../src/plugins/exercises.mjs';
import { root } from '../src/plugins/source.mjs';
import { on, opener } from './site.mjs';

const open = await opener();
const shots = process.env.SHOTS;
if (shots) mkdirSync(shots, { recursive: true });
const source = (name, file) => readFileSync(join(root, 'course/exercises', name, file), 'utf8');
const here = exercises().filter(({ isAtTerminal }) => !isAtTerminal);
const wrongOf = (name) => {
  const folder = join(root, 'course/exercises', name, 'wrong');
  const file = existsSync(folder) && readdirSync(folder).sort()[0];
  return file && source(name, `wrong/${file}`);
};

const element = (page) => page.locator('rung-exercise');
async function ready(page) {
  await element(page).scrollIntoViewIfNeeded();
  await page.waitForSelector('rung-exercise[data-ready]');
}
// Into the editor as if it was typed, and Ctrl-Enter.
async function write(page, text) {
  await page.locator('rung-exercise .cm-content').focus();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(text);
}
async function check(page) {
  const before = Number(await element(page).getAttribute('data-checked'));
  await page.locator('rung-exercise .cm-content').focus();
  await page.keyboard.press('Control+Enter');
  await page.waitForFunction((n) => Number(document.querySelector('rung-exercise').dataset.checked) > n, before);
  return element(page).locator('> [role=status]').innerText();
}
const text = (page) => page.locator('rung-exercise .cm-content').innerText();

async function violations(page, name) {
  await page.evaluate(axe.source);
  const found = [];
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.waitForFunction((theme) => document.documentElement.dataset.theme === theme, scheme);
    if (shots) await page.screenshot({ path: join(shots, `${name}-${scheme}.png`), fullPage: true });
    const result = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
    found.push(...result.violations.map((one) => `${scheme}: ${one.id}: ${one.nodes[0].html.slice(0, 150)}`));
  }
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (over > 0) found.push(`the page is ${over} px wider than the window`);
  return found;
}

const milestones = [...new Set(here.map(({ milestone }) => milestone))];
for (const [i, milestone] of milestones.entries()) {
  const { name } = here.find((one) => one.milestone === milestone && wrongOf(one.name)) ?? {};
  const width = i % 2 === 0 ? 1280 : 390;
  test(`${milestone} by keyboard, at ${width}: ${name} wrong, a hint, right, the story`, () =>
    on(open, `exercises/${name}/index.html`, { width, fresh: false }, async (page, { errors }) => {
      await ready(page);
      assert.match(await check(page), /Now take not_yet away and write .* that is the normal start/);
      await write(page, wrongOf(name));
      assert.match(await check(page), /Not yet\. The first check that failed says the most\.|Line \d+: /);
      assert.equal(await element(page).locator('.checks .failed').count(), 1);
      assert.deepEqual(await violations(page, `${name}-wrong-${width}`), []);

      await element(page).locator('details.hint summary').first().focus();
      await page.keyboard.press('Enter');
      assert.equal(await element(page).locator('details.hint').first().locator('p').first().isVisible(), true);
      await element(page).locator('details.hint').nth(1).waitFor(); // the second one
      assert.equal(await element(page).locator('details.hint').nth(2).isVisible(), false, 'the third one is not');

      await write(page, source(name, 'solution.cpp'));
      assert.match(await check(page), /^All checks passed/);
      assert.equal(await element(page).locator('.checks .failed').count(), 0);
      const stories = element(page).locator('.told blockquote');
      if ((await stories.count()) > 0) assert.equal(await stories.nth(0).innerText(), await stories.nth(1).innerText());
      assert.deepEqual(await violations(page, `${name}-right-${width}`), []);

      await page.goto(new URL('../index.html', page.url()).href);
      await page.waitForSelector('rung-exercises[data-shown]');
      assert.match(await page.locator(`rung-exercises li[data-name=${name}]`).innerText(), /✓ solved/);
      assert.deepEqual(errors, []);
    }));
}

const first = `exercises/${here.find(({ function: named }) => named === 'rms_norm')?.name ?? here[0].name}/index.html`;

test('what is still to be written is said to be so, and no failure', () =>
  on(open, first, {}, async (page) => {
    await ready(page);
    await check(page);
    const [line] = await element(page).locator('ol.checks > li').all();
    assert.match(await line.innerText(), /By hand: still to be written/);
    assert.match(await line.getAttribute('class'), /not-yet/);
    assert.match(
      await element(page).locator('select[name=attempts] option').nth(1).innerText(),
      /: still to be written$/,
    );
  }));

test('what is written stays: over a reload, over a reset, as attempts, as a file', () =>
  on(open, first, {}, async (page, { errors }) => {
    await ready(page);
    const beginning = await text(page);
    await write(page, '// mine\n');
    await page.reload();
    await ready(page);
    assert.match(await text(page), /^\/\/ mine/);
    await element(page).getByRole('button', { name: 'Begin again' }).click();
    assert.equal(await text(page), beginning);
    await page.locator('rung-exercise .cm-content').focus();
    await page.keyboard.press('Control+z');
    assert.match(await text(page), /^\/\/ mine/);

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      element(page).getByRole('button', { name: 'Export' }).click(),
    ]);
    const file = JSON.parse(readFileSync(await download.path(), 'utf8'));
    assert.equal(file.version, 1);
    const [name] = Object.keys(file.exercises);
    assert.equal(file.exercises[name].code, '// mine\n');
    file.exercises[name] = { ...file.exercises[name], code: '// from elsewhere\n', when: 0 };
    const take = (content) =>
      element(page)
        .locator('input[type=file]')
        .setInputFiles({ name: 'x.json', mimeType: 'application/json', buffer: Buffer.from(content) });
    await take('not an export');
    await element(page).getByText('This file is no export of exercises: it is not JSON.').waitFor();
    await take(JSON.stringify(file));
    await element(page).getByText('1 taken in.').waitFor();
    assert.match(await text(page), /^\/\/ from elsewhere/);
    const attempts = await element(page).locator('select[name=attempts] option').count();
    assert.equal(attempts, 2, 'what was there before is among the attempts');
    await element(page).locator('select[name=attempts]').selectOption({ index: 1 });
    assert.match(await text(page), /^\/\/ mine/);
    assert.match(await element(page).locator('> [role=status]').innerText(), /^An earlier attempt.*not checked/);
    assert.deepEqual(errors, []);
  }));

test('an error stands at its line and is mended with a button', () =>
  on(open, first, { fresh: false }, async (page, { errors }) => {
    await ready(page);
    const solution = source(first.split('/')[1], 'solution.cpp');
    await write(page, solution.replace(';', ''));
    assert.match(await check(page), /^It does not compile\. Line \d+: expected ';'/);
    await element(page).getByRole('button', { name: 'Fix it' }).click();
    assert.match(await check(page), /^All checks passed/);
    assert.deepEqual(errors, []);
  }));

test('an index beyond a span and an endless loop are named, and the next check is answered', () =>
  on(open, first, { fresh: false }, async (page, { errors }) => {
    await ready(page);
    const solution = source(first.split('/')[1], 'solution.cpp');
    await write(page, solution.replace('{', '{\n  out[0] = x[x.size()];'));
    const line = solution.slice(0, solution.indexOf('{')).split('\n').length + 1;
    assert.match(await check(page), new RegExp(`^Line ${line}: index 2 is beyond the end of a span of 2\\.`));
    const failed = element(page).locator('.checks li').first();
    assert.match(
      await failed.innerText(),
      /^.?\s*By hand: failed \(.+\)\s+index 2 is .* line \d+[^]*\nin\s+out: [^]*x = \[3, 4\]/,
      'and in which case',
    );
    const endless = solution.replace('{', '{\n  for (volatile int i = 0; i < 1;) {}');
    await write(page, endless);
    assert.match(await check(page), /^It was stopped after 5 seconds without an end/);
    assert.match(await failed.innerText(), /By hand: stopped \(.+\)[^]*x = \[3, 4\]/);
    assert.equal((await element(page).innerText()).match(/after 5 seconds/g).length, 1, 'told once');

    const stop = element(page).getByRole('button', { name: 'Stop' });
    assert.equal(await stop.isVisible(), false);
    const checked = Number(await element(page).getAttribute('data-checked'));
    const slow = "for (volatile int i = 0; i < 100'000'000; i = i + 1) {}"; // each call ends, all of them take minutes
    await write(page, solution.replace('{', `{\n  ${slow}`));
    await page.keyboard.press('Control+Enter');
    await stop.click();
    await page.waitForFunction((n) => Number(document.querySelector('rung-exercise').dataset.checked) > n, checked);
    assert.match(await element(page).locator('> [role=status]').innerText(), /^You stopped it/);
    await write(page, solution.replace(';', ''));
    assert.match(await check(page), /^It does not compile/);
    assert.ok(await page.evaluate(() => document.activeElement.closest('.cm-content')), 'the keys stay in the editor');
    await write(page, solution);
    assert.match(await check(page), /^All checks passed/);
    assert.deepEqual(errors, []);
  }));

test('another story: beside that of Rung’s own function, the field and the keys stay, without a word it asks for one', () =>
  on(open, 'exercises/m1-q4-0/index.html', { fresh: false }, async (page, { errors }) => {
    await ready(page);
    await write(page, source('m1-q4-0', 'solution.cpp'));
    assert.match(await check(page), /^All checks passed/);
    const told = element(page).locator('.told');
    const prompt = told.locator('input');
    await prompt.fill('The fox');
    await prompt.press('Enter');
    const [mine, sound] = await told.locator('blockquote').all();
    await page.waitForFunction(() => document.querySelector('.told blockquote').innerText.startsWith('The fox'));
    assert.equal(await mine.innerText(), await sound.innerText());
    assert.match(await told.innerText(), /The same, word for word\./);
    assert.equal(await prompt.inputValue(), 'The fox');
    assert.equal(await prompt.evaluate((field) => field === document.activeElement), true);
    await prompt.fill(' ');
    await prompt.press('Enter');
    assert.match(await told.innerText(), /A word to begin with, please\./);
    assert.match(await mine.innerText(), /^The fox/, 'the stories are still there');
    assert.deepEqual(errors, []);
  }));

test('a story that ends before its first word says why', () =>
  on(open, first, { fresh: false }, async (page) => {
    await ready(page);
    const solution = source(first.split('/')[1], 'solution.cpp');
    await write(
      page,
      solution.replace('{', '{\n  if (out.size() > 0) {\n    for (float& o : out) o = 0;\n    return;\n  }'),
    );
    await check(page);
    await element(page).getByRole('button', { name: 'Tell pebble’s story with it' }).click();
    const [mine, sound] = [0, 1].map((i) => element(page).locator('.told figure').nth(i));
    assert.match(await mine.innerText(), /Once upon a time\s+Here it ends: all tokens have the same score/);
    assert.doesNotMatch(await sound.innerText(), /Here it ends/);
  }));

test('where pebble shows nothing of a mistake, that is said', () =>
  on(open, 'exercises/m3-temperature/index.html', { fresh: false }, async (page) => {
    await ready(page);
    await write(page, source('m3-temperature', 'wrong/afterwards.cpp'));
    await check(page);
    await element(page).getByRole('button', { name: 'Where does pebble first go wrong with it?' }).click();
    await element(page).getByText(/^So pebble does not show it: .* Go by the check that failed above/).waitFor();
  }));

test('what came of a check is in the window, and the keys stay in the editor', () =>
  on(open, first, { fresh: false }, async (page) => {
    await ready(page);
    await write(page, `${'// a line\n'.repeat(80)}${source(first.split('/')[1], 'stub.cpp')}`);
    await page.keyboard.press('Control+Home');
    await check(page);
    const state = await element(page).locator('> [role=status]').boundingBox();
    assert.ok(state.y > 64 && state.y + state.height < 900, `it is at ${state.y}`);
    assert.equal(await page.evaluate(() => document.activeElement.closest('.cm-editor') !== null), true);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Tab');
    assert.equal(
      await page.evaluate(() => document.activeElement.closest('.cm-editor')),
      null,
      'Escape, then Tab leaves it',
    );
    assert.match(await element(page).innerText(), /Escape, then Tab leaves the editor/);
  }));

test('the list says how many of a milestone are solved, all of them too', () =>
  on(open, 'exercises/index.html', { scroll: false }, async (page) => {
    const of = (milestone) => here.filter((one) => one.milestone === milestone);
    const solved = [...of('M0'), of('M1').find(({ test_out }) => test_out)].map(({ name }) => name);
    await page.evaluate(
      (names) => names.forEach((name) => localStorage.setItem(`rung-learn/${name}`, '{"passed": true}')),
      solved,
    );
    await page.reload();
    await page.waitForSelector('rung-exercises[data-shown]');
    const words = (milestone) => page.locator(`section[data-milestone=${milestone}] > p`).innerText();
    const [all, some] = [of('M0').length, of('M1').length];
    assert.equal(await words('M0'), `${all} of ${all} solved`);
    assert.equal(await words('M1'), `1 of ${some} solved; known: its test-out is among them`);
  }));

test('the solution is for whoever asks twice, and is asked again after a day', async () => {
  const start = new Date('2026-03-01T10:00:00Z'),
    day = 24 * 60 * 60 * 1000;
  await on(open, first, { before: (page) => page.clock.setFixedTime(start) }, async (page) => {
    await ready(page);
    const solution = element(page).locator('details.solution');
    await solution.locator('summary').click();
    assert.equal(await solution.evaluate((part) => part.open), false);
    await solution.locator('summary').click();
    assert.equal(await solution.evaluate((part) => part.open), true);
    await page.goto(new URL('../../diary/index.html', page.url()).href);
    assert.match(
      await page.locator('rung-diary').innerText(),
      /from the beginning, without looking\? looked at the solution \(not yet\)/,
    );
    await page.clock.setFixedTime(new Date(start.getTime() + day + 1));
    await page.goto(new URL('../glossary/index.html', page.url()).href);
    const again = page.locator('rung-again');
    await again.locator('> details > summary').click();
    assert.match(await again.innerText(), /Can you write “.*” from the beginning, without looking\?/);
    await again.getByRole('link', { name: 'Try' }).click();
    await page.waitForURL(/exercises/);
  });
});

test('where the compiler cannot be had, the page says so and names the terminal', () =>
  on(open, first, {}, async (page) => {
    await page.route(/llvm\.core\.wasm/, (route) => route.fulfill({ status: 404 }));
    await ready(page);
    await check(page);
    assert.match(
      await element(page).innerText(),
      /could not be started here: .*\. It wants .* At a terminal .*rung learn check/s,
    );
  }));
