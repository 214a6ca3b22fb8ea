// ```cpp src=src/ops/reference.cpp name=ReferenceOps::do_rms_norm [from="…"] [to="…"]   →   that code, as it is in the
// source now.
import { addressOf, attributes, excerpt, find, html, linesOf, replace, walk } from './source.mjs';

export default function code() {
  return (tree, file) =>
    walk(tree, (node, parent) => {
      if (node.type !== 'code' || !node.meta?.includes('src=')) return;
      const { src, name, from, to } = attributes(node.meta);
      try {
        // from a line to a line, in what has no names: JSON
        const whole = () => ({ path: src, first: 1, last: linesOf(src).length });
        const part = excerpt(name || !from ? find(src, name) : whole(), from, to);
        const lines = part.last - part.first + 1;
        if (lines > 60)
          throw new Error(`${src}: ${name} is ${lines} lines; a reader takes in 40: name a part with from and to`);
        node.value = part.code;
        node.meta = `title="${src}"` + (name || from ? '' : ' wrap'); // the head of a file is prose
        replace(
          parent,
          node,
          node,
          html(
            `<p class="where"><a href="${addressOf(src, part.first)}">${src}, lines ${part.first} to ${part.last}</a></p>`,
          ),
        );
      } catch (error) {
        file.fail(error.message, node);
      }
    });
}
