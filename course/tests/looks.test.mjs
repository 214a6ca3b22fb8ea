// How a page looks, where a number can tell: what fits, what grows, what is marked as what.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { on, opener } from './site.mjs';

const open = await opener();
const m2 = 'm2-forward-pass/index.html';
const exercise = 'exercises/m2-softmax/index.html';

// How many columns of the first output are seen without scrolling.
const columns = (page) =>
  page
    .locator('.is-terminal pre')
    .first()
    .evaluate((box) => {
      const code = box.querySelector('code .code');
      const range = document.createRange();
      range.selectNodeContents(code);
      const letter = range.getBoundingClientRect().width / code.textContent.trimEnd().length;
      return Math.floor((box.getBoundingClientRect().right - range.getBoundingClientRect().left) / letter);
    });

test('eighty columns of what a command printed fit into a window of 1280, fifty into one of 390', async () => {
  await on(open, m2, {}, async (page) => assert.ok((await columns(page)) >= 80, await columns(page)));
  await on(open, m2, { width: 390 }, async (page) => assert.ok((await columns(page)) >= 50, await columns(page)));
});

test('parentheses are as high as the fraction in them', () =>
  on(open, m2, {}, async (page) => {
    const [fence, fraction] = await page
      .locator('.formula mrow:has(> mo):has(> mfrac)')
      .filter({ hasText: /^\(/ })
      .first()
      .evaluate((row) =>
        ['mo', 'mfrac'].map((name) => row.querySelector(`:scope > ${name}`).getBoundingClientRect().height),
      );
    assert.ok(fence >= fraction, `${fence}, ${fraction}`);
  }));

test('a formula too long for a line is broken where its parts stand apart', () =>
  on(open, m2, { width: 390 }, async (page) => {
    const linear = page.locator('.formula').filter({ hasText: 'out:' });
    assert.ok(await linear.evaluate((box) => box.scrollWidth <= box.clientWidth));
    const tops = await linear
      .locator('math')
      .evaluateAll((parts) => parts.map((part) => part.getBoundingClientRect().top));
    assert.equal(new Set(tops).size, 2);
  }));

test('lines of a formula stand under each other at their sign', () =>
  on(open, 'm5-quantization/index.html', {}, async (page) => {
    const signs = page.locator('.formula mtr > mtd:nth-child(2) mo:first-child');
    const lefts = await signs.evaluateAll((all) =>
      all.filter(({ textContent }) => textContent === '=').map((sign) => Math.round(sign.getBoundingClientRect().left)),
    );
    assert.equal(lefts.length, 2);
    assert.equal(lefts[0], lefts[1]);
  }));

test('no line begins with the point behind a piece of code', () =>
  on(open, 'exercises/m3-stop-strings/index.html', { width: 390 }, async (page) => {
    const parted = await page.locator('.sl-markdown-content :is(p, li) code').evaluateAll((codes) =>
      codes
        .filter((code) => /^[.,:;)]/.test(code.nextSibling?.textContent ?? ''))
        .map((code) => {
          const range = document.createRange();
          range.setStart(code.nextSibling, 0);
          range.setEnd(code.nextSibling, 1);
          const apart = range.getBoundingClientRect().left - code.getBoundingClientRect().right;
          return { text: code.textContent, apart: Math.round(apart) };
        }),
    );
    assert.ok(parted.length > 10);
    assert.deepEqual(parted.filter(({ apart }) => apart !== 0), []);
  }));

test('code in a sentence is broken only where a line does not hold it', () =>
  on(open, m2, { width: 390 }, async (page) => {
    const inSentences = page.locator('.sl-markdown-content p code');
    assert.ok((await inSentences.count()) > 20);
    const broken = await inSentences.evaluateAll((codes) =>
      codes
        .filter((code) => {
          const line = parseFloat(getComputedStyle(code).lineHeight);
          const room = code.closest('p').clientWidth;
          const whole = code.cloneNode(true);
          whole.style.cssText = 'position: absolute; max-width: none; white-space: nowrap';
          code.after(whole);
          const { width } = whole.getBoundingClientRect();
          whole.remove();
          const lines = Math.max(code.getClientRects().length, Math.round(code.getBoundingClientRect().height / line));
          return width <= room && lines > 1;
        })
        .map((code) => code.textContent),
    );
    assert.deepEqual(broken, []);
  }));

test('nothing is said of keys where there is no keyboard', async () => {
  const keys = (page) => page.locator('rung-exercise .tools .quiet').isVisible();
  await on(open, exercise, {}, async (page) => assert.equal(await keys(page), true));
  await on(open, exercise, { width: 390, touch: true }, async (page) => assert.equal(await keys(page), false));
});

test('hints are boxes; a story that failed a check has not the edge of a right one', () =>
  on(open, exercise, {}, async (page) => {
    const widths = await page
      .locator('rung-exercise details.hint')
      .first()
      .evaluate((hint) => {
        const style = getComputedStyle(hint);
        return ['Top', 'Right', 'Bottom', 'Left'].map((side) => style[`border${side}Width`]);
      });
    assert.deepEqual(widths, ['1px', '1px', '1px', '1px']);
    const edges = (state) =>
      page.locator('rung-exercise .results').evaluate((results, state) => {
        const line = document.createElement('li');
        line.className = state;
        results.querySelector('.checks').replaceChildren(line);
        results.querySelector('.told').innerHTML =
          '<div class="beside"><figure><blockquote>a</blockquote></figure><figure><blockquote>b</blockquote></figure></div>';
        return [...results.querySelectorAll('blockquote')].map((story) => getComputedStyle(story).borderLeftColor);
      }, state);
    const [passed, sound] = await edges('passed');
    assert.equal(passed, sound);
    const [failed, still] = await edges('failed');
    assert.notEqual(failed, sound);
    assert.equal(still, sound);
  }));
