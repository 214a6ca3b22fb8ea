// The toys by keyboard; what they show is what arithmetic says, or the engine (recorded in src/data/toys/native.json).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { root } from '../src/plugins/source.mjs';
import { on, opener } from './site.mjs';

const open = await opener();
const data = (name) => JSON.parse(readFileSync(`${root}course/src/data/toys/${name}.json`, 'utf8'));
const native = data('native');
const number = (text) => Number(text.replace('−', '-').replaceAll(',', ''));
const near = (a, b, bound) => assert.ok(Math.abs(a - b) <= bound, `${a}, not ${b}`);

// One toy on the page that has all of them, which is opened once. `words`: what it says, whatever is hidden in
// pictures.
const all = await open('toys/index.html', { scroll: false });
after(() => all.close());
const toy = (name, body, more = 'by keyboard') =>
  test(`rung-${name} ${more}`, async () => {
    const element = all.page.locator(`rung-${name}`);
    await element.scrollIntoViewIfNeeded();
    await all.page.waitForSelector(`rung-${name}.toy`);
    await body(element, all.page, async () => (await element.innerText()).replace(/\s+/g, ' '));
    assert.deepEqual(all.errors, []);
  });
// A slider by its keys: to an end, then step by step.
async function slide(toy, name, key, times = 1) {
  await toy.locator(`input[name=${name}]`).focus();
  for (let i = 0; i < times; ++i) await toy.page().keyboard.press(key);
}
// A choice by its keys.
async function choose(toy, name, down) {
  await toy.locator(`select[name=${name}]`).focus();
  for (let i = 0; i < down; ++i) await toy.page().keyboard.press('ArrowDown');
}

test('formulas hang together', () =>
  on(open, 'm2-forward-pass/index.html', {}, async (page) => {
    const pushed = await page
      .locator('math *')
      .evaluateAll((parts) => parts.filter((part) => getComputedStyle(part).marginTop !== '0px').length);
    assert.equal(pushed, 0, 'parts of formulas are pushed down');
  }));

test('matrix product by keyboard', () =>
  on(open, 'prerequisites/index.html', {}, async (page) => {
    const toy = page.locator('rung-matmul');
    await toy.locator('select[data-name=k]').focus();
    await page.keyboard.press('3');
    await toy.locator('table button').nth(3).focus();
    await page.keyboard.press('Enter');
    // [[1 2 3] [4 5 6]] · [[5 6] [7 8] [9 10]]: row 2, column 2 is 4·6 + 5·8 + 6·10
    assert.match(await toy.innerText(), /4·6 \+ 5·8 \+ 6·10 = 124/);
  }));

test('bits by keyboard', () =>
  on(open, 'm1-weights/index.html', {}, async (page) => {
    const toy = page.locator('rung-bits');
    await toy.locator('input').fill('-0.11328125'); // the first weight that the page shows: bytes e8 bd
    const bits = (await toy.locator('[data-type=bf16] button').allInnerTexts()).join('');
    assert.equal(bits, (0xbde8).toString(2));
    await toy.locator('[data-type=bf16] button').first().focus();
    await page.keyboard.press('Enter'); // the sign
    assert.equal(await toy.locator('input').inputValue(), '0.11328125');
    await toy.locator('input').fill('65520');
    const f16 = toy.locator('[data-type=f16]');
    assert.equal(await f16.locator('p').innerText(), 'f16: infinity, for f16 ends at 65504');
    await toy.locator('input').fill('-1e39');
    assert.equal(await f16.locator('p').innerText(), 'f16: minus infinity, for f16 ends at -65504');
    await toy.locator('input').fill('xy');
    assert.equal(await toy.getByRole('status').innerText(), 'no number');
    await toy.locator('input').fill('1');
    assert.equal(await toy.getByRole('status').innerText(), '');
    assert.match(await toy.innerText(), /sign exponent fraction/, 'the colours have names');

    await toy.locator('input').focus(); // each row is one stop of Tab, and the arrows go through it
    const here = () => page.evaluate(() => document.activeElement.getAttribute('aria-label'));
    const pressed = [];
    for (const key of [
      'Tab',
      'ArrowRight',
      'End',
      'ArrowLeft',
      'Tab',
      'Shift+Tab',
      'Home',
      'ArrowLeft',
      'Tab',
      'Tab',
    ]) {
      await page.keyboard.press(key);
      pressed.push((await here())?.replace(/, [a-z]+: [01]$/, ''));
    }
    const f32 = (bit) => `f32, bit ${bit}`;
    assert.deepEqual(pressed.slice(0, 4), [f32(31), f32(30), f32(0), f32(1)]);
    assert.deepEqual(pressed.slice(4), ['bf16, bit 15', f32(1), f32(31), f32(31), 'bf16, bit 15', 'f16, bit 15']);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    assert.equal(await here(), 'f16, bit 14, exponent: 1', 'a bit that was turned keeps the keys');
  }));

toy('merges', async (toy, page, words) => {
  for (const [text, { ids, ranks }] of Object.entries(native.merges)) {
    await toy.locator('input').first().fill(text);
    await toy.locator('[data-go=next]').focus();
    await page.keyboard.press('Enter');
    assert.match(await words(), new RegExp(`Step 1 of ${ranks.length}\\b`));
    await slide(toy, 'step', 'End');
    assert.match(await words(), new RegExp(`ids ${ids.join(', ')}\\.`), text);
    assert.deepEqual(
      (await toy.locator('.history li').allInnerTexts()).map((line) => Number(/\((\d+)\)$/.exec(line)[1])),
      ranks,
      text,
    );
  }
});

toy('rope', async (toy, page, words) => {
  const product = async () => number(/q·k = (−?[\d.]+)/.exec(await words())[1]);
  near(await product(), native.rope[0], 0.01);
  await toy.getByRole('button', { name: 'Both one on' }).focus();
  for (let i = 0; i < 3; ++i) await page.keyboard.press('Enter');
  assert.match(await words(), /q at 13, k at 7: distance 6/);
  near(await product(), native.rope[0], 0.01);
  await slide(toy, 'key', 'ArrowRight', 4);
  assert.match(await words(), /distance 2,/);
  assert.ok(Math.abs((await product()) - native.rope[0]) > 0.1, 'another distance, another product');
  await choose(toy, 'head', 1);
  await slide(toy, 'query', 'ArrowLeft', 3);
  await slide(toy, 'key', 'ArrowLeft', 7);
  near(await product(), native.rope[1], 0.01);
  const sides = await toy
    .locator('th, td')
    .evaluateAll((cells) => cells.map((cell) => getComputedStyle(cell).textAlign));
  assert.deepEqual([...new Set(sides)], ['right'], 'columns of numbers end below each other');
});

toy('heads', async (toy, page, words) => {
  const { texts } = data('heads');
  assert.match(await words(), /Layer 3, head 2: “·the” \(token 10\) looks at ·lantern \(4\) 99\.9%/);
  await toy.getByRole('button', { name: 'query head 3' }).focus();
  await page.keyboard.press('Enter');
  await choose(toy, 'layer', 1);
  await slide(toy, 'row', 'Home');
  await slide(toy, 'row', 'ArrowRight', 4);
  const row = texts[0].shares[4][3][4],
    most = Math.max(...row),
    at = row.indexOf(most);
  assert.match(
    await words(),
    new RegExp(`Layer 4, head 3: “·lantern” \\(token 4\\) looks at \\S+ \\(${at}\\) ${(most / 10).toFixed(1)}%`),
  );
});

toy('norm', async (toy, page, words) => {
  const numbers = async () =>
    /Number (\d+): (\S+) ÷ (\S+) = (\S+); × w \((\S+)\) = (\S+)/
      .exec(await words())
      .slice(1)
      .map(number);
  near((await numbers())[5], native.norm[3][8], 1e-3);
  await slide(toy, 'loudness', 'End');
  await slide(toy, 'number', 'ArrowRight', 2);
  assert.match(await words(), /× 10\b/);
  near((await numbers())[5], native.norm[3][10], 1e-3);
  await choose(toy, 'layer', 1);
  near((await numbers())[5], native.norm[4][10], 1e-3);
});

toy('gate', async (toy, page, words) => {
  const numbers = async () =>
    /Channel (\d+): gate (\S+?),? .*?silu\(gate\) = (\S+); × up \((\S+)\) = (\S+)/
      .exec(await words())
      .slice(1)
      .map(number);
  const [channel, , , , out] = await numbers();
  near(out, native.gate[3][channel], 1e-2);
  assert.equal(
    number(await toy.locator('.slider output').nth(1).innerText()),
    (await numbers())[1],
    'said twice alike',
  );
  await slide(toy, 'channel', 'Home');
  await slide(toy, 'channel', 'ArrowRight', 7);
  near((await numbers())[4], native.gate[3][7], 1e-3);
  await slide(toy, 'gate', 'Home');
  assert.deepEqual((await numbers()).slice(0, 3), [7, -6, -0.015], 'a gate that is shut');
});

toy('sampling', async (toy, page, words) => {
  const share = async () => number(/has ([\d.]+)%/.exec(await words())[1]) / 100;
  near(await share(), native.sampling[0][0], 1e-4);
  await slide(toy, 'top-k', 'ArrowRight', 3);
  assert.match(await words(), /3 of 2,048 tokens can come/);
  const three = native.sampling[0].slice(0, 3);
  near(await share(), three[0] / three.reduce((a, b) => a + b), 1e-4);
  await slide(toy, 'top-k', 'Home');
  await slide(toy, 'min-p', 'End'); // 1: only what is as likely as the likeliest
  assert.match(await words(), /1 of 2,048 tokens can come.*has 100\.00%/);
  await slide(toy, 'min-p', 'Home');
  await slide(toy, 'temperature', 'Home');
  assert.match(await words(), /0: greedy.*1 of 2,048/);
  await toy.getByRole('button', { name: 'Draw 100' }).focus();
  await page.keyboard.press('Enter');
  assert.match(await words(), /·girl 100\.00% · 100×/);
  await choose(toy, 'text', 1);
  await slide(toy, 'temperature', 'ArrowRight', 20);
  near(await share(), native.sampling[1][0], 1e-4);
});

toy('cache', async (toy, page, words) => {
  // 64 tokens, then one more with the cache: what `rung bench` counts
  await slide(toy, 'prompt', 'Home');
  await slide(toy, 'prompt', 'ArrowRight', native.cache.before - 1);
  await slide(toy, 'answer', 'Home');
  assert.match(await words(), /both do the same/);
  await slide(toy, 'answer', 'ArrowRight');
  assert.match(
    await words(),
    new RegExp(`last token alone \\S+ ${native.cache.multiplications.toLocaleString('en-US')}\\b`),
  );
  assert.match(await words(), /rows of tokens computed 129 65\b/);
});

toy('block', async (toy, page, words) => {
  for (const [down, format] of [
    [0, 'q4_0'],
    [-1, 'q8_0'],
  ]) {
    await toy.locator('select[name=format]').focus();
    if (down) await page.keyboard.press('ArrowUp');
    for (let i = 0; i < 3; ++i) {
      const file = (await toy.locator('.bytes').innerText())
        .split('\n')[0]
        .replace(/^In the file: /, '')
        .replaceAll(' ', '');
      assert.equal(file, native[format][i], `${format}, block ${i}`);
      if (i < 2) await choose(toy, 'block', 1);
    }
    await toy.locator('select[name=block]').focus();
    await page.keyboard.press('Home');
  }
  const error = async () => number(/own\) ([\d.]+)%/.exec(await words())[1]);
  const best = await error();
  await slide(toy, 'scale', 'End');
  assert.ok((await error()) > best, 'a scale twice as large is coarser');
});

toy('hex', async (toy, page, words) => {
  const fields = [];
  await toy.locator('[data-go=next]').focus();
  for (let i = 0; i < 9; ++i) {
    fields.push((await toy.locator('.field p').nth(1).innerText()).trim());
    await page.keyboard.press('Enter');
  }
  const architecture = native.hex.metadata.find(({ key }) => key === 'general.architecture').value;
  assert.deepEqual(fields, ['GGUF', '3', '57', '32', '20', 'general.architecture', '8 = string', '5', architecture]);
  assert.equal(
    (await toy.locator('.hexes i.on').allInnerTexts()).slice(0, 8).join(''),
    '1100000000000000',
    'the length of the next name',
  );
  await choose(toy, 'file', 1);
  assert.match(await words(), /6080 bytes 0 to 7/);
  await slide(toy, 'byte', 'End');
  assert.match(await words(), /bytes 8 to 191/);
});

toy('roofline', async (toy, page, words) => {
  await toy.getByRole('button', { name: 'Measure this machine' }).focus();
  await page.keyboard.press('Enter');
  await toy.getByRole('button', { name: 'Measure again' }).waitFor({ timeout: 60_000 });
  const [, memory, arithmetic] = /Memory: ([\d.]+) GB\/s\. Arithmetic: ([\d.,]+) billion/
    .exec(await words())
    .map(number);
  assert.ok(memory > 0 && arithmetic > 0);
  const atMost = async () => number(/at most ([\d.,]+) tokens/.exec(await words())[1]);
  const { matrices } = data('cache'),
    limit = (tokens) =>
      tokens / Math.max((2 * matrices) / (memory * 1e9), (2 * matrices * tokens) / (arithmetic * 1e9));
  near((await atMost()) / limit(1), 1, 0.03);
  await slide(toy, 'tokens', 'End');
  near((await atMost()) / limit(1024), 1, 0.03);
  assert.match(await words(), /Arithmetic is the bound/);
});

toy('gpu', async (toy, page, words) => {
  assert.match(await words(), /64 bytes from 32 lines: 2,048 bytes, of which 3% are used/);
  await choose(toy, 'way', 1);
  await slide(toy, 'step', 'ArrowRight', 6);
  assert.match(await words(), /64 bytes from 1 line: 64 bytes, of which 100% are used/);
  assert.match(await words(), /a thread a row 192 6,144 3% 32 threads a row 192 192 100%/);
});

test('no line of a grid goes through words', async () => {
  await all.page.evaluate(() => scrollTo(0, 0));
  const drawn = all.page.locator('.toy svg');
  assert.ok((await drawn.locator('line[stroke="var(--rung-line)"]').count()) > 3);
  assert.ok((await drawn.locator('text').count()) > 10);
  const crossed = await drawn.evaluateAll((drawings) =>
    drawings.flatMap((drawing) => {
      const lines = [...drawing.querySelectorAll('line[stroke="var(--rung-line)"]')].map((line) =>
        line.getBoundingClientRect(),
      );
      return [...drawing.querySelectorAll('text')]
        .filter((words) => {
          const box = words.getBoundingClientRect(),
            inside = (from, to, low, high) => from < high - 2 && to > low + 2;
          return lines.some(
            (line) =>
              inside(line.left, line.right, box.left, box.right) && inside(line.top, line.bottom, box.top, box.bottom),
          );
        })
        .map((words) => `${drawing.closest('.toy').localName}: ${words.textContent}`);
    }),
  );
  assert.deepEqual(crossed, []);
});

// What a reader types goes to the engine in the page.
async function ask(toy, page, text) {
  await toy.locator('input[name=own]').fill(text);
  await page.keyboard.press('Enter');
  await toy.locator('form button:enabled').waitFor({ timeout: 60_000 });
}
const visible = (piece) => piece.replaceAll(' ', '·');

toy(
  'heads',
  async (toy, page, words) => {
    const { text, pieces, layer, head, row } = native.own;
    await ask(toy, page, text);
    await toy.locator('select[name=layer]').selectOption(String(layer));
    await toy.getByRole('button', { name: `query head ${head}` }).click();
    const at = row.indexOf(Math.max(...row));
    const best = `${visible(pieces[at])} (${at}) ${(100 * row[at]).toFixed(1)}%`;
    assert.ok(
      (await words()).includes(`“${visible(pieces.at(-1))}” (token ${row.length - 1}) looks at ${best}`),
      `${best}: ${await words()}`,
    );
    await ask(toy, page, 'a '.repeat(40));
    assert.match(await words(), /These are \d+ tokens; the picture has room for 28\./);
  },
  'and the reader’s own text',
);

toy(
  'sampling',
  async (toy, page, words) => {
    await ask(toy, page, native.own.text);
    const [piece, probability] = native.own.next[0];
    assert.ok(
      (await words()).includes(`The likeliest, “${visible(piece)}”, has ${(100 * probability).toFixed(2)}%`),
      await words(),
    );
  },
  'and the reader’s own text',
);
