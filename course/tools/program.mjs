// The program that the tools ask: --rung PATH, or the release build.
import { join, resolve } from 'node:path';
import { root } from '../src/plugins/source.mjs';

const at = process.argv.indexOf('--rung');
export const program = at > 0 ? resolve(process.argv[at + 1]) : join(root, 'build/release/src/cli/rung');
