// What the tests of the built site share: its pages, and a browser that opens them. CHROMIUM and FIREFOX name other
// browsers than Debian's.
import { readdirSync } from 'node:fs';
import { after } from 'node:test';
import * as tools from '../tools/serve.mjs';

export const site = tools.site;
export const pages = readdirSync(site, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith('.html') && !/^(source|book)\//.test(name) && name !== '404.html')
  .sort();

export async function serve() {
  const { base, close } = await tools.serve();
  after(close);
  return base;
}

// opener() → open(path, {width, scheme, script, motion, …}): a page in a browser of this test file, as `{page, errors,
// close}`. Everything that a console or a network panel would show in red is in `errors`. `before` is called before the
// page is asked for, `arrived` when it has loaded and nothing was scrolled. `fresh: false`: a reader who was on other
// pages before, which costs less.
export async function opener() {
  const [base, browser] = await Promise.all([serve(), tools.launch()]);
  after(() => browser.close());
  const kept = new Map();
  return async function open(
    path,
    {
      width = 1280,
      scheme = 'light',
      script = true,
      motion = 'reduce',
      touch = false, // a screen that is touched, and no keyboard
      scroll = true,
      fresh = true,
      before,
      arrived,
    } = {},
  ) {
    const make = () =>
      browser.newContext({
        viewport: { width, height: 900 },
        colorScheme: scheme,
        javaScriptEnabled: script,
        reducedMotion: motion,
        hasTouch: touch,
        isMobile: touch,
      });
    const key = `${width} ${scheme} ${script} ${motion} ${touch}`;
    if (!fresh && !kept.has(key)) kept.set(key, make());
    const context = await (fresh ? make() : kept.get(key));
    context.setDefaultTimeout(120_000); // a busy machine is slow, not wrong
    const page = await context.newPage();
    const errors = [];
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('requestfailed', (request) => {
      // a page that is left stops what it was still asking for
      if (request.failure()?.errorText !== 'net::ERR_ABORTED')
        errors.push(`${request.url()}: ${request.failure()?.errorText}`);
    });
    page.on('request', (request) => {
      if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(base))
        errors.push(`asks for ${request.url()}`);
    });
    await before?.(page);
    await page.goto(base + path, { waitUntil: 'load' });
    await arrived?.(page);
    if (script && scroll) {
      // a toy comes when its reader does
      await page.evaluate(async () => {
        const coming = [...document.querySelectorAll(':not(:defined)')].filter((part) =>
          part.localName.startsWith('rung-'),
        );
        for (const toy of coming) {
          toy.scrollIntoView({ behavior: 'instant' });
          await Promise.race([
            customElements.whenDefined(toy.localName),
            new Promise((late) => setTimeout(late, 15_000)),
          ]);
        }
        scrollTo({ top: 0, behavior: 'instant' });
      });
    }
    return { page, errors, close: () => (fresh ? context : page).close() };
  };
}

// on(open, path, options, body): body with the page, which is closed whatever happens.
export async function on(open, path, options, body) {
  const opened = await open(path, options);
  try {
    return await body(opened.page, opened);
  } finally {
    await opened.close();
  }
}
