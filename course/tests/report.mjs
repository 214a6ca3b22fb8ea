// How node's test runner reports here: a dot a test, then the words of those that failed, then the sum. ./check adds
// what is left in build/course.counts ("passed failed skipped") and build/course.skips ("where, a tab, why") to its
// own.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { root } from '../src/plugins/source.mjs';

export default async function* report(events) {
  let passed = 0,
    column = 0;
  const failed = [],
    skipped = [];
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const cause = data.details.error?.cause ?? data.details.error;
    // a suite's tests were told of one by one
    if (data.details.type === 'suite' || data.details.error?.failureType === 'subtestsFailed') continue;
    if (data.skip !== undefined) skipped.push(`course ${data.name}\t${data.skip === true ? 'skipped' : data.skip}`);
    else if (type === 'test:pass') passed++;
    else failed.push(`FAILED ${data.name}\n${cause?.stack ?? inspect(cause)}`);
    yield data.skip !== undefined ? 's' : type === 'test:pass' ? '.' : 'X';
    if (++column % 100 === 0) yield '\n';
  }
  appendFileSync(join(root, 'build/course.counts'), `${passed} ${failed.length} ${skipped.length}\n`);
  appendFileSync(join(root, 'build/course.skips'), skipped.map((line) => `${line}\n`).join(''));
  yield `\n${[...failed, ...skipped.map((line) => `SKIPPED ${line.replace('\t', ': ')}`)].map((words) => `${words}\n`).join('')}`;
  yield `${passed} passed, ${failed.length} failed, ${skipped.length} skipped\n`;
}
