// Every address outside the site that a page names, and when it was last seen to answer: src/data/links.json. Wants a
// network, so it is no part of ./check.
//   node tools/links.mjs [--list]
// --list asks nobody: it only adds addresses that are new and drops those that no page has.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, writtenPages } from '../src/plugins/source.mjs';

const list = join(root, 'course/src/data/links.json');
const known = JSON.parse(readFileSync(list, 'utf8'));
const asksNobody = process.argv.includes('--list');
const today = new Date().toISOString().slice(0, 10);

const addresses = new Map(); // address → the first page that has it
for (const [page, text] of writtenPages()) {
  for (const [, address] of text.matchAll(/\]\((https?:\/\/[^\s)]+)\)/g))
    if (!addresses.has(address)) addresses.set(address, page);
}

// A reader's browser would get there: an answer below 400, after its redirections. Some hosts refuse what is not a
// browser (403, 429): these were reached, and a person has to look.
async function ask(address) {
  try {
    const answer = await fetch(address, {
      redirect: 'follow',
      signal: AbortSignal.timeout(20_000),
      headers: { 'user-agent': 'Mozilla/5.0 (a check of links)' },
    });
    await answer.body?.cancel();
    return answer.status < 400 ? '' : `answers ${answer.status}`;
  } catch (error) {
    return `cannot be reached: ${error.cause?.code ?? error.name}`;
  }
}

const kept = {},
  words = [];
let seen = 0;
for (const address of [...addresses.keys()].sort()) {
  kept[address] = known[address] ?? { seen: null };
  if (asksNobody) continue;
  const trouble = await ask(address.replace(/#.*/, ''));
  if (trouble === '') {
    kept[address] = { seen: today };
    seen++;
  } else words.push(`${addresses.get(address)}: ${address} ${trouble}; last seen: ${kept[address].seen ?? 'never'}`);
}
for (const line of words) console.log(line);
if (!asksNobody && seen === 0) {
  console.log('Nothing answered: is there a network? The list is as it was.');
  process.exit(1);
}
writeFileSync(list, JSON.stringify(kept, null, 1) + '\n');
console.log(`${addresses.size} addresses, ${asksNobody ? 'nobody asked' : `${seen} seen today`}`);
process.exit(words.length > 0 ? 1 : 0);
