// After the build: the pages of the source that others link to, addresses that work under any path, and a check of
// every link and anchor.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { root } from '../src/plugins/source.mjs';
import { sourcePage } from '../src/plugins/source-page.mjs';

const site = join(root, 'build/course');
const pages = () =>
  readdirSync(site, { recursive: true })
    .filter((name) => name.endsWith('.html'))
    .map(String);
const links = (text) => [...text.matchAll(/ (?:href|src)="([^"]*)"/g)].map((m) => m[1].replace(/&amp;/g, '&'));

function writeSource(path) {
  const out = join(site, 'source', path + '.html');
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, sourcePage(path));
}

const sources = new Set();
for (const page of pages()) {
  for (const link of links(readFileSync(join(site, page), 'utf8'))) {
    const match = /^\/source\/(.*)\.html(?:#.*)?$/.exec(link);
    if (match) sources.add(match[1]);
  }
}
for (const path of sources) writeSource(path);

// Regions have names of their own and are reached by keyboard, which the generator leaves out.
for (const page of pages().filter((name) => !name.startsWith('source/'))) {
  const path = join(site, page);
  let count = 0;
  writeFileSync(
    path,
    readFileSync(path, 'utf8')
      .replace(/<pre data-language/g, () => `<pre tabindex="0" aria-label="code ${++count}" data-language`)
      .replace(/<table>/g, '<table tabindex="0">')
      .replace(/aria-label="formula"/g, () => `aria-label="formula ${++count}"`)
      .replace(/<p class="built book">.*?<\/p>/s, (words) => (existsSync(join(site, 'book')) ? words : '')),
  ); // made where there is a browser
}

// A page at a/b/ says ../../ for the root: so the folder works wherever it is put.
for (const page of pages()) {
  const path = join(site, page);
  const up = relative(dirname(path), site) || '.';
  const text = readFileSync(path, 'utf8');
  const made = text.replace(/( (?:href|src|data-root)=")\/(?!\/)([^"]*)/g, (_, before, rest) => {
    const page = /(^|\/)([?#].*)?$/.test(rest) ? rest.replace(/(^|\/)([?#].*)?$/, '$1index.html$2') : rest;
    return before + posix.join(up.replaceAll('\\', '/'), page);
  });
  if (made !== text) writeFileSync(path, made);
}

const failures = [];
// A backtick in the text is Markdown that came out as it is: code cut by the bars of a table, for one.
for (const page of pages().filter((name) => !name.startsWith('source/'))) {
  const text = readFileSync(join(site, page), 'utf8')
    .replace(/<(script|style|pre|code|annotation)\b.*?<\/\1>/gs, '')
    .replace(/<[^>]*>/g, '');
  const at = text.indexOf('`');
  if (at >= 0)
    failures.push(`${page}: a backtick is shown: …${text.slice(Math.max(at - 40, 0), at + 20).replace(/\s+/g, ' ')}…`);
}

const anchors = new Map();
const anchorsOf = (path) => {
  if (!anchors.has(path))
    anchors.set(path, new Set([...readFileSync(path, 'utf8').matchAll(/ id="([^"]*)"/g)].map((m) => m[1])));
  return anchors.get(path);
};
for (const page of pages()) {
  const path = join(site, page);
  for (const link of links(readFileSync(path, 'utf8'))) {
    if (/^[a-z]+:/.test(link)) continue;
    const [file, anchor] = link.split('#');
    const target = file ? join(dirname(path), decodeURIComponent(file.split('?')[0])) : path;
    if (!existsSync(target)) failures.push(`${page}: ${link} leads nowhere`);
    else if (
      anchor &&
      anchor !== '_top' &&
      target.endsWith('.html') &&
      !anchorsOf(target).has(decodeURIComponent(anchor))
    ) {
      failures.push(`${page}: ${link} has no such anchor`);
    }
  }
}
// Comments and documents name pages as course/m2-forward-pass#attention, and files of the tree.
const written = [
  'README.md',
  'CONTRIBUTING.md',
  'bench/README.md',
  ...['src', 'docs', 'web/src']
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true })
        .map((name) => `${folder}/${name}`)
        .filter((name) => /\.(h|cpp|md|mm|ts)$/.test(name)),
    ),
];
for (const file of written) {
  for (const [, path, anchor] of readFileSync(join(root, file), 'utf8').matchAll(
    /(?<![\w/.-])course\/([\w-]+(?:[./][\w-]+)*)(?:#([\w-]+))?/g,
  )) {
    if (/(^|\/)NAME(\/|$)/.test(path)) continue; // any of them
    const page = join(site, path, 'index.html');
    if (existsSync(page) ? anchor && !anchorsOf(page).has(anchor) : anchor || !existsSync(join(root, 'course', path))) {
      failures.push(`${file}: course/${path}${anchor ? `#${anchor}` : ''} is neither a page nor a file`);
    }
  }
}
for (const failure of failures) console.log(`FAILED ${failure}`);
console.log(`${pages().length} pages, ${sources.size} of the source, ${failures.length} failed`);
process.exit(failures.length ? 1 : 0);
