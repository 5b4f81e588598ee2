import type { BatchHead, Lane, LaneSummary, LineCount } from './records.ts';

/** Lines and bytes by source. */
export type Sums = Map<string, [lines: number, bytes: number]>;

/** Adds counts to sums; `sign` −1 takes them away. */
export function addTo(sums: Sums, counts: Iterable<readonly [string, LineCount]>, sign: 1 | -1 = 1): Sums {
  for (const [source, [lines, bytes]] of counts) {
    const sum = sums.get(source);
    if (sum === undefined) sums.set(source, [sign * lines, sign * bytes]);
    else {
      sum[0] += sign * lines;
      sum[1] += sign * bytes;
    }
  }
  return sums;
}

/** All lines, and all bytes. */
export function totalOf(counts: Iterable<LineCount>): { lines: number; bytes: number } {
  const total = { lines: 0, bytes: 0 };
  for (const [lines, bytes] of counts) {
    total.lines += lines;
    total.bytes += bytes;
  }
  return total;
}

/** What was seen of one lane in a segment. */
export interface LaneTally {
  first: bigint;
  last: bigint;
  oldestMs: number;
  newestMs: number;
  sources: Sums;
}

/** What was seen of each lane in a segment. */
export type Tally = Partial<Record<Lane, LaneTally>>;

/** Adds a batch that was read or written. */
export function tallyBatch(tally: Tally, { lane, seq, timeMs, sources }: BatchHead): void {
  const number = BigInt(seq);
  const seen = (tally[lane] ??= {
    first: number,
    last: number,
    oldestMs: timeMs,
    newestMs: timeMs,
    sources: new Map(),
  });
  seen.last = number;
  seen.oldestMs = Math.min(seen.oldestMs, timeMs);
  seen.newestMs = Math.max(seen.newestMs, timeMs);
  addTo(seen.sources, Object.entries(sources));
}

const laneSummary = ({ first, last, oldestMs, newestMs, sources }: LaneTally): LaneSummary => ({
  first: String(first),
  last: String(last),
  oldestMs,
  newestMs,
  sources: Object.fromEntries(sources),
});

/** A tally as it is written down. */
export function summaryOf({ live, backfill }: Tally): Partial<Record<Lane, LaneSummary>> {
  return {
    ...(live === undefined ? {} : { live: laneSummary(live) }),
    ...(backfill === undefined ? {} : { backfill: laneSummary(backfill) }),
  };
}
