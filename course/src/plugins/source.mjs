// A place in the source, by name → its lines. A name that is not there fails the build, so a page cannot outlive what
// it shows.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../..', import.meta.url));
export const version = /project\(rung VERSION ([\d.]+)/.exec(readFileSync(join(root, 'CMakeLists.txt'), 'utf8'))[1];

// The pages as they are written: [name, text], in the order of their names.
export function writtenPages() {
  const docs = join(root, 'course/src/content/docs');
  const names = readdirSync(docs, { recursive: true })
    .map(String)
    .filter((name) => /\.mdx?$/.test(name))
    .sort();
  return names.map((name) => [name, readFileSync(join(docs, name), 'utf8')]);
}

const cache = new Map();
export function linesOf(path) {
  if (!cache.has(path)) cache.set(path, readFileSync(root + path, 'utf8').split('\n'));
  return cache.get(path);
}

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const bare = (line) => line.replace(/"(\\.|[^"\\])*"|'(\\.|[^'\\])'/g, '').replace(/\/\/.*/, '');

// Where what begins at line `at` ends: the line of its closing brace, or of a semicolon before any brace.
function endOf(lines, at) {
  let depth = 0,
    opened = false;
  for (let i = at; i < lines.length; ++i) {
    for (const c of bare(lines[i])) {
      if (c === '{') {
        depth++;
        opened = true;
      }
      if (c === '}') depth--;
      if (c === ';' && !opened) return { last: i, opened };
      if (opened && depth === 0) return { last: i, opened };
    }
  }
  return { last: lines.length - 1, opened };
}

// {path, first, last}: the definition of `symbol`, with the comment above it; lines count from 1. Without a symbol: the
// head of the file.
export function find(path, symbol) {
  const lines = linesOf(path);
  if (!symbol) {
    let last = 0;
    while (last < lines.length && lines[last].startsWith('//')) last++;
    if (last === 0) throw new Error(`${path}: does not begin with a comment`);
    return { path, first: 1, last };
  }
  const name = escaped(symbol);
  const begins = new RegExp(
    `^ {0,2}(?! )(?!//)(?!return )(?:(?:struct|class|enum class) ${name}\\b(?!.*;\\s*$|[^{]*\\()|.*(?<![\\w:])${name}\\(|.*\\b${name}(?:\\[[^\\]]*\\])? = ?\\{?)`,
  );
  const oneLine = new RegExp(`^struct ${name} \\{.*\\};`);
  let declared = -1;
  for (let i = 0; i < lines.length; ++i) {
    const single = oneLine.test(lines[i]);
    if (!single && !begins.test(lines[i])) continue;
    const { last, opened } = single ? { last: i, opened: true } : endOf(lines, i);
    if (!opened) {
      if (declared < 0) declared = i;
      continue;
    }
    return withComment(lines, path, i, last);
  }
  if (declared >= 0) return withComment(lines, path, declared, endOf(lines, declared).last);
  throw new Error(`${path}: nothing named ${symbol} is defined there`);
}

function withComment(lines, path, begin, last) {
  let first = begin;
  while (first > 0 && /^\s*(\/\/|template <|#pragma pack)/.test(lines[first - 1])) first--;
  return { path, first: first + 1, last: last + 1 };
}

// The text of a place, cut to what lies between two of its lines, where these are named by what they contain.
export function excerpt(place, from, to) {
  const lines = linesOf(place.path);
  let { first, last } = place;
  const at = (text, begin) => {
    for (let i = begin; i <= last; ++i) if (lines[i - 1].includes(text)) return i;
    throw new Error(`${place.path}, lines ${place.first} to ${place.last}: no line has "${text}"`);
  };
  if (from) first = at(from, first);
  if (to) last = at(to, first);
  const text = lines.slice(first - 1, last);
  const indent = Math.min(...text.filter((l) => l.trim()).map((l) => l.length - l.trimStart().length));
  const code = text.map((l) => l.slice(indent)).join('\n');
  const said = text.map(bare).join(' '); // a function that was emptied, its comments left, shows nothing either
  if (!code.trim() || /\)[^{};=]*\{\s*\}\s*$/.test(said))
    throw new Error(`${place.path}, lines ${first} to ${last}: an empty region`);
  return { first, last, code };
}

export const addressOf = (path, line) => `/source/${path}.html` + (line ? `#L${line}` : '');

// Every node of a Markdown tree, with its parent.
export function walk(node, visit, parent = null) {
  visit(node, parent);
  for (const child of [...(node.children ?? [])]) walk(child, visit, node);
}

export function replace(parent, node, ...others) {
  parent.children.splice(parent.children.indexOf(node), 1, ...others);
}

export const html = (value) => ({ type: 'html', value });
export const escapeHtml = (text) =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
// `code` and *emphasis* of a line of text; nothing else.
export function inline(text) {
  if (/\]\((https?:|\/|#)/.test(text)) throw new Error(`a question's text has no links: "${text}"`);
  return escapeHtml(text)
    .replace(/`([^`]+)`/g, '<code>$1</code>')
    .replace(/\*([^*]+)\*/g, '<em>$1</em>');
}

// key=value, key="a value" and key='a "value"' of a fence's first line.
export function attributes(meta) {
  const found = {};
  for (const [, key, quoted, single, plain] of (meta ?? '').matchAll(/([\w-]+)(?:=(?:"([^"]*)"|'([^']*)'|(\S+)))?/g))
    found[key] = quoted ?? single ?? plain ?? true;
  return found;
}
