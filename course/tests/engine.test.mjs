// The engine in the page: the story of the first page, Look inside, the gallery of mistakes; what they show is what the
// program printed.
import assert from 'node:assert/strict';
import axe from 'axe-core';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { root } from '../src/plugins/source.mjs';
import { on, opener } from './site.mjs';

const open = await opener();
const place = mkdtempSync(join(tmpdir(), 'rung-'));
after(() => rmSync(place, { recursive: true }));
const recorded = (command) =>
  readFileSync(join(root, 'course/recorded', `${command}.txt`), 'utf8')
    .split('\n')
    .slice(1)
    .join('\n')
    .trim();

// What axe finds, light and dark, in what the engine has drawn.
async function violations(page) {
  await page.evaluate(axe.source);
  const found = [];
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.waitForFunction((theme) => document.documentElement.dataset.theme === theme, scheme);
    const result = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
    found.push(...result.violations.map((one) => `${scheme}: ${one.id}: ${one.nodes[0].html.slice(0, 150)}`));
  }
  return found;
}

for (const width of [390, 1280]) {
  test(`home's story is told in the page, word for word, at ${width}`, () =>
    on(open, 'index.html', { width }, async (page, { errors }) => {
      const story = page.locator('rung-story');
      await page.waitForFunction(() => document.querySelector('rung-story').dataset.told === '1');
      assert.equal(
        (await story.locator('blockquote').innerText()).replace(/\s+/g, ' '),
        `Once upon a time${recorded('generate-device-reference-temperature-0-n-40-once-upon-a-time')}`.replace(
          /\s+/g,
          ' ',
        ),
      );
      assert.equal(
        await story.getByText('as the engine printed it').isVisible(),
        false,
        'the printed story has made room',
      );
      await story.locator('[name=prompt]').fill('The dog');
      await page.keyboard.press('Enter');
      await page.waitForFunction(() => document.querySelector('rung-story').dataset.told === '2');
      assert.match(await story.locator('blockquote').innerText(), /^The dog ./);
      await story.locator('[name=prompt]').fill(' ');
      await page.keyboard.press('Enter');
      await story.getByText('A word to begin with, please.').waitFor();
      await story.locator('[name=prompt]').fill('The dog');
      await page.keyboard.press('Enter');
      await page.waitForFunction(() => document.querySelector('rung-story').dataset.told === '3');
      assert.deepEqual(await violations(page), []);
      assert.match(await story.locator('.note').innerText(), /40 tokens by pebble, in this page: \d+ a second/);
      assert.deepEqual(errors, []);
    }));
}

test('a theme that is chosen while a model is looked into changes nothing', () => {
  const choosing = () =>
    setInterval(() => {
      const dataset = document.documentElement?.dataset;
      if (dataset) dataset.theme = dataset.theme === 'dark' ? 'light' : 'dark';
    });
  const before = (page) => page.addInitScript(choosing);
  return on(open, 'look-inside/index.html', { before }, async (page, { errors }) => {
    await looked(page, 1);
    assert.deepEqual(errors, []);
  });
});

const looked = (page, times) =>
  page.waitForFunction((n) => document.querySelector('rung-look').dataset.looked === String(n), times);

test('Look inside: what comes next, heads, a head switched off, by keyboard', () =>
  on(open, 'look-inside/index.html', {}, async (page, { errors }) => {
    const look = page.locator('rung-look');
    await looked(page, 1);
    // " 95.55%     1302  ' lantern'  ███": the program's likeliest, in whole percents here
    const [, share, piece] = /([\d.]+)% +\d+ +'([^']*)'/.exec(
      recorded('logits-device-reference-top-3-the-fox-gave-the-lantern-to-mia-mia-has-the'),
    );
    const next = (await look.locator('.bars tr').first().innerText()).split(/\s+/).filter(Boolean);
    assert.deepEqual(next, [piece.replaceAll(' ', '·'), `${Math.round(Number(share))}%`]);
    assert.match(
      await look.locator('.note').innerText(),
      /^pebble: 5 layers, 4 query heads .* 11 tokens, \d+ tensors\.$/,
    );
    assert.match(
      await look.locator('.lens tr').last().innerText(),
      new RegExp(`layer 4\\s+·lantern ${Math.round(Number(share))}%`),
    );
    const heads = look.locator('.heads button');
    assert.equal(await heads.count(), 4);
    await heads.nth(1).focus();
    await page.keyboard.press('Enter');
    assert.equal(await heads.nth(1).getAttribute('aria-pressed'), 'true');
    assert.match(await look.innerText(), /the stronger the colour, the more/, 'true of light and dark');
    assert.match(await look.innerText(), /Layer 3, head 1: token 10, “·the”, looks at/);
    await look.locator('[aria-label="layer 3 attention"]').focus();
    await page.keyboard.press('Space');
    await looked(page, 2);
    assert.match(
      await look.innerText(),
      /Off: layer 3 attention\. The first tensor that is another: layer\.3\.attention\./,
    );
    assert.equal(await look.locator('.beside table').count(), 2);
    await look.locator('[name=tensor]').selectOption('layer.0.q_norm');
    await page.waitForFunction(() =>
      /numbers of layer\.0\.q_norm/.test(document.querySelector('rung-look .values')?.getAttribute('aria-label')),
    );
    assert.equal((await look.locator('.values').innerText()).split(' ').length, 128);
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(errors, []);
  }));

test("Look inside takes a model of one's own, says in a line what is wrong with it, and lives on", () =>
  on(open, 'look-inside/index.html', {}, async (page, { errors }) => {
    const look = page.locator('rung-look');
    await looked(page, 1);
    await look.locator('summary').click();
    const input = look.locator('input[type=file]').first();
    const small = join(place, 'small.gguf');
    execFileSync(process.env.RUNG ?? join(root, 'build/release/src/cli/rung'), [
      'quantize',
      join(root, 'models/pebble'),
      '--to',
      'q4_1',
      small,
    ]);
    await input.setInputFiles({ name: 'broken.gguf', mimeType: '', buffer: readFileSync(small).subarray(0, 5000) });
    await page.waitForFunction(() =>
      /^broken\.gguf: [^\n]+$/.test(document.querySelector('rung-look .note').textContent),
    );
    await input.setInputFiles({ name: 'photo.jpg', mimeType: '', buffer: Buffer.from('x') });
    await page.waitForFunction(() =>
      document.querySelector('rung-look .note').textContent.startsWith('photo.jpg: expected a .gguf'),
    );
    await look.locator('textarea').fill('a b c');
    await look.getByRole('button', { name: 'Look inside' }).click();
    await looked(page, 2);
    assert.match(await look.locator('.note').innerText(), /^pebble: /, 'the model before is still there');
    await input.setInputFiles(small);
    await looked(page, 3);
    assert.match(await look.locator('.note').innerText(), /^small\.gguf: 5 layers/);
    assert.deepEqual(errors, []);
  }));

test('the gallery makes every mistake, and each is first seen where the page says', () =>
  on(open, 'mistakes/index.html', {}, async (page, { errors }) => {
    const printed = await page.evaluate(async () => {
      const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), 'text/html');
      return [...page.querySelectorAll('rung-mistakes .ec-line')]
        .slice(1)
        .map((line) => line.textContent.trim().split(/ +/));
    });
    assert.equal(printed.length, 33);
    await page.waitForFunction(() => document.querySelector('rung-mistakes').dataset.shown);
    const select = page.locator('rung-mistakes select');
    await select.focus();
    for (const [i, [name, first]] of printed.entries()) {
      if (i > 0) await page.keyboard.press('ArrowDown');
      await page.waitForFunction((shown) => document.querySelector('rung-mistakes').dataset.shown === shown, name);
      assert.match(
        await page.locator('rung-mistakes').innerText(),
        first === '-'
          ? /No tensor is wrong, and no word of the story: pebble/
          : new RegExp(`The first tensor that is wrong: ${first}\\.`),
        name,
      );
    }
    const names = await select.locator('option').allInnerTexts();
    assert.deepEqual(names, [...new Set(names)], 'a name stands there twice');
    // and of exercises
    const shown = async (name) => {
      await select.selectOption(name);
      await page.waitForFunction((shown) => document.querySelector('rung-mistakes').dataset.shown === shown, name);
      return (await page.locator('rung-mistakes').innerText()).replace(/\s+/g, ' ');
    };
    const same = /The story is the same, word for word/;
    for (const [name, words] of [
      ['m2-gqa divided-by-kv-heads', /no word of the story: .* 4 \/ 2 is 2 again\. It takes another model\./],
      ['m2-softmax no-maximum', /no word of the story: pebble’s scores are too small/],
      ['m1-safetensors-header sum-wraps', /no word of the story: it takes another file\./],
      ['m3-argmax the-unlikeliest', /No tensor is wrong: only the story tells\./],
    ]) {
      assert.match(await shown(name), words);
      assert.doesNotMatch(await shown(name), same, name);
    }
    assert.match(await shown('m2-causal-mask causal-mask'), same);
    assert.match(await shown('m1-bf16 bytes-swapped'), /m1-bf16 bytes-swapped: .* Here it ends: the model gave/);
    await page.locator('rung-mistakes [name=prompt]').fill(' ');
    await page.keyboard.press('Enter');
    await page.locator('rung-mistakes').getByText('A word to begin with, please.').waitFor();
    assert.equal(await page.locator('rung-mistakes blockquote').count(), 0, 'a story that begins with nothing');
    await page.locator('rung-mistakes [name=prompt]').fill('Once upon a time');
    // one of four bits stands beside the story that four bits tell without it
    const sound = () => page.locator('rung-mistakes blockquote').first().innerText();
    await shown('m1-q4-0 upper-four-first');
    const ofFourBits = await sound();
    const name = 'm2-rms-norm rms-norm-sum';
    await select.selectOption(name);
    await page.waitForFunction((shown) => document.querySelector('rung-mistakes').dataset.shown === shown, name);
    assert.notEqual(await sound(), ofFourBits);
    assert.match(
      await page.locator('rung-mistakes').innerText(),
      /first wrong in pebble: layer\.0\.attention_norm, at token 0 of 0 to \d+, "Once"/,
    );
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(errors, []);
  }));
