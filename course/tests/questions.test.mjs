// Questions, predictions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { on, opener } from './site.mjs';

const open = await opener();
const m0 = 'm0-tokenizer/index.html';

test('a wrong choice says what it would have meant, the right one stays chosen', () => on(open, m0, {}, async (page) => {
  const question = page.locator('main .sl-markdown-content rung-question').first();
  await question.locator('input:not([data-right])').first().check();
  assert.match(await question.locator('.why:visible').innerText(), /\w+ \w+/);
  await question.locator('input[data-right]').check();
  assert.ok(await question.locator('.choice.right').isVisible());
  await page.reload();
  assert.ok(await question.locator('input[data-right]').isChecked());
}));

test('a prediction is compared', () => on(open, m0, {}, async (page) => {
  const predict = page.locator('rung-predict').first();
  await predict.locator('input').fill('7');
  await page.keyboard.press('Enter');
  assert.match(await predict.innerText(), /You said 7, it is 4 tokens\./);
}));
