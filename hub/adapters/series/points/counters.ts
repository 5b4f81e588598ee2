import type { Step, StepRow } from './answer.ts';

/** Over a silence longer than this no rate is made up, milliseconds, unless the samples themselves lie further apart. */
const GAP_MS = 300_000;
/** … and than so many times their distance. */
const GAP_SAMPLES = 10;

/**
 * How much a counter grew from `base` through a step. It only ever falls when it restarts at zero: once within a step is seen exactly
 * where the value before the fall is still the largest, else at least what the first and last sample prove.
 */
function growth(base: number, { f, mn, mx, last }: StepRow): number {
  const start = f < base ? 0 : base;
  if (mx > last) return mx - start + last;
  return mn < f ? f - start + last : last - start;
}

/** The usual distance of a series' samples: the median of what its rows show. */
function spacingOf(rows: readonly StepRow[]): number {
  const seen = rows.flatMap((row, index) => {
    const before = rows[index - 1];
    if (row.n > 1) return [(row.lastT - row.firstT) / (row.n - 1)];
    return before === undefined ? [] : [row.firstT - before.lastT];
  });
  return seen.sort((a, b) => a - b)[seen.length >> 1] ?? 0;
}

/**
 * Rates per second of a counter from `from` on: the growth since the last sample before the step, over the time between the two. After a gap, and for
 * a counter's first step, the growth within the step alone; a lone sample there says nothing. All four statistics are the rate.
 */
export function counterSteps(rows: readonly StepRow[], from: number): Step[] {
  const gap = Math.max(GAP_MS, GAP_SAMPLES * spacingOf(rows));
  return rows.flatMap((row, index) => {
    if (row.t < from) return [];
    const before = rows[index - 1];
    const joined = before !== undefined && row.firstT - before.lastT <= gap;
    const [base, since] = joined ? [before.last, before.lastT] : [row.f, row.firstT];
    if (row.lastT <= since) return [];
    const rate = (growth(base, row) * 1000) / (row.lastT - since);
    return [{ t: row.t, avg: rate, min: rate, max: rate, last: rate }];
  });
}
