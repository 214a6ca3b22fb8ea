// The built site as readers meet it, in Chromium: every page at two widths, light and dark, under a subpath; toys by keyboard; text without JavaScript.
//   node tools/browse.mjs [--shots FOLDER]       CHROMIUM names another browser than /usr/bin/chromium
import axe from 'axe-core';
import { mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { chromium } from 'playwright-core';
import { root } from '../src/plugins/source.mjs';

const site = join(root, 'build/course');
const at = process.argv.indexOf('--shots');
const shots = at > 0 ? process.argv[at + 1] : '';
if (shots) mkdirSync(shots, { recursive: true });

const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.wasm': 'application/wasm', '.json': 'application/json' };
const server = createServer((request, answer) => {
  const path = decodeURIComponent(new URL(request.url, 'http://x').pathname);
  let file = path.startsWith('/some/where/') ? join(site, normalize(path.slice('/some/where/'.length))) : '';
  try {
    if (file && statSync(file).isDirectory()) file = join(file, 'index.html');
    answer.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' }).end(readFileSync(file));
  } catch { answer.writeHead(404).end(); }
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const base = `http://127.0.0.1:${server.address().port}/some/where/`;

let passed = 0, failed = 0;
async function test(name, body) {
  try { await body(); passed++; }
  catch (error) { failed++; console.log(`FAILED ${name}: ${error.message.split('\n').slice(0, 6).join(' | ')}`); }
}
const expect = (condition, words) => { if (!condition) throw new Error(words); };

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const pages = readdirSync(site, { recursive: true }).map(String).filter((name) => name.endsWith('.html') && !name.startsWith('source/') && name !== '404.html');

async function open(path, { width = 1280, scheme = 'light', script = true } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme, javaScriptEnabled: script, reducedMotion: 'reduce' });
  const page = await context.newPage();
  const errors = [];
  page.on('console', (message) => { if (message.type() === 'error') errors.push(message.text()); });
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('requestfailed', (request) => errors.push(`${request.url()}: ${request.failure()?.errorText}`));
  await page.goto(base + path, { waitUntil: 'load' });
  return { page, errors, close: () => context.close() };
}

for (const path of pages) {
  for (const width of [390, 1280]) {
    for (const scheme of ['light', 'dark']) {
      await test(`${path} at ${width}, ${scheme}`, async () => {
        const { page, errors, close } = await open(path, { width, scheme });
        try {
          if (shots) await page.screenshot({ path: join(shots, `${path.replace(/\/?index\.html$/, '') || 'home'}-${width}-${scheme}.png`), fullPage: true });
          expect(errors.length === 0, errors.join('; '));
          const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
          expect(over <= 0, `the page is ${over} px wider than the window`);
          await page.evaluate(axe.source);
          const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
          expect(violations.length === 0, violations.map((v) => `${v.id} (${v.nodes.length}): ${v.nodes[0].html.slice(0, 150)}`).join('; '));
        } finally { await close(); }
      });
    }
  }
  await test(`${path} without JavaScript`, async () => {
    const { page, close } = await open(path, { script: false });
    try {
      const hidden = await page.locator('main .sl-markdown-content').innerText();
      expect(hidden.length > 500, `only ${hidden.length} characters of text`);
      for (const answer of await page.locator('rung-question details, rung-predict details').all()) expect(await answer.isVisible(), 'an answer cannot be unfolded');
    } finally { await close(); }
  });
}

await test('formulas hang together', async () => {
  const { page, close } = await open('m2-forward-pass/index.html');
  try {
    const margins = await page.locator('math *').evaluateAll((parts) => parts.filter((part) => getComputedStyle(part).marginTop !== '0px').length);
    expect(margins === 0, `${margins} parts of formulas are pushed down`);
  } finally { await close(); }
});

await test('matrix product by keyboard', async () => {
  const { page, close } = await open('prerequisites/index.html');
  try {
    const toy = page.locator('rung-matmul');
    await toy.locator('select[data-name=k]').focus();
    await page.keyboard.press('3');
    await toy.locator('table button').nth(3).focus();
    await page.keyboard.press('Enter');
    // [[1 2 3] [4 5 6]] · [[5 6] [7 8] [9 10]]: row 2, column 2 is 4·6 + 5·8 + 6·10
    expect((await toy.innerText()).includes('4·6 + 5·8 + 6·10 = 124'), await toy.innerText());
  } finally { await close(); }
});

await test('bits by keyboard', async () => {
  const { page, close } = await open('m1-weights/index.html');
  try {
    const toy = page.locator('rung-bits');
    await toy.locator('input').fill('-0.11328125'); // the first weight that the page shows: bytes e8 bd
    const bits = (await toy.locator('[data-type=bf16] button').allInnerTexts()).join('');
    expect(bits === (0xbde8).toString(2), bits);
    await toy.locator('[data-type=bf16] button').first().focus();
    await page.keyboard.press('Enter'); // the sign
    expect((await toy.locator('input').inputValue()) === '0.11328125', await toy.locator('input').inputValue());
    await toy.locator('input').fill('65520');
    expect((await toy.locator('[data-type=f16] p').innerText()).includes('Infinity'), 'f16 ends at 65504');
  } finally { await close(); }
});

await test('a question, wrong and right', async () => {
  const { page, close } = await open('m0-tokenizer/index.html');
  try {
    const question = page.locator('rung-question').first();
    await question.locator('input:not([data-right])').first().check();
    expect((await question.locator('.why:visible').innerText()).length > 10, 'a wrong choice says nothing');
    await question.locator('input[data-right]').check();
    expect(await question.locator('.choice.right').isVisible(), 'the right choice is not shown as right');
    await page.reload();
    expect(await question.locator('input[data-right]').isChecked(), 'the answer is forgotten');
  } finally { await close(); }
});

await test('a prediction', async () => {
  const { page, close } = await open('m0-tokenizer/index.html');
  try {
    const predict = page.locator('rung-predict').first();
    await predict.locator('input').fill('7');
    await page.keyboard.press('Enter');
    expect((await predict.innerText()).includes('You said 7, it is 4 tokens.'), await predict.innerText());
  } finally { await close(); }
});

await browser.close();
server.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
