// What clang, wasm-ld and the symbolizer say, as places in the learner's file.
import type { Fix, Message, PlaceInCode } from './types.js';

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** clang's words (with source ranges and parseable fix-its) about `source` → its messages, each with what is certain to
 *  mend it. What it says of the glue around the learner's file is said of the file as a whole, once. */
export function messagesOf(said: string, file: string, source: string, functionName: string): Message[] {
  const messages: Message[] = [];
  let proposedFor: Message | undefined; // a note's fixes are guesses
  const head = /^(?:\.\/)?([^:\n]+):(\d+):(\d+):(?:((?:\{[^}]*\})+):)? (fatal error|error|warning|note): (.*)$/;
  const fixIt = new RegExp(`^fix-it:"(?:\\./)?${escaped(file)}":\\{(\\d+):(\\d+)-(\\d+):(\\d+)\\}:"(.*)"$`);
  const ofTheFile = (severity: Message['severity'], text: string) => {
    if (!messages.some(({ line }) => line === 0))
      messages.push({ line: 0, column: 0, endColumn: 0, severity, text, fixes: [] });
  };
  for (const line of said.split('\n')) {
    const fix = fixIt.exec(line);
    if (fix) proposedFor?.fixes.push(fixOf(fix));
    const linker = /^wasm-ld: error: (.*)$/.exec(line);
    if (linker) ofTheFile('error', ofTheLinker(linker[1]!));
    const [, where, row, at, ranges, how, text] = head.exec(line) ?? [];
    if (!where) continue;
    proposedFor = undefined;
    if (how === 'note') continue;
    const severity = how === 'warning' ? 'warning' : 'error',
      column = Number(at);
    if (where !== file) ofTheFile(severity, ofTheGlue(text!, functionName));
    else {
      const endColumn = ranges ? endOf(ranges, Number(row), column) : column + 1;
      proposedFor = { line: Number(row), column, endColumn, severity, text: text!, fixes: [] };
      messages.push(proposedFor);
    }
  }
  for (const message of messages) if (!isCertain(message, source)) message.fixes = [];
  return messages;
}

// A mark that is missing, . for ->, a name of theirs that is misspelt. Of a warning clang proposes what silences it:
// x >> (4 - 8); of a type that does not fit, names of the library's insides: static_cast<value_type>(…).
function isCertain({ severity, text, fixes }: Message, source: string): boolean {
  const isMark = (fix: Fix) => /^(?:[;)\]}]|\.|->)$/.test(fix.text.trim());
  const isTheirs = (fix: Fix) =>
    /did you mean '/.test(text) && /^\w+$/.test(fix.text) && new RegExp(`\\b${fix.text}\\b`).test(source);
  return severity === 'error' && fixes.every((fix) => isMark(fix) || isTheirs(fix));
}

const fixOf = ([, line, column, endLine, endColumn, text]: string[]): Fix => ({
  line: Number(line),
  column: Number(column),
  endLine: Number(endLine),
  endColumn: Number(endColumn),
  text: text!.replace(/\\(n|t|"|\\)/g, (_, c: string) => ({ n: '\n', t: '\t' })[c] ?? c),
});

// {3:7-3:12}{3:15-3:16}: the range that begins where the message points, or holds it.
function endOf(ranges: string, line: number, column: number): number {
  for (const [, l, from, endLine, to] of ranges.matchAll(/\{(\d+):(\d+)-(\d+):(\d+)\}/g))
    if (Number(l) === line && Number(endLine) === line && Number(from) <= column && Number(to) > column)
      return Number(to);
  return column + 1;
}

function ofTheGlue(text: string, functionName: string): string {
  if (text.includes(`undeclared identifier '${functionName}'`))
    return `your file has no function ${functionName}: it is called by that name`;
  return text.replace(/^static assertion failed(?: due to requirement '[^']*')?: /, '');
}

// wasm-ld: error: entry.o: undefined symbol: half(float)
function ofTheLinker(text: string): string {
  const name = /undefined symbol: (.*)$/.exec(text)?.[1];
  return name ? `${name} is declared, and called, but nothing says what it does` : text.replace(/^entry\.o: /, '');
}

/** The symbolizer's pairs of lines, a function and its place, innermost first → those in the learner's file. */
export function placesOf(said: string, file: string): PlaceInCode[] {
  const places: PlaceInCode[] = [];
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const [, path, line, column] = /^(.*):(\d+):(\d+)$/.exec(lines[i + 1]!) ?? [];
    if (path?.split('/').pop() === file && Number(line) > 0)
      places.push({ line: Number(line), column: Math.max(1, Number(column)) });
  }
  return places;
}
