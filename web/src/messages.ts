// What clang, wasm-ld and the symbolizer say, as places in the learner's file.
import type { Fix, Message, PlaceInCode } from './types.js';

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** clang's words (with source ranges and parseable fix-its) → its messages, each with its notes' fixes. What it says of
 *  the glue around the learner's file is said of the file as a whole, once. */
export function messagesOf(said: string, file: string, functionName: string): Message[] {
  const messages: Message[] = [];
  const head = /^(?:\.\/)?([^:\n]+):(\d+):(\d+):(?:((?:\{[^}]*\})+):)? (fatal error|error|warning|note): (.*)$/;
  const fixIt = new RegExp(`^fix-it:"(?:\\./)?${escaped(file)}":\\{(\\d+):(\\d+)-(\\d+):(\\d+)\\}:"(.*)"$`);
  const ofTheFile = (severity: Message['severity'], text: string) => {
    if (!messages.some(({ line }) => line === 0))
      messages.push({ line: 0, column: 0, endColumn: 0, severity, text, fixes: [] });
  };
  for (const line of said.split('\n')) {
    const fix = fixIt.exec(line);
    if (fix && messages.length > 0) messages.at(-1)!.fixes.push(fixOf(fix));
    const linker = /^wasm-ld: error: (.*)$/.exec(line);
    if (linker) ofTheFile('error', ofTheLinker(linker[1]!));
    const [, where, row, at, ranges, how, text] = head.exec(line) ?? [];
    if (!where || how === 'note') continue;
    const severity = how === 'warning' ? 'warning' : 'error',
      column = Number(at);
    if (where !== file) ofTheFile(severity, ofTheGlue(text!, functionName));
    else {
      const endColumn = ranges ? endOf(ranges, Number(row), column) : column + 1;
      messages.push({ line: Number(row), column, endColumn, severity, text: text!, fixes: [] });
    }
  }
  return messages;
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
    if (Number(l) === line && Number(endLine) === line && Number(from) <= column && Number(to) > column) return Number(to);
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
