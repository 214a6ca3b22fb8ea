// Every page: at two widths, light and dark, without violations that axe finds, without a sideways scroll, within its
// weight; its text without JavaScript; no motion where none is wanted. SHOTS=FOLDER leaves pictures of all: look at
// them.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import axe from 'axe-core';
import { on, opener, pages, site } from './site.mjs';

const shots = process.env.SHOTS;
if (shots) mkdirSync(shots, { recursive: true });
const open = await opener();
const most = 120_000; // bytes of a page before the engine, as a host that compresses sends them

async function look(page, errors, path, width, scheme) {
  if (shots)
    await page.screenshot({
      path: join(shots, `${path.replace(/\/?index\.html$/, '').replaceAll('/', '-') || 'home'}-${width}-${scheme}.png`),
      fullPage: true,
    });
  const where = `at ${width} px, ${scheme}`;
  assert.deepEqual(errors, [], `the console is not empty, ${where}`);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(over <= 0, `the page is ${over} px wider than the window, ${where}`);
  // Of what axe knows, only the colours differ between light and dark.
  const options = {
    resultTypes: ['violations'],
    ...(scheme === 'dark' && { runOnly: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] } }),
  };
  const { violations } = await page.evaluate((how) => globalThis.axe.run(document, how), options);
  assert.deepEqual(
    violations.map((v) => `${v.id} (${v.nodes.length}): ${v.nodes[0].html.slice(0, 150)}`),
    [],
    where,
  );
}

// What a page is before the engine, packed: [[bytes, name]].
const weights = new Map();
function weigh(addresses) {
  return [...new Set(addresses)]
    .filter((address) => address.startsWith('http'))
    .map((address) => new URL(address).pathname.replace('/some/where/', ''))
    .filter((name) => !name.startsWith('engine/'))
    .map((name) => {
      if (!weights.has(name)) weights.set(name, gzipSync(readFileSync(join(site, name))).length);
      return [weights.get(name), name];
    });
}

describe('every page', { concurrency: 2 }, () => {
  for (const path of pages) {
    // Loaded once: a window that grows is laid out anew, as one is that is turned.
    test(`${path} at 390 and 1280`, () => {
      const asked = [];
      const before = (page) => page.on('request', (request) => asked.push(request.url()));
      const arrived = () => {
        const sizes = weigh(asked);
        const sum = sizes.reduce((total, [size]) => total + size, 0);
        assert.ok(
          sum <= most,
          `${sum} bytes, of ${most}: ${sizes.map(([size, name]) => `${name} ${size}`).join(', ')}`,
        );
      };
      return on(open, path, { width: 390, fresh: false, before, arrived }, async (page, { errors }) => {
        await page.evaluate(axe.source);
        for (const [width, scheme] of [
          [390, 'light'],
          [390, 'dark'],
          [1280, 'dark'],
          [1280, 'light'],
        ]) {
          await page.setViewportSize({ width, height: 900 });
          await page.emulateMedia({ colorScheme: scheme });
          await page.waitForFunction((theme) => document.documentElement.dataset.theme === theme, scheme);
          await look(page, errors, path, width, scheme);
        }
        const moving = await page.evaluate(() =>
          document
            .getAnimations()
            .filter((a) => a.playState === 'running')
            .map((a) => a.effect.target.outerHTML.slice(0, 100)),
        );
        assert.deepEqual(moving, [], 'something moves where no motion is wanted');
      });
    });

    test(`${path} without JavaScript says what it is, and all of it`, () =>
      on(open, path, { script: false, fresh: false }, async (page) => {
        const text = await page.locator('main .sl-markdown-content').innerText();
        assert.ok(text.length > 500, `only ${text.length} characters of text`);
        const missing = await page.evaluate(() =>
          [...document.querySelectorAll('main .sl-markdown-content *')]
            .filter(
              (part) =>
                part.localName.startsWith('rung-') &&
                (part.matches('rung-question, rung-predict')
                  ? !part.querySelector('details summary')?.checkVisibility()
                  : !part.querySelector(':scope > figure > figcaption, :scope > noscript')?.checkVisibility()),
            )
            .map((part) => part.outerHTML.slice(0, 100)),
        );
        assert.deepEqual(missing, [], 'neither an answer to unfold nor a figure with its caption');
        assert.match(await page.locator('.built').first().innerText(), /Built for Rung \d+\.\d+\.\d+/);
        if (!/^(404|glossary|diary)/.test(path))
          assert.match(await page.locator('.about').innerText(), /For .+\d+ minutes.+(easy|middling|hard)/s);
      }));
  }
});
