// What a reader writes, kept in this browser alone: the text at every key stroke, attempts, which hints were opened.
// It goes out as one file, the same that `rung learn export` writes, and comes in again.
export interface Attempt {
  when: number; // milliseconds since 1970
  text: string;
  state: string; // 'passed'; else the check that failed: 'compile', 'by-hand', …
}
export interface Work {
  text: string;
  when: number; // of the last change
  attempts: Attempt[]; // the latest last
  hints: number; // how many were opened
  solution: boolean; // it was looked at
  solved?: number; // when all checks passed for the first time
}

const prefix = 'rung-learn/';
const mostAttempts = 20;
const empty = (): Work => ({ text: '', when: 0, attempts: [], hints: 0, solution: false });

function isAttempt(value: unknown): value is Attempt {
  const { when, text, state } = (value ?? {}) as Attempt;
  return Number.isFinite(when) && typeof text === 'string' && typeof state === 'string';
}

// What is not there (of an older version, or by another hand) is as at the beginning.
function workOf(value: unknown): Work | undefined {
  const work = (value ?? {}) as Work;
  if (typeof work.text !== 'string') return undefined;
  return {
    text: work.text,
    when: Number.isFinite(work.when) ? work.when : 0,
    attempts: Array.isArray(work.attempts) ? work.attempts.filter(isAttempt) : [],
    hints: Number.isInteger(work.hints) ? work.hints : 0,
    solution: work.solution === true,
    ...(Number.isFinite(work.solved) && { solved: work.solved }),
  };
}

export function read(name: string): Work | undefined {
  try {
    return workOf(JSON.parse(localStorage.getItem(prefix + name) ?? 'null'));
  } catch {
    return undefined;
  }
}

/** Whether it could be kept: a browser may be told to keep nothing, or have no room. */
function write(name: string, work: Work): boolean {
  try {
    localStorage.setItem(prefix + name, JSON.stringify(work));
    return true;
  } catch {
    return false;
  }
}

/** Another tab may have written meanwhile: a change is made to what lies there now. */
export const change = (name: string, changes: Partial<Work>): boolean =>
  write(name, { ...(read(name) ?? empty()), ...changes });

export const keepText = (name: string, text: string): boolean => change(name, { text, when: Date.now() });

/** One that is the same text as the last takes its place. */
export function keepAttempt(name: string, text: string, state: string): void {
  const { attempts } = read(name) ?? empty();
  const others = attempts.at(-1)?.text === text ? attempts.slice(0, -1) : attempts;
  change(name, { attempts: [...others, { when: Date.now(), text, state }].slice(-mostAttempts) });
}

export function all(): Record<string, Work> {
  const found: Record<string, Work> = {};
  try {
    for (const key of Object.keys(localStorage).sort()) {
      const work = key.startsWith(prefix) && read(key.slice(prefix.length));
      if (work) found[key.slice(prefix.length)] = work;
    }
  } catch {
    /* there is nothing, then */
  }
  return found;
}

export const exported = (): string =>
  JSON.stringify({ kind: 'rung-learn', version: 1, exercises: all() }, null, 1) + '\n';

/** Takes in a file that was exported, here or at the terminal: of two texts the newer one is in the editor, the other
 *  one stays among the attempts. How many exercises it brought something for. */
export function take(text: string): number {
  let file: { kind?: unknown; version?: unknown; exercises?: unknown };
  try {
    file = JSON.parse(text);
  } catch {
    throw new Error('This file is no export of exercises: it is not JSON.');
  }
  if (file?.kind !== 'rung-learn') throw new Error('This file is no export of exercises: its "kind" is not "rung-learn".');
  if (file.version !== 1)
    throw new Error(`This export is of version ${String(file.version)}; this site reads version 1.`);
  let taken = 0;
  for (const [name, value] of Object.entries(file.exercises ?? {})) {
    const theirs = workOf(value),
      mine = read(name);
    if (!theirs || JSON.stringify(theirs) === JSON.stringify(mine)) continue;
    write(name, mine ? joined(mine, theirs) : theirs);
    taken++;
  }
  return taken;
}

function joined(mine: Work, theirs: Work): Work {
  const [newer, older] = mine.when >= theirs.when ? [mine, theirs] : [theirs, mine];
  const last = { when: older.when, text: older.text, state: 'kept' };
  const attempts = [...mine.attempts, ...theirs.attempts, ...(older.text !== newer.text ? [last] : [])];
  const once = new Map(attempts.map((attempt) => [`${attempt.when} ${attempt.text}`, attempt]));
  const solved = Math.min(mine.solved ?? Infinity, theirs.solved ?? Infinity);
  return {
    text: newer.text,
    when: newer.when,
    attempts: [...once.values()].sort((a, b) => a.when - b.when).slice(-mostAttempts),
    hints: Math.max(mine.hints, theirs.hints),
    solution: mine.solution || theirs.solution,
    ...(solved !== Infinity && { solved }),
  };
}
