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

export default function formulas() {
  return (tree, file) =>
    walk(tree, (node, parent) => {
      if (node.type === 'code' && node.lang === 'math') {
        replace(
          parent,
          node,
          html(
            `<div class="formula not-content" tabindex="0" role="region" aria-label="formula">${render(node.value, true, file, node)}</div>`,
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
