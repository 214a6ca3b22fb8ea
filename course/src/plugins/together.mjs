// Code in a sentence keeps the point behind it and the parenthesis before it: as a box of its own it could be parted
// from them at the end of a line. Long code may be broken anywhere, and is left as it is.
const before = /[([“"‘]+$/,
  behind = /^[.,:;!?)\]”"’]+/;
const isShort = (node) => node.type === 'inlineCode' && node.value.length <= 30;
const isCode = (node) =>
  isShort(node) || (node.type === 'link' && node.children.length === 1 && isShort(node.children[0]));

// Takes from a text what belongs to its neighbour.
function taken(node, pattern) {
  const found = node?.type === 'text' ? pattern.exec(node.value) : null;
  if (!found) return [];
  node.value = node.value.slice(0, found.index) + node.value.slice(found.index + found[0].length);
  return [{ type: 'text', value: found[0] }];
}

export default function together() {
  return function visit(node) {
    for (const [i, child] of (node.children ?? []).entries()) {
      if (!isCode(child)) {
        visit(child);
        continue;
      }
      const children = [...taken(node.children[i - 1], before), child, ...taken(node.children[i + 1], behind)];
      if (children.length === 1) continue;
      const data = { hName: 'span', hProperties: { className: 'together' } };
      node.children[i] = { type: 'together', data, children };
    }
  };
}
