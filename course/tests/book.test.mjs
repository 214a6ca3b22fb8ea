// The course as PDF and EPUB, by the judges of these formats. Skipped, by name, where they are not installed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { site } from './site.mjs';

const pdf = join(site, 'book/rung.pdf'),
  epub = join(site, 'book/rung.epub');
const there = (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const run = (program, ...words) => {
  const { status, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8', maxBuffer: 1 << 26 });
  assert.equal(status, 0, `${program}: ${stdout}${stderr}`);
  return stdout;
};

test('the PDF is tagged and has an outline of its chapters', { skip: there('pdfinfo') ? false : 'no pdfinfo' }, () => {
  assert.match(run('pdfinfo', pdf), /Tagged: +yes/);
  const outline = [...run('pdftohtml', '-xml', '-i', '-stdout', pdf).matchAll(/<item page="\d+">([^<]*)<\/item>/g)].map(
    (match) => match[1],
  );
  for (const title of ['Before you dive in', 'M0: the tokenizer', 'The merges, one at a time', 'Glossary'])
    assert.ok(outline.includes(title), `${title}: not in ${outline}`);
});

test(
  'the PDF has the words, the code to its last line, and what was printed',
  { skip: there('pdftotext') ? false : 'no pdftotext' },
  () => {
    const text = run('pdftotext', '-layout', pdf, '-');
    for (const words of ['pairs.erase', '4 tokens, 16 bytes, 4.00 bytes a token', 'Question 1.', 'A, not so.'])
      assert.ok(text.includes(words), words);
  },
);

const jar = '/usr/share/java/epubcheck.jar'; // Debian's command is this file, and wants binfmt to run it
const check = existsSync(jar) && there('java') ? ['java', '-jar', jar] : there('epubcheck') ? ['epubcheck'] : null;
test('the EPUB has no errors', { skip: check ? false : 'no epubcheck' }, () => {
  const [program, ...words] = check;
  const { status, stdout, stderr } = spawnSync(program, [...words, epub], { encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout + stderr, /0 fatals \/ 0 errors/);
});
