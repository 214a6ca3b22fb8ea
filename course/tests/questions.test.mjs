// Questions, predictions.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { on, opener } from './site.mjs';

const open = await opener();
const m0 = 'm0-tokenizer/index.html';

test('a wrong choice says what it would have meant, the right one stays chosen', () =>
  on(open, m0, {}, async (page) => {
    const question = page.locator('main .sl-markdown-content rung-question').first();
    await question.locator('input:not([data-right])').first().check();
    assert.match(await question.locator('.why:visible').innerText(), /\w+ \w+/);
    await question.locator('input[data-right]').check();
    assert.ok(await question.locator('.choice.right').isVisible());
    await page.reload();
    assert.ok(await question.locator('input[data-right]').isChecked());
  }));

test('a prediction is compared', () =>
  on(open, m0, {}, async (page) => {
    const predict = page.locator('rung-predict').first();
    await predict.locator('input').fill('5');
    await page.keyboard.press('Enter');
    assert.match(await predict.innerText(), /Near: you said 5, it is 4 tokens\./);
    await page.goto(new URL('../m1-weights/index.html', page.url()).href);
    const guess = async (place, said) => {
      const one = page.locator('rung-predict').nth(place);
      await one.locator('input').fill(said);
      await one.locator('input').press('Enter');
      return one.innerText();
    };
    assert.match(await guess(0, '1000000'), /You said 1,000,000, it is 3,556,096 bytes\.[^]*\n3,556,096 bytes\. /);
    assert.match(await guess(0, '3,556,096'), /Exactly\./);
    assert.match(await guess(1, '0,5'), /You said 0\.5, it is -2\.5\.[^]*\n-2\.5\. /);
  }));

test('a guess is read as it is written, answered with thousands, and told how near it is', () =>
  on(open, 'm2-forward-pass/index.html', {}, async (page) => {
    const said = async (id, guess) => {
      const predict = page.locator(`main #${id}`);
      await predict.locator('input').fill(guess);
      await page.keyboard.press('Enter');
      return predict.locator('[aria-live]').innerText();
    };
    for (const [guess, words] of [
      ['24,576', 'Exactly.'],
      ['24576', 'Exactly.'],
      ['24,577', 'Nearly right: you said 24,577, it is 24,576 multiplications.'],
      ['18,432', 'Near: you said 18,432, it is 24,576 multiplications.'],
      ['12,288', 'You said 12,288, it is 24,576 multiplications.'],
      ['1,5', 'You said 1.5, it is 24,576 multiplications.'],
      ['0,125', 'You said 0.125, it is 24,576 multiplications.'],
      ['−3', 'You said -3, it is 24,576 multiplications.'],
      ['many', 'A number, please; any will do.'],
    ])
      assert.equal(await said('m2-mults', guess), words, guess);
    assert.equal(await said('m2-rms', '1.13'), 'Nearly right: you said 1.13, it is 1.1314.');
    assert.equal(await said('m2-rms', '1,131'), 'Nearly right: you said 1.131, it is 1.1314.');
    assert.equal(await said('m2-rms', '1,15'), 'Nearly right: you said 1.15, it is 1.1314.');
    assert.match(await page.locator('main #m2-mults details').innerText(), /24,576 multiplications\./);
    assert.match(await page.locator('main #m2-rms details').innerText(), /1\.1314\./);
  }));

const day = 24 * 60 * 60 * 1000;
const start = new Date('2026-03-01T10:00:00Z');
// The browser's clock stands where it is put, so a day passes at once.
const at = (time) => ({ before: (page) => page.clock.setFixedTime(time) });
const here = (page) => page.locator('main .sl-markdown-content rung-question');

test('whoever comes back after a day is asked three questions of pages that were begun', () =>
  on(open, m0, at(start), async (page) => {
    await here(page).nth(0).locator('input[data-right]').check();
    await here(page).nth(1).locator('input:not([data-right])').first().check();
    const asks = await here(page).locator('legend').allInnerTexts();
    const again = page.locator('rung-again');
    const next = new URL('../m1-weights/index.html', page.url()).href;

    await page.goto(next);
    await page.waitForLoadState('networkidle');
    assert.equal(await again.locator('rung-question').count(), 0, 'asked on the same day');

    await page.clock.setFixedTime(new Date(start.getTime() + day));
    await page.goto(next);
    await again.locator('> details > summary').focus();
    await page.keyboard.press('Enter');
    // The first one was right a day ago; the second was wrong, the others not answered: these come first.
    assert.deepEqual(await again.locator('legend').allInnerTexts(), asks.slice(1, 4));
    assert.match(await again.innerText(), /Welcome back: three questions from before.*From “M0: the tokenizer”/s);
    assert.equal(
      await again.locator('input:checked').count(),
      0,
      'what was chosen is shown before the question is answered',
    );
    for (const question of await again.locator('rung-question').all())
      await question.locator('input[data-right]').check();
    assert.equal(await again.locator('.right .why:visible').count(), 3);

    // What was answered today is not asked again today: the ones not answered are left, then the one that was right a
    // day ago.
    await page.goto(next);
    await again.locator('> details > summary').click();
    assert.deepEqual(await again.locator('legend').allInnerTexts(), [...asks.slice(4), asks[0]].slice(0, 3));

    // A page never asks what comes after it.
    await page.goto(new URL('../ladder/index.html', page.url()).href);
    await page.waitForLoadState('networkidle');
    assert.equal(await again.locator('rung-question').count(), 0);
  }));

async function exported(page) {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Export as a file' }).click(),
  ]);
  return readFileSync(await download.path(), 'utf8');
}

test('the diary is exported as one file and taken in elsewhere', async () => {
  let text;
  await on(open, m0, at(start), async (page) => {
    await here(page).nth(0).locator('input[data-right]').check();
    await page.locator('rung-predict input').first().fill('7');
    await page.keyboard.press('Enter');
    await page.goto(new URL('../diary/index.html', page.url()).href);
    assert.match(
      await page.locator('rung-diary').innerText(),
      /2 answered, 1 of them right\..*m0-tokenizer.*you guessed 7 tokens, it is 4 tokens; 2026-03-01/s,
    );
    text = await exported(page);
  });
  const file = JSON.parse(text);
  assert.deepEqual([file.kind, file.version, Object.keys(file.entries).length], ['rung-diary', 1, 2]);
  const guess = file.entries['m0-pieces'];
  assert.deepEqual(
    [guess.page, guess.said, guess.is, guess.right, guess.when],
    ['m0-tokenizer', '7 tokens', '4 tokens', false, start.getTime()],
  );

  await on(open, 'diary/index.html', at(new Date(start.getTime() + day)), async (page) => {
    const diary = page.locator('rung-diary');
    const take = (content) =>
      diary
        .locator('input[type=file]')
        .setInputFiles({ name: 'x.json', mimeType: 'application/json', buffer: Buffer.from(content) });
    assert.match(await diary.innerText(), /Nothing is written here yet/);
    await take('not a diary');
    await diary.getByText('This file is not a diary: it is not JSON.').waitFor();
    await take('{"kind":"rung-diary","version":9}');
    await diary.getByText('This diary is of version 9; this site reads version 1.').waitFor();
    await take(text);
    await diary.getByText('2 taken in.').waitFor();
    assert.equal(await exported(page), text, 'what goes in comes out');
    // The newer answer stays, whichever file it is in.
    file.entries['m0-pieces'] = { ...guess, said: '9 tokens', when: guess.when - 1 };
    await take(JSON.stringify(file));
    await diary.getByText('There is nothing in it that is not here already.').waitFor();
    file.entries['m0-pieces'].when = guess.when + 1;
    await take(JSON.stringify(file));
    await diary.getByText('you guessed 9 tokens').waitFor();
    await page.goto(new URL('../m0-tokenizer/index.html', page.url()).href);
    assert.ok(await here(page).nth(0).locator('input[data-right]').isChecked());
    await page.goto(new URL('../diary/index.html', page.url()).href);
    await diary.getByRole('button', { name: 'Forget everything' }).click();
    await diary.getByRole('button', { name: 'Really forget everything?' }).click();
    await diary.getByText('Nothing is written here yet').waitFor();
  });
});

test('a diary of another hand is read as far as it goes', () =>
  on(open, m0, {}, async (page, { errors }) => {
    await page.evaluate(() =>
      localStorage.setItem('rung-diary', '{"m0-pieces":{"answer":"7","when":1},"x":null,"y":[1]}'),
    );
    await page.goto(new URL('../diary/index.html', page.url()).href);
    await page.locator('rung-diary').getByText('Nothing is written here yet').waitFor();
    assert.deepEqual(errors, []);
  }));

test('questions are asked by keyboard and named for a screen reader', () =>
  on(open, m0, {}, async (page) => {
    const question = here(page).first();
    const ask = await question.locator('legend').innerText();
    assert.equal(await page.getByRole('group', { name: ask }).count(), 1);
    const right = question.getByRole('radio', {
      name: await question.locator('.choice:has([data-right]) label').innerText(),
    });
    await question.getByRole('radio').first().focus();
    for (let i = 0; i < 3 && !(await right.isChecked()); ++i) await page.keyboard.press('ArrowDown');
    assert.ok(await right.isChecked());
    assert.ok(
      await question
        .locator('.right .why')
        .evaluate((why) => !why.hidden && why.closest('[aria-live=polite]') !== null),
    );
  }));
