import type { SeriesRetention } from '../../../ports/series.ts';

/** One resolution in which samples are kept. */
export interface Tier {
  name: string;
  /** Milliseconds a row stands for; 0 for samples as they came. */
  bucketMs: number;
  /** How often rows of the finer tier are gathered into this one, milliseconds. */
  everyMs: number;
  /** Days that its rows are kept. */
  days(retention: SeriesRetention): number;
}

/**
 * Finest first. Rows of the coarser ones are *partial* aggregates: gathered in the order of arrival, several rows may
 * stand for one bucket, and a query puts them together. So late samples need no special case.
 */
export const TIERS = [
  { name: 'raw', bucketMs: 0, everyMs: 0, days: (retention) => retention.raw },
  { name: 'ten', bucketMs: 10_000, everyMs: 10_000, days: (retention) => retention.tenSeconds },
  { name: 'minute', bucketMs: 60_000, everyMs: 60_000, days: (retention) => retention.minute },
  { name: 'hour', bucketMs: 3_600_000, everyMs: 3_600_000, days: (retention) => retention.hour },
] as const satisfies readonly Tier[];

/** Columns of a row that is a partial aggregate. */
export const PARTIAL =
  'series INTEGER, t BIGINT, n INTEGER, s DOUBLE, mn DOUBLE, mx DOUBLE, ft BIGINT, f DOUBLE, lt BIGINT, l DOUBLE';

/** A raw row as a partial aggregate of one sample. */
export const RAW_AS_PARTIAL = 'series, t, 1 AS n, v AS s, v AS mn, v AS mx, t AS ft, v AS f, t AS lt, v AS l';

/** Names of a partial aggregate's columns. */
export const PARTIAL_COLUMNS = 'series, t, n, s, mn, mx, ft, f, lt, l';

/** Gathers partial aggregates `from` into buckets of so many milliseconds. */
export function gathered(from: string, bucketMs: number): string {
  return (
    `SELECT series, (t // ${bucketMs}) * ${bucketMs} AS t, sum(n)::INTEGER AS n, sum(s) AS s, min(mn) AS mn, max(mx) AS mx, ` +
    `min(ft) AS ft, arg_min(f, ft) AS f, max(lt) AS lt, arg_max(l, lt) AS l FROM (${from}) GROUP BY ALL`
  );
}

/** The tier that answers a query most cheaply: the coarsest whose buckets add up to the step; coarser still where it alone reaches back far enough. */
export function tierFor(step: number, from: number, oldestMs: (tier: Tier) => number): Tier {
  let best: Tier = TIERS[0];
  for (const tier of TIERS) if (tier.bucketMs === 0 || step % tier.bucketMs === 0) best = tier;
  const reaching = TIERS.filter((tier) => tier.bucketMs >= best.bucketMs && oldestMs(tier) <= from);
  return reaching[0] ?? (oldestMs(best) <= from ? best : TIERS[TIERS.length - 1]) ?? best;
}
