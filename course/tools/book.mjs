// The whole course as one PDF (tagged, with an outline) and one EPUB, from the built pages, in the order of the
// sidebar.
//   node tools/book.mjs       → build/course/book/rung.pdf, rung.epub
// CHROMIUM: another browser than /usr/bin/chromium.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { escapeHtml, root } from '../src/plugins/source.mjs';
import { launch, site } from './serve.mjs';
import { chapter, contents } from './book/chapter.mjs';
import { zip } from './book/zip.mjs';

const out = join(site, 'book');
const left = ['diary', 'toys']; // pages that are nothing on paper, or there a second time
const pageFile = (name) => join(site, name === 'index' ? 'index.html' : `${name}/index.html`);
const slug = (name) => name.replaceAll('/', '-');
const read = (name) => readFileSync(pageFile(name), 'utf8');
// Of the pages' own styles, the colours, which drawings use; the rest is for pages alone.
const css = (name) => readFileSync(join(root, 'course/src/styles', name), 'utf8');
const styles = `${/^:root \{[^}]*\}/m.exec(css('course.css'))[0]}\n${css('book.css')}`;
const title = 'Rung: climb a language model';
const xhtml = 'xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="en" xml:lang="en"';

const browser = await launch();
const page = await browser.newPage();
const parts = (await page.evaluate(contents, read('index')))
  .map(({ group, pages }) => ({ group, pages: pages.filter((name) => !left.includes(name)) }))
  .filter(({ pages }) => pages.length > 0);
const names = parts.flatMap((part) => part.pages);
const chapters = new Map();
for (const name of names) chapters.set(name, await page.evaluate(chapter, { html: read(name), name, names }));

const built = chapters.get('index').built;
const version = /\d+\.\d+\.\d+/.exec(built)[0];
const head = (name) => {
  const { title, about, body } = chapters.get(name);
  return `<section class="chapter" id="${slug(name)}"><h1>${escapeHtml(title)}</h1>${about ? `<p class="about">${escapeHtml(about)}</p>` : ''}${body}</section>`;
};
const list = (to) =>
  `<ol class="contents">${parts
    .map(
      ({ group, pages }) =>
        `<li><span>${escapeHtml(group)}</span><ol>${pages.map((name) => `<li><a href="${to(name)}">${escapeHtml(chapters.get(name).title)}</a></li>`).join('')}</ol></li>`,
    )
    .join('')}</ol>`;

mkdirSync(out, { recursive: true });
await writePdf();
writeEpub();
await browser.close();
console.log(`${names.length} chapters in build/course/book/`);

async function writePdf() {
  const text = names
    .map(head)
    .join('\n')
    .replace(/href="book:([^"#]*)(?:#([^"]*))?"/g, (_, name, id) => `href="#${id ?? name}"`)
    .replace(
      /(<img[^>]* src=")([^"]*)"/g,
      (_, before, src) =>
        `${before}data:image/${extname(src).slice(1).replace('svg', 'svg+xml')};base64,${picture(pathOf(src)).toString('base64')}"`,
    );
  await page.setContent(
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title><style>${styles}</style></head><body class="paper">` +
      `<header><p class="title">Rung</p><p class="subtitle">Climb a language model: from the bytes of a file to a chat</p>` +
      `<p>${escapeHtml(built.replace('this page', 'these pages'))}</p></header><nav aria-label="Contents">${list((name) => `#${slug(name)}`)}</nav>${text}</body></html>`,
  );
  await page.emulateMedia({ media: 'print', colorScheme: 'light' });
  const corner =
    '<div style="width:100%;font:8px sans-serif;color:#57606a;padding:0 16mm;text-align:right"><span class="pageNumber"></span></div>';
  await page.pdf({
    path: join(out, 'rung.pdf'),
    format: 'A4',
    margin: { top: '18mm', bottom: '18mm', left: '18mm', right: '18mm' },
    tagged: true,
    outline: true,
    printBackground: true,
    displayHeaderFooter: true,
    headerTemplate: '<span></span>',
    footerTemplate: corner,
  });
}

// A picture of a page: where it is below the site's root, and its bytes.
function pathOf(src) {
  return src.replace(/^(\.\.?\/)*\/?/, '');
}
function picture(path) {
  return readFileSync(join(site, path));
}

function writeEpub() {
  const pictures = new Set();
  const files = names.map((name) => {
    const body = head(name)
      .replace(/href="book:([^"#]*)(#[^"]*)?"/g, (_, page, id) => `href="${page}.xhtml${id ?? ''}"`)
      .replace(/(<img[^>]* src=")([^"]*)"/g, (_, before, src) => {
        pictures.add(pathOf(src));
        return `${before}${pathOf(src)}"`;
      });
    return [
      slug(name),
      `<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE html>\n<html ${xhtml}><head><title>${escapeHtml(chapters.get(name).title)}</title>` +
        `<link rel="stylesheet" type="text/css" href="book.css"/></head><body>${body}</body></html>\n`,
    ];
  });
  const properties = (text) =>
    [/<math\b/.test(text) && 'mathml', /<svg\b/.test(text) && 'svg'].filter(Boolean).join(' ');
  const when = new Date(process.env.SOURCE_DATE_EPOCH ? process.env.SOURCE_DATE_EPOCH * 1000 : Date.now())
    .toISOString()
    .replace(/\.\d+Z/, 'Z');
  const types = { '.svg': 'image/svg+xml', '.png': 'image/png', '.jpg': 'image/jpeg', '.webp': 'image/webp' };
  const item = (id, href, type, more = '') => `<item id="${id}" href="${href}" media-type="${type}"${more}/>`;
  const opf = `<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">rung-course-${version}</dc:identifier><dc:title>${title}</dc:title>
<dc:language>en</dc:language><dc:creator>The authors of Rung</dc:creator><dc:rights>MIT</dc:rights><meta property="dcterms:modified">${when}</meta></metadata>
<manifest>${item('nav', 'nav.xhtml', 'application/xhtml+xml', ' properties="nav"')}${item('css', 'book.css', 'text/css')}
${files.map(([name, text]) => item(`c-${name}`, `${name}.xhtml`, 'application/xhtml+xml', properties(text) && ` properties="${properties(text)}"`)).join('\n')}
${[...pictures].map((path, i) => item(`p-${i}`, path, types[extname(path)])).join('\n')}</manifest>
<spine>${files.map(([name]) => `<itemref idref="c-${name}"/>`).join('')}</spine></package>\n`;
  const nav =
    `<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE html>\n<html ${xhtml}><head><title>Contents</title></head><body>` +
    `<nav epub:type="toc"><h1>Contents</h1>${list((name) => `${slug(name)}.xhtml`)}</nav></body></html>\n`;
  const container =
    '<?xml version="1.0"?>\n<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>' +
    '<rootfile full-path="book/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>\n';
  writeFileSync(
    join(out, 'rung.epub'),
    zip([
      ['mimetype', 'application/epub+zip'],
      ['META-INF/container.xml', container],
      ['book/book.opf', opf],
      ['book/nav.xhtml', nav],
      ['book/book.css', styles],
      ...files.map(([name, text]) => [`book/${name}.xhtml`, text]),
      ...[...pictures].map((path) => [`book/${path}`, picture(path)]),
    ]),
  );
}
