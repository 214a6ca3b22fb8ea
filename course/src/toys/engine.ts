// The engine of a page: loaded when something first asks for it, and shared by all that do. What it is and can:
// web/src/types.ts.
import type { Load, Rung } from '../../../web/src/types';
export type * from '../../../web/src/types';

// The package lies beside the site's pages (tools/course.sh puts it there), and this script one folder below them.
const folder = import.meta.env.DEV ? '/engine/' : '../engine/';
const door = () =>
  import(/* @vite-ignore */ new URL(folder + 'index.js', import.meta.url).href) as Promise<{ load: Load }>;

/** An engine of one's own: with the reader's files, or with something switched off. */
export const load: Load = async (model, options) => (await door()).load(model, options);

/** pebble, as it is, for whoever only asks. */
export function pebble(): Promise<Rung> {
  shared ??= load().catch((error) => {
    shared = undefined;
    throw error;
  });
  return shared;
}
let shared: Promise<Rung> | undefined;

/** After the page has been painted and nothing else is waiting. */
export function whenIdle(): Promise<void> {
  return new Promise((resolve) => {
    const idle = () =>
      'requestIdleCallback' in window
        ? requestIdleCallback(() => resolve(), { timeout: 500 })
        : setTimeout(resolve, 50);
    if (document.readyState === 'complete') idle();
    else addEventListener('load', idle, { once: true });
  });
}

/** What a reader sees until it is there. */
export const onItsWay = 'The engine is on its way into this page (about 4 MB) …';

/** What a reader sees who begins a story with nothing. */
export const aWordPlease = 'A word to begin with, please.';

/** What a reader sees of an error: its one line. */
export const lineOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
