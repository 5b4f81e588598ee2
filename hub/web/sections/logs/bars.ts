import { LEVELS, type Level } from './search.ts';

/** Lines per level and step of time, as the hub counts them. Times are milliseconds since 1970. */
export interface Histogram {
  from: number;
  to: number;
  step: number;
  buckets: readonly { timeMs: number; counts: Readonly<Record<string, number>> }[];
}

/** One piece of a bar, as shares of the width and height of the drawing, from the top left. */
export interface Piece {
  level: Level;
  y: number;
  height: number;
}

/** A bar: one step of time. */
export interface Bar {
  timeMs: number;
  x: number;
  width: number;
  total: number;
  pieces: Piece[];
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];
/** A bar and its gap are at least as wide, pixels. */
const BAR_PX = 8;

/** The step, in milliseconds, that gives bars wide enough to point at. */
export function barStep(lengthMs: number, widthPx: number): number {
  const most = Math.max(20, widthPx / BAR_PX);
  const seconds = STEPS.find((one) => lengthMs / (one * 1000) <= most);
  return (seconds ?? Math.ceil(lengthMs / most / 86_400_000) * 86_400) * 1000;
}

/** Lines of each level in the whole range. */
export function countsByLevel({ buckets }: Pick<Histogram, 'buckets'>): Record<Level, number> {
  const sums = Object.fromEntries(LEVELS.map((level) => [level, 0])) as Record<Level, number>;
  for (const { counts } of buckets) for (const level of LEVELS) sums[level] += counts[level] ?? 0;
  return sums;
}

/** The bars to draw; only the chosen levels count. The worst level stands at the bottom, where it is always seen. */
export function barsOf(
  { from, to, step, buckets }: Histogram,
  levels: readonly string[],
): { bars: Bar[]; most: number } {
  const chosen = LEVELS.filter((level) => levels.includes(level));
  const totals = buckets.map(({ counts }) => chosen.reduce((sum, level) => sum + (counts[level] ?? 0), 0));
  const most = Math.max(1, ...totals);
  const bars = buckets.map(({ timeMs, counts }, index): Bar => {
    let y = 1;
    const pieces = chosen.flatMap((level): Piece[] => {
      const height = (counts[level] ?? 0) / most;
      y -= height;
      return height === 0 ? [] : [{ level, y, height }];
    });
    const start = Math.max(from, timeMs);
    const end = Math.min(to, timeMs + step);
    return {
      timeMs,
      x: (start - from) / (to - from),
      width: (end - start) / (to - from),
      total: totals[index] ?? 0,
      pieces,
    };
  });
  return { bars: bars.filter(({ width, total }) => width > 0 && total > 0), most };
}
