// What the tests of the built site share: a server that has it in a folder of its own, and a browser that opens its pages.
// CHROMIUM and FIREFOX name other browsers than Debian's.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { after } from 'node:test';
import { chromium } from 'playwright-core';
import { root } from '../src/plugins/source.mjs';

export const site = join(root, 'build/course');
export const pages = readdirSync(site, { recursive: true }).map(String)
  .filter((name) => name.endsWith('.html') && !/^(source|book)\//.test(name) && name !== '404.html').sort();

const types = {
  '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm', '.json': 'application/json',
};

// The site under /some/where/ and nothing beside it, so that an address that only works at the top is a 404.
export async function serve() {
  const server = createServer((request, answer) => {
    const path = decodeURIComponent(new URL(request.url, 'http://x').pathname);
    let file = path.startsWith('/some/where/') ? join(site, normalize(path.slice('/some/where/'.length))) : '';
    try {
      if (statSync(file).isDirectory()) file = join(file, 'index.html');
      answer.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' }).end(readFileSync(file));
    } catch { answer.writeHead(404).end(); }
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  after(() => server.close());
  return `http://127.0.0.1:${server.address().port}/some/where/`;
}

export async function launch() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  after(() => browser.close());
  return browser;
}

// opener() → open(path, {width, scheme, script, motion, context}): a page in a browser of this test file, as `{page, errors, close}`.
// Everything that a console or a network panel would show in red is in `errors`.
export async function opener() {
  const [base, browser] = await Promise.all([serve(), launch()]);
  return async function open(path, { width = 1280, scheme = 'light', script = true, motion = 'reduce', before } = {}) {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme, javaScriptEnabled: script, reducedMotion: motion });
    const page = await context.newPage();
    const errors = [];
    page.on('console', (message) => { if (message.type() === 'error') errors.push(message.text()); });
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('requestfailed', (request) => { // a page that is left stops what it was still asking for
      if (request.failure()?.errorText !== 'net::ERR_ABORTED') errors.push(`${request.url()}: ${request.failure()?.errorText}`);
    });
    page.on('request', (request) => { if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(base)) errors.push(`asks for ${request.url()}`); });
    await before?.(page);
    await page.goto(base + path, { waitUntil: 'load' });
    return { page, errors, close: () => context.close() };
  };
}

// using(open, path, options, body): body with the page, which is closed whatever happens.
export async function on(open, path, options, body) {
  const opened = await open(path, options);
  try { return await body(opened.page, opened); } finally { await opened.close(); }
}
