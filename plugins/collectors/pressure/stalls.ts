/** Microseconds since boot in which some, and in which all, tasks were stalled; `undefined` when a line is missing. */
export interface Stalls {
  some: number | undefined;
  full: number | undefined;
}

function totalOf(text: string, scope: string): number | undefined {
  const digits = new RegExp(`^${scope} .*\\btotal=(\\d{1,20})$`, 'm').exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Reads a file of /proc/pressure. */
export function parseStalls(text: string): Stalls {
  return { some: totalOf(text, 'some'), full: totalOf(text, 'full') };
}

/** Share of the time between two readings that was stalled; `undefined` when it cannot be told. */
export function stalledShare(
  before: number | undefined,
  after: number | undefined,
  elapsedMs: number,
): number | undefined {
  if (before === undefined || after === undefined || after < before || !(elapsedMs > 0)) return undefined;
  return Math.min(1, (after - before) / (elapsedMs * 1000));
}
