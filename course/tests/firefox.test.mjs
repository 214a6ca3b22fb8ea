// The first page, a toy and an exercise in Firefox ESR, through WebDriver BiDi. Skipped, by name, where there is none.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import puppeteer from 'puppeteer-core';
import { root } from '../src/plugins/source.mjs';
import { serve } from './site.mjs';

const executablePath = process.env.FIREFOX ?? '/usr/bin/firefox-esr';
const skip = existsSync(executablePath) ? false : `no ${executablePath}`;
let base, browser;
if (!skip) {
  base = await serve();
  browser = await puppeteer.launch({ browser: 'firefox', executablePath, headless: true });
  after(() => browser.close());
}

async function open(path) {
  const page = await browser.newPage();
  const errors = [];
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(error.message));
  await page.setViewport({ width: 1280, height: 900 });
  await page.goto(base + path, { waitUntil: 'load' });
  return { page, errors };
}

test('the first page in Firefox', { skip }, async () => {
  const { page, errors } = await open('index.html');
  const text = await page.$eval('main', (main) => main.innerText);
  assert.match(text, /Two commands/);
  assert.deepEqual(errors, []);
  await page.close();
});

test('the matrix product in Firefox, by keyboard', { skip }, async () => {
  const { page, errors } = await open('prerequisites/index.html');
  await page.$eval('rung-matmul', (toy) => toy.scrollIntoView());
  await page.waitForSelector('rung-matmul table button');
  await page.focus('rung-matmul table button');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.match(await page.$eval('rung-matmul', (toy) => toy.innerText), /Row 1 times column 2: 1·6 \+ 2·8 = 22/);
  assert.deepEqual(errors, []);
  await page.close();
});

test('RMSNorm in Firefox, by keyboard: wrong, an index beyond a span, right, the story', { skip }, async () => {
  const source = (file) => readFileSync(join(root, 'course/exercises/m2-rms-norm', file), 'utf8');
  const { page, errors } = await open('exercises/m2-rms-norm/index.html');
  await page.$eval('rung-exercise', (exercise) => exercise.scrollIntoView());
  await page.waitForSelector('rung-exercise[data-ready]');
  let checks = 0;
  const check = async (text) => {
    await page.focus('rung-exercise .cm-content');
    await page.keyboard.down('Control');
    await page.keyboard.press('a');
    await page.keyboard.up('Control');
    await page.keyboard.press('Delete');
    await page.evaluate((words) => document.execCommand('insertText', false, words), text);
    await page.keyboard.down('Control');
    await page.keyboard.press('Enter');
    await page.keyboard.up('Control');
    const done = (n) => document.querySelector('rung-exercise').dataset.checked === String(n);
    await page.waitForFunction(done, { timeout: 120_000 }, ++checks);
    return page.$eval('rung-exercise', (exercise) => exercise.innerText);
  };
  assert.match(await check(source('wrong/sum.cpp')), /By hand: failed .*not divided by how many there are/s);
  const solution = source('solution.cpp'),
    line = solution.slice(0, solution.indexOf('{')).split('\n').length + 1;
  const beyond = new RegExp(`Line ${line}: index \\d+ is beyond the end of a span of \\d+`);
  assert.match(await check(solution.replace('{', '{\n  out[0] = x[x.size()];')), beyond);
  assert.match(await check(solution), /All checks passed: pebble runs with your code\..*The same, word for word/s);
  assert.deepEqual(errors, []);
  await page.close();
});
