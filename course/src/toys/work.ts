// What a reader writes, kept in this browser alone: the text at every key stroke, attempts, which hints were opened.
// It goes out as one file, the same that `rung learn export` writes, and comes in again.
export interface Attempt {
  when: number; // milliseconds since 1970
  text: string;
  state: string; // 'passed'; else the check that failed: 'compile', 'by-hand', …
}
export interface Work {
  code: string;
  passed: boolean; // once, whatever is in the editor now
  checks: number; // how often it was checked
  hints: number; // how many were opened
  solution: boolean; // it was looked at
  when: number; // of the last change; 0: the terminal wrote it
  attempts: Attempt[]; // the latest last
}

const prefix = 'rung-learn/';
const mostAttempts = 20;
const empty: Work = { code: '', passed: false, checks: 0, hints: 0, solution: false, when: 0, attempts: [] };

function isAttempt(value: unknown): value is Attempt {
  const { when, text, state } = (value ?? {}) as Attempt;
  return Number.isFinite(when) && typeof text === 'string' && typeof state === 'string';
}

// What is not there (of an older version, or by another hand) is as at the beginning.
function workOf(value: unknown): Work | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const work = value as Partial<Work>;
  return {
    code: typeof work.code === 'string' ? work.code : '',
    passed: work.passed === true,
    checks: Number.isInteger(work.checks) ? work.checks! : 0,
    hints: Number.isInteger(work.hints) ? work.hints! : 0,
    solution: work.solution === true,
    when: Number.isFinite(work.when) ? work.when! : 0,
    attempts: Array.isArray(work.attempts) ? work.attempts.filter(isAttempt) : [],
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
  write(name, { ...(read(name) ?? empty), ...changes });

export const keepCode = (name: string, code: string): boolean => change(name, { code, when: Date.now() });

/** One that is the same text as the last takes its place. */
export function keepAttempt(name: string, text: string, state: string): void {
  const { attempts, checks, passed } = read(name) ?? empty;
  const others = attempts.at(-1)?.text === text ? attempts.slice(0, -1) : attempts;
  change(name, {
    attempts: [...others, { when: Date.now(), text, state }].slice(-mostAttempts),
    checks: checks + 1,
    passed: passed || state === 'passed',
  });
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

export const exported = (): string => JSON.stringify({ version: 1, exercises: all() }, null, 1) + '\n';

/** Takes in a file that was exported, here or at the terminal: of two texts the newer one is in the editor (the one
 *  that is taken in, where the terminal wrote it), the other one stays among the attempts. How many exercises it
 *  brought something for. */
export function take(text: string): number {
  let file: { version?: unknown; exercises?: unknown };
  try {
    file = JSON.parse(text);
  } catch {
    throw new Error('This file is no export of exercises: it is not JSON.');
  }
  if (typeof file?.exercises !== 'object' || file.exercises === null)
    throw new Error('This file is no export of exercises: it has no "exercises".');
  if (file.version !== 1)
    throw new Error(`This export is of version ${String(file.version)}; this site reads version 1.`);
  let taken = 0;
  for (const [name, value] of Object.entries(file.exercises)) {
    const theirs = workOf(value),
      mine = read(name) ?? empty;
    const work = theirs && joined(mine, theirs);
    if (!work || JSON.stringify(work) === JSON.stringify(mine)) continue;
    write(name, work);
    taken++;
  }
  return taken;
}

function joined(mine: Work, theirs: Work): Work {
  const isNewer = theirs.code !== '' && theirs.code !== mine.code && (theirs.when === 0 || theirs.when > mine.when);
  const [newer, older] = isNewer ? [theirs, mine] : [mine, theirs];
  const isLost = older.code !== '' && older.code !== newer.code;
  const last = { when: older.when || Date.now(), text: older.code, state: 'kept' };
  const attempts = [...mine.attempts, ...theirs.attempts, ...(isLost ? [last] : [])];
  const once = new Map(attempts.map((attempt) => [attempt.text, attempt]));
  return {
    code: newer.code,
    passed: mine.passed || theirs.passed,
    checks: Math.max(mine.checks, theirs.checks),
    hints: Math.max(mine.hints, theirs.hints),
    solution: mine.solution || theirs.solution,
    when: isNewer ? theirs.when || Date.now() : mine.when,
    attempts: [...once.values()].sort((a, b) => a.when - b.when).slice(-mostAttempts),
  };
}
