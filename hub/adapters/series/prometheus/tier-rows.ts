import { LRUCache } from 'lru-cache';
import type { StepRow } from '../points/answer.ts';
import { PIECE_MS } from '../points/pieces.ts';
import { gatherRows, sampleRow } from '../points/rows.ts';
import { isStatistic, statisticsOf } from '../points/statistics.ts';
import type { Owner, Rows, RowsQuery } from '../points/tiered-store.ts';
import type { Resolution } from '../points/tiers.ts';
import { floor, placeOf, samplesOf, timeOf, type Access } from './access.ts';
import { onlyOf, seriesLabels } from './labels.ts';
import { encodeLabels, type WriteLine } from './remote-write.ts';

/**
 * Rows of coarser tiers: `<prefix>_<seconds>s{…,stat}`. These stores replace nothing: a second value at a time is refused or may win by chance. So a row is
 * written some milliseconds after the beginning of its bucket, one more each time that it is written anew, and the last one within the bucket counts.
 */
export function createTierRows(access: Access) {
  const { metricOf, select, window, inSteps, oldest, server } = access;
  /** Versions by place and range: two writes may follow each other faster than the store shows the first. */
  const versions = new LRUCache<string, number>({ max: 100_000 });
  /** How many times rows of a range have been written. */
  const versionOf = async (tier: Resolution, owner: Owner, from: number, to: number): Promise<number> => {
    const series = select(metricOf(tier), { ...owner, stat: 'version' });
    const [found] = await server.instant(`max_over_time(${series}${window(from, to)})`, to - 1);
    const stored = found?.value === undefined ? 0 : Number(found.value[1]) + 1;
    const key = `${placeOf(tier, owner)} ${floor(from, Math.max(PIECE_MS, tier.bucketMs))}`;
    const version = Math.min(Math.max(stored, (versions.get(key) ?? -1) + 1), tier.bucketMs - 2);
    versions.set(key, version);
    return version;
  };
  return {
    async read(tier: Resolution, owner: Owner, { from, to, step, only }: RowsQuery): Promise<Rows> {
      const { bucketMs } = tier;
      const query = `last_over_time(${select(metricOf(tier), { ...owner }, onlyOf(only))}[${bucketMs}ms])`;
      const byText = new Map<string, Map<number, StepRow>>();
      const first = floor(oldest(from), bucketMs);
      for (const one of await inSteps(query, first + bucketMs, floor(to - 1, bucketMs) + bucketMs, bucketMs)) {
        const { series = '', stat = '' } = one.metric;
        if (!isStatistic(stat)) continue;
        const own = byText.get(series) ?? new Map<number, StepRow>();
        byText.set(series, own);
        for (const [time, figure] of samplesOf(one)) {
          const [t, value] = [timeOf(time) - bucketMs, Number(figure)];
          const row = own.get(t) ?? sampleRow(t, value);
          row[stat] = value;
          own.set(t, row);
        }
      }
      return new Map([...byText].map(([text, own]) => [text, gatherRows(own.values(), step)]));
    },
    async write(tier: Resolution, owner: Owner, rows: Rows): Promise<void> {
      const begins = [...new Set([...rows.values()].flat().map(({ t }) => t))].sort((a, b) => a - b);
      const [from, last] = [begins[0], begins.at(-1)];
      if (from === undefined || last === undefined) return;
      const place = placeOf(tier, owner);
      await access.settling?.settled(place, from, last + tier.bucketMs);
      const version = await versionOf(tier, owner, from, last + tier.bucketMs);
      const head = encodeLabels([['__name__', metricOf(tier)]]);
      const fixed = { org: encodeURIComponent(owner.org), resource: encodeURIComponent(owner.resource) };
      const labels = Buffer.concat([head, encodeLabels([...Object.entries(fixed), ['stat', 'version']])]);
      const stamped = (t: number): number => t + 1 + version;
      // The version first: rows that a killed hub left half-way must not get another value at their time.
      await access.write([place], [{ labels, times: begins.map(stamped), values: begins.map(() => version) }]);
      const lines: WriteLine[] = [];
      for (const [text, own] of rows) {
        const series = seriesLabels(owner, text);
        const times = own.map(({ t }) => stamped(t));
        for (const stat of new Set([...statisticsOf(text), 'lastT' as const])) {
          const all = Buffer.concat([head, series, encodeLabels([['stat', stat]])]);
          lines.push({ labels: all, times, values: own.map((row) => row[stat]) });
        }
      }
      await access.write([place], lines);
    },
  };
}
