// `byte >> 4`: code that is short stays on one line.
import { isShort, walk } from './source.mjs';

export default function short() {
  return (tree) =>
    walk(tree, (node) => {
      if (node.type === 'inlineCode' && isShort(node.value)) node.data = { ...node.data, hProperties: { className: ['short'] } };
    });
}
