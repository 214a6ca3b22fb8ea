// [the cache](src:src/ops/kv_cache.h#KvCache) → the line in the source where that is defined.
import { addressOf, find, walk } from './source.mjs';

export default function links() {
  return (tree, file) =>
    walk(tree, (node) => {
      if (node.type !== 'link' || !node.url.startsWith('src:')) return;
      const [path, name] = node.url.slice(4).split('#');
      try {
        node.url = name
          ? addressOf(path, find(path, decodeURIComponent(name)).first)
          : addressOf(path, find(path).first);
      } catch (error) {
        file.fail(error.message, node);
      }
    });
}
