// What a reader answered and guessed, kept in this browser alone. The page "Your diary" shows it, exports it, takes it
// in again.
export interface Entry {
  page: string; // its address below the site's root: m0-tokenizer
  ask: string; // the question's words
  said: string; // what the reader chose or guessed
  answer: string; // the choice's id, or the guess as it was typed
  right: boolean;
  is?: string; // of a guess: the number that came out
  when: number; // milliseconds since 1970
}
export type Diary = Record<string, Entry>;

const key = 'rung-diary';
const day = 24 * 60 * 60 * 1000;

function isEntry(value: unknown): value is Entry {
  const entry = value as Entry;
  return (
    typeof value === 'object' &&
    value !== null &&
    [entry.page, entry.ask, entry.said, entry.answer].every((part) => typeof part === 'string') &&
    typeof entry.right === 'boolean' &&
    Number.isFinite(entry.when) &&
    (entry.is === undefined || typeof entry.is === 'string')
  );
}

// What is not an entry (of an older version, or by another hand) is left out.
function entriesOf(value: unknown): Diary {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => isEntry(entry)));
}

export function read(): Diary {
  try {
    return entriesOf(JSON.parse(localStorage.getItem(key) ?? '{}'));
  } catch {
    return {};
  }
}

function write(diary: Diary): void {
  try {
    localStorage.setItem(key, JSON.stringify(diary));
  } catch {
    /* a browser that keeps nothing: the page works all the same */
  }
}

export function note(id: string, entry: Omit<Entry, 'when'>): void {
  write({ ...read(), [id]: { ...entry, when: Date.now() } });
}

export function forget(): void {
  try {
    localStorage.removeItem(key);
  } catch {
    /* there is nothing, then */
  }
}

export const exported = (): string =>
  JSON.stringify({ kind: 'rung-diary', version: 1, entries: read() }, null, 1) + '\n';

// Takes in a file that was exported, perhaps by another browser: of two entries the newer one stays. How many it
// brought.
export function take(text: string): number {
  let file: { kind?: unknown; version?: unknown; entries?: unknown };
  try {
    file = JSON.parse(text);
  } catch {
    throw new Error('This file is not a diary: it is not JSON.');
  }
  if (file?.kind !== 'rung-diary') throw new Error('This file is not a diary: its "kind" is not "rung-diary".');
  if (file.version !== 1)
    throw new Error(`This diary is of version ${String(file.version)}; this site reads version 1.`);
  const diary = read();
  let taken = 0;
  for (const [id, entry] of Object.entries(entriesOf(file.entries))) {
    if (diary[id] && diary[id].when >= entry.when) continue;
    diary[id] = entry;
    taken++;
  }
  write(diary);
  return taken;
}

// The pages among `earlier` (in their order) that were begun a day ago or longer: whoever left one then has come back.
export function begun(earlier: string[], now = Date.now(), diary = read()): string[] {
  const entries = Object.values(diary);
  return earlier.filter((page) => entries.some((entry) => entry.page === page && entry.when <= now - day));
}

// Exercises of other pages whose solution was looked up a day ago or longer, and that were not written since.
export const lookedUp = (here: string, now = Date.now(), diary = read()): Entry[] =>
  Object.entries(diary)
    .filter(([id, { page, right, when }]) => id.startsWith('exercise:') && page !== here && !right && when <= now - day)
    .map(([, entry]) => entry);

// Of a page's questions, those that are asked again: not answered right yet, and right a day ago or longer; the first
// ones first.
export function due(ids: string[], now = Date.now(), diary = read()): { open: string[]; old: string[] } {
  return {
    open: ids.filter((id) => !diary[id]?.right),
    old: ids
      .filter((id) => diary[id]?.right && diary[id].when <= now - day)
      .sort((a, b) => diary[a].when - diary[b].when),
  };
}

// Where a page is, whatever path the site lies under. <rung-again>, on every page, says where the root is from there,
// and which page this is.
const frame = () => document.querySelector<HTMLElement>('rung-again')!.dataset;
export const addressOf = (page: string): URL =>
  new URL(page === 'index' ? 'index.html' : `${page}/index.html`, new URL(frame().root!, location.href));

// The page that an element stands on, or, of a question that is asked again, came from.
export const pageOf = (element: HTMLElement): string => element.dataset.page ?? frame().here ?? '';
