import type { StepRow } from './answer.ts';

/** Puts two partial rows of one series and step together; either may be the earlier one. */
export function joinRows(a: StepRow, b: StepRow): StepRow {
  const [early, late] = [a.firstT <= b.firstT ? a : b, a.lastT > b.lastT ? a : b];
  return {
    t: a.t,
    n: a.n + b.n,
    s: a.s + b.s,
    mn: Math.min(a.mn, b.mn),
    mx: Math.max(a.mx, b.mx),
    firstT: early.firstT,
    f: early.f,
    lastT: late.lastT,
    last: late.last,
  };
}

/** Gathers rows of one series into steps of so many milliseconds, ascending. Rows may come in any order, several for one step. */
export function gatherRows(rows: Iterable<StepRow>, step: number): StepRow[] {
  const gathered = new Map<number, StepRow>();
  for (const row of rows) {
    const t = Math.floor(row.t / step) * step;
    const there = gathered.get(t);
    gathered.set(t, there === undefined ? { ...row, t } : joinRows(there, { ...row, t }));
  }
  return [...gathered.values()].sort((a, b) => a.t - b.t);
}

/** A sample as the row of a step that holds nothing else. */
export function sampleRow(timeMs: number, value: number): StepRow {
  return { t: timeMs, n: 1, s: value, mn: value, mx: value, firstT: timeMs, f: value, lastT: timeMs, last: value };
}
