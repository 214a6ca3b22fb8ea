// The toys by keyboard; what they show is what the engine or arithmetic says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { on, opener } from './site.mjs';

const open = await opener();

test('formulas hang together', () => on(open, 'm2-forward-pass/index.html', {}, async (page) => {
  const pushed = await page.locator('math *').evaluateAll((parts) => parts.filter((part) => getComputedStyle(part).marginTop !== '0px').length);
  assert.equal(pushed, 0, 'parts of formulas are pushed down');
}));

test('matrix product by keyboard', () => on(open, 'prerequisites/index.html', {}, async (page) => {
  const toy = page.locator('rung-matmul');
  await toy.locator('select[data-name=k]').focus();
  await page.keyboard.press('3');
  await toy.locator('table button').nth(3).focus();
  await page.keyboard.press('Enter');
  // [[1 2 3] [4 5 6]] · [[5 6] [7 8] [9 10]]: row 2, column 2 is 4·6 + 5·8 + 6·10
  assert.match(await toy.innerText(), /4·6 \+ 5·8 \+ 6·10 = 124/);
}));

test('bits by keyboard', () => on(open, 'm1-weights/index.html', {}, async (page) => {
  const toy = page.locator('rung-bits');
  await toy.locator('input').fill('-0.11328125'); // the first weight that the page shows: bytes e8 bd
  const bits = (await toy.locator('[data-type=bf16] button').allInnerTexts()).join('');
  assert.equal(bits, (0xbde8).toString(2));
  await toy.locator('[data-type=bf16] button').first().focus();
  await page.keyboard.press('Enter'); // the sign
  assert.equal(await toy.locator('input').inputValue(), '0.11328125');
  await toy.locator('input').fill('65520');
  assert.match(await toy.locator('[data-type=f16] p').innerText(), /Infinity/, 'f16 ends at 65504');
}));
