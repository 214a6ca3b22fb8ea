// The built site on a server of its own, and Chromium to look at it: for the tests and for bench/page.
import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { root } from '../src/plugins/source.mjs';

export const site = join(root, 'build/course');

const types = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
};

// The site under /some/where/ and nothing beside it, so that an address that only works at the top is a 404.
// `hosted`: as hosts do, packed with gzip, and kept by the browser for an hour.   → {base, close}
export async function serve({ hosted = false } = {}) {
  const packed = new Map();
  const send = (answer, file) => {
    const headers = { 'content-type': types[extname(file)] ?? 'application/octet-stream' };
    if (!hosted) {
      answer.writeHead(200, headers).end(readFileSync(file));
      return;
    }
    if (!packed.has(file)) packed.set(file, gzipSync(readFileSync(file)));
    answer
      .writeHead(200, { ...headers, 'content-encoding': 'gzip', 'cache-control': 'max-age=3600' })
      .end(packed.get(file));
  };
  const server = createServer((request, answer) => {
    const path = decodeURIComponent(new URL(request.url, 'http://x').pathname);
    let file = path.startsWith('/some/where/') ? join(site, normalize(path.slice('/some/where/'.length))) : '';
    try {
      if (statSync(file).isDirectory()) file = join(file, 'index.html');
      send(answer, file);
    } catch {
      answer.writeHead(404).end();
    }
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return { base: `http://127.0.0.1:${server.address().port}/some/where/`, close: () => server.close() };
}

// CHROMIUM names another browser than Debian's.
export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
