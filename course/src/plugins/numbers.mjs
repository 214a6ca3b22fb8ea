// {{toys.native.rope.0}} → the same from src/data/toys/native.json, which tools/toydata.mjs records.
// {{bench.decode.smollm2}} → the number from src/data/measured.json, which says machine, date and version. A number
// that is not there fails.
import { readFileSync } from 'node:fs';
import { root, walk } from './source.mjs';

const measured = JSON.parse(readFileSync(root + 'course/src/data/measured.json', 'utf8'));
const read = (name) => JSON.parse(readFileSync(`${root}course/src/data/toys/${name}.json`, 'utf8'));
const toys = new Proxy({}, { get: (_, name) => read(name) });

export function numberOf(key) {
  const value = key.split('.').reduce((at, part) => at?.[part], { ...measured, toys });
  if (value === undefined || typeof value === 'object') throw new Error(`no data have ${key}`);
  return String(value);
}

export default function numbers() {
  return (tree, file) =>
    walk(tree, (node) => {
      if (!['text', 'code', 'inlineCode'].includes(node.type)) return;
      try {
        node.value = node.value.replace(/\{\{([\w.-]+)\}\}/g, (_, key) => numberOf(key));
      } catch (error) {
        file.fail(error.message, node);
      }
    });
}
