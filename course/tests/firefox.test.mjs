// The first page and a toy in Firefox ESR, through WebDriver BiDi. Skipped, by name, where there is none.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, test } from 'node:test';
import puppeteer from 'puppeteer-core';
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
