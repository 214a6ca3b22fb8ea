// What moves on the pages: plain custom elements. Each finds its figure for readers without JavaScript inside itself,
// and takes its place.
// A toy's script, with its numbers, is fetched where its element is, and when a reader is within a screen of it.
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
  story: () => import('./story'),
  look: () => import('./look'),
  mistakes: () => import('./mistakes'),
  exercise: () => import('./exercise'),
  exercises: () => import('./exercises-page'),
};
const near = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      toys[target.localName.slice('rung-'.length)]();
    }
  },
  { rootMargin: '100%' },
);
for (const name of Object.keys(toys)) document.querySelectorAll(`rung-${name}`).forEach((toy) => near.observe(toy));
