import type { SeriesRetention } from '../../../ports/series.ts';
import type { HotTable } from '../../duckdb/sealing.ts';

/** One resolution in which samples are kept. */
export interface Tier extends HotTable {
  /** Milliseconds a row stands for; 0 for samples as they came. */
  bucketMs: number;
  /** How often rows of the finer tier are gathered into this one, milliseconds. */
  everyMs: number;
  /** Age at which hot rows are sealed in any case, milliseconds: coarse tiers are small, and their queries reach over many files. */
  sealMs: number;
  /** Days that its rows are kept. */
  days(retention: SeriesRetention): number;
}

/** Names of a partial aggregate's columns: series, bucket, count, sum, smallest, largest, first and last sample with their times. */
export const PARTIAL_COLUMNS = 'series, t, n, s, mn, mx, ft, f, lt, l';

const HOUR_MS = 3_600_000;

const hot = { mark: 'g', owner: 'series', order: 'series, t' } as const;
const partial = { ...hot, columns: PARTIAL_COLUMNS } as const;

/**
 * Finest first. Rows of the coarser ones are *partial* aggregates: gathered in the order of arrival, several rows may
 * stand for one bucket, and a query puts them together. So late samples need no special case.
 */
export const TIERS: readonly Tier[] = [
  { ...hot, name: 'raw', columns: 'series, t, v', bucketMs: 0, everyMs: 0, sealMs: HOUR_MS, days: ({ raw }) => raw },
  {
    ...partial,
    name: 'ten',
    bucketMs: 10_000,
    everyMs: 10_000,
    sealMs: 4 * HOUR_MS,
    days: ({ tenSeconds }) => tenSeconds,
  },
  { ...partial, name: 'minute', bucketMs: 60_000, everyMs: 60_000, sealMs: 24 * HOUR_MS, days: ({ minute }) => minute },
  { ...partial, name: 'hour', bucketMs: HOUR_MS, everyMs: HOUR_MS, sealMs: 360 * HOUR_MS, days: ({ hour }) => hour },
];

/** Columns of a row that is a partial aggregate. */
export const PARTIAL =
  'series INTEGER, t BIGINT, n INTEGER, s DOUBLE, mn DOUBLE, mx DOUBLE, ft BIGINT, f DOUBLE, lt BIGINT, l DOUBLE';

/** A raw row as a partial aggregate of one sample. */
export const RAW_AS_PARTIAL = 'series, t, 1 AS n, v AS s, v AS mn, v AS mx, t AS ft, v AS f, t AS lt, v AS l';

/** Gathers partial aggregates `from` into buckets of so many milliseconds. */
export function gathered(from: string, bucketMs: number): string {
  return (
    `SELECT series, (t // ${bucketMs}) * ${bucketMs} AS t, sum(n)::INTEGER AS n, sum(s) AS s, min(mn) AS mn, max(mx) AS mx, ` +
    `min(ft) AS ft, arg_min(f, ft) AS f, max(lt) AS lt, arg_max(l, lt) AS l FROM (${from}) GROUP BY ALL`
  );
}
