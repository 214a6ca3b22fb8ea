// A command of a page → what the built program printed, as it was accepted last. tools/record.mjs makes these files,
// and fails when they differ.
import { existsSync, readFileSync } from 'node:fs';
import { root } from './source.mjs';

export const fileOf = (command) =>
  root +
  'course/recorded/' +
  command
    .replace(/^rung /, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 80) +
  '.txt';

export function outputOf(command) {
  const path = fileOf(command);
  if (!existsSync(path)) throw new Error(`nothing is recorded of "${command}": npm run record -- --accept`);
  const [first, ...rest] = readFileSync(path, 'utf8').split('\n');
  if (first !== `$ ${command}`) throw new Error(`${path} is of another command: ${first}`);
  return rest.join('\n').replace(/\n$/, '');
}
