// How node's test runner reports here: a dot a test, then the words of those that failed, then the sum. ./check adds
// what is left in build/course.counts ("passed failed skipped"), build/course.skips ("where, a tab, why") and
// build/course.failures (what failed, in a line) to its own.
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
    else failed.push([data.name, cause?.stack ?? inspect(cause)]);
    yield data.skip !== undefined ? 's' : type === 'test:pass' ? '.' : 'X';
    if (++column % 100 === 0) yield '\n';
  }
  const lines = (all) => all.map((line) => `${line}\n`).join('');
  const leave = (what, all) => appendFileSync(join(root, `build/course.${what}`), lines(all));
  leave('counts', [`${passed} ${failed.length} ${skipped.length}`]);
  leave('skips', skipped);
  leave(
    'failures',
    failed.map(([name, words]) => `course: ${name}: ${words.split(/\n\s+at /)[0].replace(/\s+/g, ' ').slice(0, 400)}`),
  );
  yield `\n${lines(failed.map(([name, words]) => `FAILED ${name}\n${words}`))}`;
  yield lines(skipped.map((line) => `SKIPPED ${line.replace('\t', ': ')}`));
  yield `${passed} passed, ${failed.length} failed, ${skipped.length} skipped\n`;
}
