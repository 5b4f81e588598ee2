/** Fewest points that make a trend, one a minute. */
const LEAST_POINTS = 20;
/** Emptier file systems are left alone: much can still be done. */
const LEAST_USED = 0.5;
/** A fall by more than this between two points is a clean-up: what was before says nothing of what comes. */
const CLEAN_UP = 0.005;
/** Growth that is less than this over the whole stretch is noise. */
const LEAST_GROWTH = 0.002;

/** One minute of one file system. */
export interface UsedPoint {
  /** Milliseconds. */
  timeMs: number;
  /** Used share of the space, 0 to 1. */
  used: number;
}

function afterCleanUp(points: readonly UsedPoint[]): readonly UsedPoint[] {
  for (let i = points.length - 1; i > 0; i--) {
    const [before, after] = [points[i - 1], points[i]];
    if (before && after && before.used - after.used > CLEAN_UP) return points.slice(i);
  }
  return points;
}

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  const middle = values.length >> 1;
  const upper = values[middle] ?? 0;
  return values.length % 2 === 1 ? upper : (upper + (values[middle - 1] ?? 0)) / 2;
}

/** The median of the slopes of all pairs (Theil 1950, Sen 1968): a third of the points may be wrong. Per millisecond. */
export function robustSlope(points: readonly UsedPoint[]): number {
  const slopes: number[] = [];
  points.forEach((a, i) => {
    for (const b of points.slice(i + 1))
      if (b.timeMs > a.timeMs) slopes.push((b.used - a.used) / (b.timeMs - a.timeMs));
  });
  return median(slopes);
}

/**
 * Seconds until a file system is full if it goes on as in these points (one a minute, ascending, about an hour);
 * undefined when nothing says that it fills: too few points, half empty, just cleaned up, hardly growing, or no longer growing.
 */
export function secondsToFull(points: readonly UsedPoint[]): number | undefined {
  const trend = afterCleanUp(points);
  const [first, last] = [trend[0], trend.at(-1)];
  if (first === undefined || last === undefined || trend.length < LEAST_POINTS) return undefined;
  if (last.used <= LEAST_USED) return undefined;
  const slope = robustSlope(trend);
  if (slope * (last.timeMs - first.timeMs) < LEAST_GROWTH) return undefined;
  // A copy that has ended leaves a steep hour behind: the last third must grow as well.
  const recent = robustSlope(trend.slice(-Math.ceil(trend.length / 3)));
  if (recent < slope / 4) return undefined;
  return Math.max(0, 1 - last.used) / slope / 1000;
}
