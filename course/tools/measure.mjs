// bench/page: when the first page's largest content is there, and when pebble's story begins; how long a check of an
// exercise takes. Nothing is asserted: times depend on the machine.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { root, version } from '../src/plugins/source.mjs';
import { launch, serve } from './serve.mjs';

const runs = 9;
const server = await serve({ hosted: true });
const browser = await launch();

// In the page, from its first moment: milliseconds since the navigation began.
function watch() {
  globalThis.seen = { paint: 0, largest: 0, story: 0 };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) globalThis.seen.largest = entry.startTime;
  }).observe({ type: 'largest-contentful-paint', buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) globalThis.seen.paint ||= entry.startTime;
  }).observe({ type: 'paint', buffered: true });
  const look = () => {
    // the engine's first word: what stands inside before is the printed story
    if (!document.querySelector('rung-story blockquote:not([hidden])')) return;
    globalThis.seen.story = performance.now();
    observer.disconnect();
  };
  const observer = new MutationObserver(look);
  observer.observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['hidden'] });
}

async function visit(context) {
  const page = await context.newPage();
  await page.addInitScript(watch);
  let bytes = 0;
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  session.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength;
  });
  await page.goto(server.base + 'index.html', { waitUntil: 'load' });
  const atLoad = bytes;
  if ((await page.locator('rung-story').count()) > 0)
    await page.waitForFunction(() => globalThis.seen.story > 0, null, { timeout: 60_000 });
  else await page.waitForTimeout(500);
  const seen = await page.evaluate(() => globalThis.seen);
  await page.close();
  return {
    'first paint': seen.paint,
    'largest content': seen.largest,
    'first story': seen.story || null,
    'bytes until loaded': atLoad,
  };
}

const file = join(root, 'bench/page.json');
const when = () => ({
  machine: `${cpus()[0].model.trim()}, ${cpus().length} threads`,
  load: loadavg()[0].toFixed(1), // above the number of threads: the machine was busy with other work
  date: new Date().toISOString().slice(0, 10),
  rung: version,
  browser: `Chromium ${browser.version()}`,
});

async function firstPage() {
  const seen = { cold: [], warm: [] };
  await (async () => {
    // one visit that does not count: the browser's own start
    const context = await browser.newContext();
    await visit(context);
    await context.close();
  })();
  for (let i = 0; i < runs; ++i) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    seen.cold.push(await visit(context));
    seen.warm.push(await visit(context));
    await context.close();
  }
  const result = {
    what: 'the first page on loopback: milliseconds from the navigation on, bytes as sent; the median of the visits and the slowest',
    ...when(),
    visits: runs,
  };
  for (const [state, visits] of Object.entries(seen)) {
    result[state] = Object.fromEntries(
      Object.keys(visits[0]).map((key) => {
        const values = visits.map((each) => each[key]);
        return [
          key,
          values.includes(null)
            ? null
            : { median: Math.round(median(values)), slowest: Math.round(Math.max(...values)) },
        ];
      }),
    );
  }
  return result;
}

// An exercise: from the first key in the editor, with nothing kept and on a second visit, to the checks; then compiling
// alone.
async function exercise(context) {
  const page = await context.newPage();
  await page.goto(`${server.base}exercises/m2-rms-norm/index.html`, { waitUntil: 'load' });
  await page.locator('rung-exercise').scrollIntoViewIfNeeded();
  await page.waitForSelector('rung-exercise[data-ready]');
  const write = async (text) => {
    const before = Number(await page.locator('rung-exercise').getAttribute('data-checked'));
    const began = performance.now();
    await page.locator('rung-exercise .cm-content').focus();
    await page.keyboard.press('Control+a');
    await page.keyboard.insertText(text);
    await page.keyboard.press('Control+Enter');
    const done = (n) => Number(document.querySelector('rung-exercise').dataset.checked) > n;
    await page.waitForFunction(done, before, { timeout: 120_000, polling: 20 });
    const compiled = Number(await page.locator('rung-exercise').getAttribute('data-milliseconds'));
    return { all: performance.now() - began, compiled };
  };
  const solution = readFileSync(join(root, 'course/exercises/m2-rms-norm/solution.cpp'), 'utf8');
  const first = await write(solution);
  const later = [];
  for (let i = 0; i < 5; ++i) later.push(await write(`${solution}// ${i}\n`));
  const error = await write(solution.replace(';', ''));
  await page.close();
  return {
    'first check': first.all,
    'a later check': median(later.map(({ all }) => all)),
    'compiling, later': median(later.map(({ compiled }) => compiled)),
    'an error': error.all,
  };
}

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
const result = process.argv.includes('--exercise') ? JSON.parse(readFileSync(file, 'utf8')) : await firstPage();
const exercises = { cold: [], warm: [] };
for (let i = 0; i < 3; ++i) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  for (const checks of Object.values(exercises)) checks.push(await exercise(context));
  await context.close();
}
result.exercise = {
  what:
    'a check of the exercise on RMSNorm, from the text in the editor to the answer: milliseconds, the median of three ' +
    'visits; an error: a semicolon that is missing, to its message',
  ...when(),
  ...Object.fromEntries(
    Object.entries(exercises).map(([state, visits]) => [
      state,
      Object.fromEntries(
        Object.keys(visits[0]).map((key) => [key, Math.round(median(visits.map((each) => each[key])))]),
      ),
    ]),
  ),
};
await browser.close();
server.close();
console.log(JSON.stringify(result, null, 1));
if (process.argv.includes('--keep')) writeFileSync(file, JSON.stringify(result, null, 1) + '\n');
