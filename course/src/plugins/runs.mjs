// ```run [shape] [head=N] [wrap]   →   a command and its recorded output. shape: numbers depend on the machine, and
// only their places are compared.
import { attributes, walk } from './source.mjs';
import { outputOf } from './recorded.mjs';

export default function runs() {
  return (tree, file) =>
    walk(tree, (node) => {
      if (node.type !== 'code' || node.lang !== 'run') return;
      const { head, wrap } = attributes(node.meta);
      try {
        const shown = node.value
          .trim()
          .split('\n')
          .map((command) => {
            const lines = outputOf(command).split('\n');
            const cut = head && lines.length > +head ? [...lines.slice(0, +head), '…'] : lines;
            // as a reader types it, in the repository's folder
            const typed = command.replace(/(^|[|&] )rung (?=[a-z-])/g, '$1./rung ');
            return `$ ${typed}\n${cut.join('\n')}`;
          });
        node.lang = 'ansi';
        node.meta = 'frame="terminal"' + (wrap ? ' wrap' : '');
        node.value = shown.join('\n\n');
      } catch (error) {
        file.fail(error.message, node);
      }
    });
}
