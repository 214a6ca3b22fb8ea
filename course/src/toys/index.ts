// What moves on the pages: plain custom elements. Each finds its figure for readers without JavaScript inside itself, and takes its place.
// A toy's script, with its numbers, is fetched only where its element is.
import './question';
import './predict';
import './again';
import './diary-page';

const toys: Record<string, () => Promise<unknown>> = {
  matmul: () => import('./matmul'),
  bits: () => import('./bits'),
  merges: () => import('./merges'),
  rope: () => import('./rope'),
  norm: () => import('./norm'),
  gate: () => import('./gate'),
  heads: () => import('./heads'),
  sampling: () => import('./sampling'),
  cache: () => import('./cache'),
  block: () => import('./block'),
  hex: () => import('./hex'),
  roofline: () => import('./roofline'),
  gpu: () => import('./gpu'),
};
for (const [name, load] of Object.entries(toys)) if (document.querySelector(`rung-${name}`)) load();
