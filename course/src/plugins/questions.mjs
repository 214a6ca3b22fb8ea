// ```question and ```predict → elements that work without JavaScript, too (there the answer unfolds).
//
//   ```question
//   Why …?
//   - a wrong choice :: what it would have meant
//   + the right one :: because …
//   ```
//   ```predict id=m0-pieces answer=7 unit=tokens
//   How many tokens …?
//   :: Seven, because …
//   ```
import { createHash } from 'node:crypto';
import { attributes, html, inline, replace, walk } from './source.mjs';
import { numberOf } from './numbers.mjs';
import { outputOf } from './recorded.mjs';

function question(text, file, node) {
  const [ask, ...choices] = text.trim().split('\n');
  const id = 'q-' + createHash('sha256').update(ask).digest('hex').slice(0, 10);
  const items = choices.map((line, i) => {
    const match = /^([-+]) (.*?) :: (.*)$/.exec(line);
    if (!match) file.fail(`a choice is "- words :: what it would have meant": ${line}`, node);
    const [, mark, words, why] = match;
    return { right: mark === '+', words, why, id: `${id}-${i}` };
  });
  if (items.filter((item) => item.right).length !== 1) file.fail(`a question has one right choice: ${ask}`, node);
  const right = items.find((item) => item.right);
  return (
    `<rung-question id="${id}"><fieldset><legend>${inline(ask)}</legend>` +
    items
      .map(
        (item) =>
          `<div class="choice"><input type="radio" name="${id}" id="${item.id}"${item.right ? ' data-right' : ''}>` +
          `<label for="${item.id}">${inline(item.words)}</label><p class="why" hidden>${inline(item.why)}</p></div>`,
      )
      .join('') +
    `</fieldset><details><summary>The answer</summary><p><strong>${inline(right.words)}</strong>. ${inline(right.why)}</p></details></rung-question>`
  );
}

// 24576 → 24,576, as pages write it; digits after a point stay as they are.
const withThousands = (number) => number.replace(/^-?\d+/, (digits) => digits.replace(/\B(?=(\d{3})+$)/g, ','));

function predict(text, meta, file, node) {
  const { id, answer, unit = '', from, pick, measured } = attributes(meta);
  let value = measured ? numberOf(measured) : answer;
  if (from) {
    // the number that a recorded command printed
    const found = new RegExp(pick).exec(outputOf(from));
    if (!found) file.fail(`"${from}" printed nothing that matches ${pick}`, node);
    value = found[1];
  }
  if (!id || value === undefined) file.fail('predict needs id and answer (or from and pick, or measured)', node);
  const [ask, ...rest] = text.trim().split('\n');
  const why = rest.join(' ').replace(/^:: /, '');
  const plain = value.replaceAll(',', '');
  const is = `${withThousands(plain)} ${unit}`.trim();
  return (
    `<rung-predict id="${id}" data-answer="${plain}" data-is="${is}" data-unit="${unit}"><p><label for="${id}-guess">${inline(ask)}</label></p>` +
    `<p class="guess" hidden><input id="${id}-guess" inputmode="decimal" autocomplete="off"> ${unit} <button type="button">Compare</button></p>` +
    `<details><summary>What it is</summary><p><strong>${is}</strong>. ${inline(why)}</p></details></rung-predict>`
  );
}

export default function questions() {
  return (tree, file) =>
    walk(tree, (node, parent) => {
      if (node.type !== 'code') return;
      if (node.lang === 'question') replace(parent, node, html(question(node.value, file, node)));
      if (node.lang === 'predict') replace(parent, node, html(predict(node.value, node.meta, file, node)));
    });
}
