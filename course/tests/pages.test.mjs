// Every page: at two widths, light and dark, without violations that axe finds, without a sideways scroll, within its weight; its text without
// JavaScript; no motion where none is wanted. SHOTS=FOLDER leaves pictures of all: look at them.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import axe from 'axe-core';
import { on, opener, pages } from './site.mjs';

const shots = process.env.SHOTS;
if (shots) mkdirSync(shots, { recursive: true });
const open = await opener();
const most = 120_000; // bytes of a page before the engine, as a host that compresses sends them

async function look(page, errors, path, width, scheme) {
  if (shots) await page.screenshot({ path: join(shots, `${path.replace(/\/?index\.html$/, '').replaceAll('/', '-') || 'home'}-${width}-${scheme}.png`), fullPage: true });
  assert.deepEqual(errors, [], 'the console is not empty');
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(over <= 0, `the page is ${over} px wider than the window`);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  assert.deepEqual(violations.map((v) => `${v.id} (${v.nodes.length}): ${v.nodes[0].html.slice(0, 150)}`), []);
}

describe('every page', { concurrency: 2 }, () => {
  for (const path of pages) {
    for (const width of [390, 1280]) {
      test(`${path} at ${width}`, () => on(open, path, { width }, async (page, { errors }) => {
        await page.evaluate(axe.source);
        for (const scheme of ['light', 'dark']) {
          await page.emulateMedia({ colorScheme: scheme });
          await page.waitForFunction((theme) => document.documentElement.dataset.theme === theme, scheme);
          await look(page, errors, path, width, scheme);
        }
      }));
    }

    test(`${path} without JavaScript`, () => on(open, path, { script: false }, async (page) => {
      const text = await page.locator('main .sl-markdown-content').innerText();
      assert.ok(text.length > 500, `only ${text.length} characters of text`);
      const missing = await page.evaluate(() => [...document.querySelectorAll('main .sl-markdown-content *')]
        .filter((part) => part.localName.startsWith('rung-') && (part.matches('rung-question, rung-predict')
          ? !part.querySelector('details summary')?.checkVisibility()
          : !part.querySelector('figure figcaption, noscript')?.checkVisibility()))
        .map((part) => part.outerHTML.slice(0, 100)));
      assert.deepEqual(missing, [], 'neither an answer to unfold nor a figure with its caption');
    }));

    test(`${path} weighs at most ${most / 1000} kB, and nothing moves`, () => {
      const bodies = [];
      const before = (page) => page.on('response', (answer) => bodies.push(answer));
      return on(open, path, { before }, async (page) => {
        const sizes = [];
        for (const answer of bodies) {
          const engine = answer.url().includes('/engine/');
          if (!engine && answer.url().startsWith('http') && answer.ok()) sizes.push([gzipSync(await answer.body()).length, answer.url().replace(/.*\/some\/where\//, '')]);
        }
        const sum = sizes.reduce((total, [size]) => total + size, 0);
        assert.ok(sum <= most, `${sum} bytes: ${sizes.map(([size, name]) => `${name} ${size}`).join(', ')}`);
        const moving = await page.evaluate(() => document.getAnimations().filter((a) => a.playState === 'running').map((a) => a.effect.target.outerHTML.slice(0, 100)));
        assert.deepEqual(moving, []);
      });
    });

    test(`${path} says what it is`, () => on(open, path, { script: false }, async (page) => {
      assert.match(await page.locator('.built').innerText(), /Built for Rung \d+\.\d+\.\d+/);
      if (!/^(404|glossary|diary)/.test(path)) assert.match(await page.locator('.about').innerText(), /For .+\d+ minutes.+(easy|middling|hard)/s);
    }));
  }
});
