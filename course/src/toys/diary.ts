// What a reader answered and guessed, kept in this browser alone.
const key = 'rung-diary';
type Diary = Record<string, { answer: string; right?: boolean; when: number }>;

export function read(): Diary {
  try { return JSON.parse(localStorage.getItem(key) ?? '{}'); } catch { return {}; }
}

export function note(id: string, answer: string, right?: boolean): void {
  const diary = read();
  diary[id] = { answer, right, when: Date.now() };
  try { localStorage.setItem(key, JSON.stringify(diary)); } catch { /* a browser that keeps nothing: the page works all the same */ }
}
