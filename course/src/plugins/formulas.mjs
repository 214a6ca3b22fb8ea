// ```math and `$…$` → MathML, made when the site is built: no script and no font in the page. `not-content` keeps the
// generator's margins between paragraphs away from the parts of a formula.
import temml from 'temml';
import { html, replace, walk } from './source.mjs';

const render = (text, displayMode, file, node) => {
  try {
    return temml.renderToString(text, { displayMode, throwOnError: true });
  } catch (error) {
    return file.fail(error.message, node);
  }
};

// What a \qquad holds apart stands in one line where there is room, and one below the other where there is none.
const parts = (text) => (/\\begin\b/.test(text) ? [text] : text.split('\\qquad'));

export default function formulas() {
  return (tree, file) =>
    walk(tree, (node, parent) => {
      if (node.type === 'code' && node.lang === 'math') {
        const made = parts(node.value).map((part) => render(part, true, file, node));
        replace(
          parent,
          node,
          html(
            `<div class="formula not-content" tabindex="0" role="region" aria-label="formula">${made.join('')}</div>`,
          ),
        );
      }
      if (node.type === 'inlineCode' && /^\$.*\$$/s.test(node.value)) {
        replace(
          parent,
          node,
          html(`<span class="not-content">${render(node.value.slice(1, -1), false, file, node)}</span>`),
        );
      }
    });
}
