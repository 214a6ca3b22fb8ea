// course/exercises/NAME/   →   the exercise's page, exercises/NAME, and its line on the page of all exercises.
//
// The pages are written as Markdown into src/content/docs/exercises/ (which git ignores), so that they are pages like
// all others. <rung-exercise> has inside what a reader without JavaScript gets: the beginning, hints, the solution.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressOf, escapeHtml, html, replace, root, walk } from './source.mjs';

const folder = join(root, 'course/exercises');
const out = join(root, 'course/src/content/docs/exercises');
export const milestones = {
  M0: 'Tokenizer',
  M1: 'Weights',
  M2: 'Forward pass',
  M3: 'Generation',
  M4: 'KV cache',
  M5: 'Quantization',
  M6: 'Fast kernels',
  M7: 'Metal kernels',
};
const difficulties = ['easy', 'middling', 'hard'];

/** All of them, in the order in which they teach. */
export function exercises() {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names
    .filter((name) => existsSync(join(folder, name, 'exercise.json')))
    .map((name) => {
      const facts = JSON.parse(readFileSync(join(folder, name, 'exercise.json'), 'utf8'));
      if (!milestones[facts.milestone]) throw new Error(`${name}/exercise.json: "milestone" is ${facts.milestone}`);
      // a kernel for a GPU runs at the terminal alone
      const ending = existsSync(join(folder, name, 'stub.metal')) ? 'metal' : 'cpp';
      return { name, ending, isAtTerminal: ending === 'metal', ...facts };
    })
    .sort((a, b) => a.milestone.localeCompare(b.milestone) || a.order - b.order || a.name.localeCompare(b.name));
}

const read = (name, file) => readFileSync(join(folder, name, file), 'utf8').trimEnd();

// Prose whose `code` may go over the end of a line, where what follows would begin a list or a quotation in Markdown.
const prose = (name, file) =>
  read(name, file)
    .split(/(^(?:```|~~~)[^]*?^(?:```|~~~).*$)/m)
    .map((part, i) =>
      i % 2 === 1 ? part : part.replace(/`(?:[^`\n]|\n(?!\n))*`/g, (code) => code.replace(/\s*\n\s*/g, ' ')),
    )
    .join('');

function hintsOf(name) {
  const parts = prose(name, 'hints.md').split(/^## (\d)\s*$/m);
  const hints = [2, 4, 6].map((i) => parts[i]?.trim());
  if (parts.length !== 7 || hints.includes('')) throw new Error(`${name}/hints.md: expected ## 1, ## 2 and ## 3`);
  return hints;
}

// A fence that no line of the text can end.
const fence = (text, language, meta = '') => `~~~~~~${language} ${meta}\n${text}\n~~~~~~`;
const folded = (kind, summary, text) =>
  `<details class="${kind}"><summary>${summary}</summary>\n\n${text}\n\n</details>`;

// "m2-forward-pass#rmsnorm" → a link that says the page's title and the heading.
function linkTo(page, name) {
  const [file, anchor] = page.split('#');
  const text = readFileSync(join(root, 'course/src/content/docs', `${file}.md`), 'utf8');
  const slug = (heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
  const heading = [...text.matchAll(/^##+ (.*)$/gm)].find((found) => slug(found[1]) === anchor)?.[1];
  if (anchor && !heading) throw new Error(`${name}/exercise.json: "page" is ${page}, and there is no such heading`);
  const title = /^title: (.*)$/m.exec(text)[1].replaceAll(/^["']|["']$/g, '');
  return `[${title}${heading ? `, ${heading}` : ''}](/${file}/${anchor ? `#${anchor}` : ''})`;
}

// What stands where others have an editor.
const atTerminal = (name) =>
  `## This one runs at the terminal\n\nNo page has a GPU's compiler, and no Mac's GPU is needed: an emulator runs your ` +
  `kernel on Linux, and watches every access of every thread.\n\n` +
  fence(
    `alias rung="$PWD/rung"      # in the repository's folder\nrung learn start my-rung    # once\ncd my-rung\n` +
      `rung learn watch ${name}   # checks at every save`,
    'sh',
  );

/** An exercise → its page, as Markdown. */
export function pageOf(exercise) {
  const { name, title, milestone, minutes, difficulty, function: functionName, signature, page, test_out } = exercise;
  const { ending, isAtTerminal } = exercise;
  const where = isAtTerminal ? 'at the terminal' : 'in this page';
  const front = {
    title,
    description: `Write ${functionName} yourself: it is checked ${where}, and takes its place in the engine.`,
    about: { for: `${milestone}: ${milestones[milestone]}`, minutes, difficulty: difficulties[difficulty - 1] },
  };
  const head = Object.entries(front).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  const words = { name, function: functionName, signature, title, ...(page && { page }) };
  const data = Object.entries(words).map(([key, value]) => `data-${key}="${escapeHtml(value)}"`);
  const known = `If you solve this one, ${milestone} is marked as known: a short cut for who knows it already.`;
  const steps = ['A first hint', 'A second hint', 'A third hint, which nearly says it'];
  return [
    `---\n${head.join('\n')}\n---`,
    test_out ? `**A test-out.** ${known}` : '',
    prose(name, 'text.md'),
    isAtTerminal ? atTerminal(name) : '',
    isAtTerminal ? '<figure>' : `<rung-exercise ${data.join(' ')}>\n<figure>`,
    fence(read(name, `stub.${ending}`), 'cpp', `title="${name}.${ending}"`),
    isAtTerminal
      ? '<figcaption>The file that you begin with.</figcaption></figure>'
      : `<figcaption>The file that you begin with. With JavaScript you write and check it here; at the terminal ` +
        `<code>rung learn check ${name}</code> does the same.</figcaption></figure>`,
    ...hintsOf(name).map((hint, i) => folded('hint', steps[i], hint)),
    folded('solution', 'A solution', fence(read(name, `solution.${ending}`), 'cpp')),
    isAtTerminal ? '' : '</rung-exercise>',
    isAtTerminal ? '' : '[What your file may use](/exercises/#what-your-file-may-use), and how to print from it.',
    page ? `The page behind it: ${linkTo(page, name)}.` : '',
  ]
    .filter(Boolean)
    .join('\n\n');
}

function writePages() {
  const made = new Map(exercises().map((exercise) => [`${exercise.name}.md`, `${pageOf(exercise)}\n`]));
  mkdirSync(out, { recursive: true });
  for (const old of readdirSync(out)) if (!made.has(old)) rmSync(join(out, old));
  for (const [name, text] of made) {
    const path = join(out, name);
    if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text);
  }
}

/** The integration: before pages are looked for, and while writing after each change. */
export const exercisePages = {
  name: 'rung-exercise-pages',
  hooks: {
    'astro:config:setup': ({ command }) => {
      writePages();
      if (command !== 'dev') return;
      watch(folder, { recursive: true }, () => {
        try {
          writePages();
        } catch (error) {
          console.error(error.message); // half-written: the next change comes
        }
      });
    },
  },
};

// <rung-exercises></rung-exercises>: the list of all, by milestone, which says how far a reader is where JavaScript
// runs.
const line = ({ name, title, minutes, difficulty, test_out, isAtTerminal }) =>
  `<li data-name="${name}"><a href="/exercises/${name}/">${escapeHtml(title)}</a> ` +
  `<span class="quiet">${minutes} minutes, ${difficulties[difficulty - 1]}${test_out ? ', test-out' : ''}${isAtTerminal ? ', at the terminal' : ''}</span></li>`;

function listOf() {
  const all = exercises();
  const of = (milestone) => all.filter((exercise) => exercise.milestone === milestone);
  return Object.keys(milestones)
    .filter((milestone) => of(milestone).length > 0)
    .map(
      (milestone) =>
        `<section id="${milestone.toLowerCase()}" data-milestone="${milestone}">` +
        `<h2>${milestone} ${milestones[milestone]}</h2><ol>${of(milestone).map(line).join('')}</ol></section>`,
    )
    .join('');
}

export default function exerciseList() {
  return (tree) =>
    walk(tree, (node, parent) => {
      if (
        node.type !== 'paragraph' ||
        node.children.map((child) => child.value).join('') !== '<rung-exercises></rung-exercises>'
      )
        return;
      const { devDependencies } = JSON.parse(readFileSync(join(root, 'web/package.json'), 'utf8'));
      const compiler =
        `<p>Compiled with <code>@yowasp/clang</code> ${devDependencies['@yowasp/clang']}, C++20, optimised (-O2), with the ` +
        `warnings of -Wall and -Wextra, without exceptions, every index checked: ` +
        `<a href="${addressOf('web/src/clang.ts')}">all of its flags</a>.</p>`;
      const caption = 'With JavaScript this list says which of them you have solved.';
      const figure = `<figure>${listOf()}<figcaption>${caption}</figcaption></figure>`;
      replace(parent, node, html(`<rung-exercises>${figure}</rung-exercises>${compiler}`));
    });
}
