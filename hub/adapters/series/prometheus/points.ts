import type { Clock, Logger } from '#sdk';
import type { StepRow } from '../points/answer.ts';
import { problems } from '../points/errors.ts';
import { gatherRows, sampleRow } from '../points/rows.ts';
import { isStatistic, statisticsOf } from '../points/statistics.ts';
import type { Owner, PointServer, Rows, RowsQuery } from '../points/tiered-store.ts';
import { RESOLUTIONS, type Resolution } from '../points/tiers.ts';
import { onlyOf, selector, seriesLabels } from './labels.ts';
import { encodeLabels, type WriteLine } from './remote-write.ts';
import { createNotes } from './notes.ts';
import { AHEAD_MS, createReading, floor, samplesOf, timeOf } from './reading.ts';
import type { Server } from './server.ts';
import { createSettling } from './settling.ts';

const [MINUTE_MS, HOUR_MS, DAY_MS] = [60_000, 3_600_000, 86_400_000];
/** How far back series that no coarser tier knows yet are looked for. */
const FRESH_MS = 2 * HOUR_MS;

const [RAW] = RESOLUTIONS;
const ownerKey = ({ org, resource }: Owner): string => JSON.stringify([org, resource]);

/**
 * Samples as `<prefix>_raw{org,resource,name,series}`, rows of coarser tiers as `<prefix>_<seconds>s` with a label `stat`. These stores replace nothing: a second
 * value at a time is refused or may win by chance. So a row is written some milliseconds after the begin of its bucket, one more each time that it is
 * written anew, and the last one within the bucket counts.
 */
export function createPoints(
  server: Server,
  prefix: string,
  { clock, log }: { clock: Clock; log: Logger },
): PointServer {
  const reading = createReading(server, clock);
  const metricOf = ({ bucketMs }: Resolution): string => `${prefix}_${bucketMs === 0 ? 'raw' : `${bucketMs / 1000}s`}`;
  const encoded = new WeakMap<readonly string[], Uint8Array[]>();
  const begins = new Map<Resolution, number>();
  const { window, inSteps, oldest } = reading;
  const notes = createNotes({ reading, server, prefix, clock, write: (lines) => write(['notes'], lines) });
  let forgottenMs = 0;
  let cannotForget = false;

  const beginsMs = (tier: Resolution): number => {
    const keptMs = begins.get(tier);
    return keptMs === undefined ? 0 : clock.now() - keptMs;
  };
  const write = async (places: readonly string[], lines: readonly WriteLine[]): Promise<number> => {
    if (lines.length === 0) return 0;
    let [from, to] = [Infinity, -Infinity];
    for (const { times } of lines) for (const ms of times) [from, to] = [Math.min(from, ms), Math.max(to, ms)];
    // Noted before too: what fails half-way may be there.
    try {
      return await server.write(lines);
    } finally {
      for (const place of places) reading.settling?.wrote(place, from, to);
    }
  };
  const placeOf = (tier: Resolution, owner: Owner): string => `${tier.bucketMs} ${ownerKey(owner)}`;

  const rawLabels = (owner: Owner, columns: readonly string[]): Uint8Array[] => {
    const there = encoded.get(columns);
    if (there !== undefined) return there;
    const head = encodeLabels([['__name__', metricOf(RAW)]]);
    const made = columns.map((text) => Buffer.concat([head, seriesLabels(owner, text)]));
    encoded.set(columns, made);
    return made;
  };
  const rawLines = (given: Parameters<PointServer['writeSamples']>[0][number]): WriteLine[] => {
    const lines = new Map<readonly string[], WriteLine[]>();
    for (const { table, timeMs, values } of given.blocks) {
      const columns = given.columns.get(table) ?? [];
      let own = lines.get(columns);
      if (own === undefined) {
        own = rawLabels(given, columns).map((labels) => ({ labels, times: [], values: [] }));
        lines.set(columns, own);
      }
      for (const [index, line] of own.entries()) {
        const value = values[index] as number;
        if (!Number.isFinite(value) || !(timeMs >= 0)) continue;
        line.times.push(Math.trunc(timeMs));
        line.values.push(value);
      }
    }
    return [...lines.values()].flat().filter(({ times }) => times.length > 0);
  };

  const readRaw = async (owner: Owner, { from, to, step, only }: RowsQuery): Promise<Rows> => {
    const query = `${selector(metricOf(RAW), { ...owner }, onlyOf(only))}${window(from, to)}`;
    const rows: Rows = new Map();
    for (const one of await server.instant(query, to - 1)) {
      // Without deduplication VictoriaMetrics keeps what was sent twice.
      const samples = new Map(samplesOf(one).map(([time, value]) => [timeOf(time), Number(value)]));
      const inRange = [...samples].filter(([time]) => time >= from && time < to);
      if (inRange.length > 0)
        rows.set(
          one.metric['series'] ?? '',
          gatherRows(
            inRange.map(([time, value]) => sampleRow(time, value)),
            step,
          ),
        );
    }
    return rows;
  };
  const readTier = async (tier: Resolution, owner: Owner, { from, to, step, only }: RowsQuery): Promise<Rows> => {
    const { bucketMs } = tier;
    const query = `last_over_time(${selector(metricOf(tier), { ...owner }, onlyOf(only))}[${bucketMs}ms])`;
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
  };
  /** The number of times that rows of a range have been written. */
  const versionOf = async (tier: Resolution, owner: Owner, from: number, to: number): Promise<number> => {
    const series = selector(metricOf(tier), { ...owner, stat: 'version' });
    const [found] = await server.instant(`max_over_time(${series}${window(from, to)})`, to - 1);
    return found?.value === undefined ? 0 : Number(found.value[1]) + 1;
  };
  const writeRows: PointServer['writeRows'] = async (tier, owner, rows) => {
    const times = [...rows.values()].flat().map(({ t }) => t);
    if (times.length === 0) return;
    const [from, to] = times.reduce(([a, b], t) => [Math.min(a, t), Math.max(b, t + tier.bucketMs)], [Infinity, 0]);
    await reading.settling?.settled(placeOf(tier, owner), from, to);
    const version = Math.min(await versionOf(tier, owner, from, to), tier.bucketMs - 2);
    const head = encodeLabels([['__name__', metricOf(tier)]]);
    const fixed = { org: encodeURIComponent(owner.org), resource: encodeURIComponent(owner.resource) };
    const count = encodeLabels([...Object.entries(fixed), ['stat', 'version']]);
    const all = [...new Set(times)].sort((a, b) => a - b).map((t) => t + 1 + version);
    const lines: WriteLine[] = [];
    for (const [text, own] of rows) {
      const labels = seriesLabels(owner, text);
      const stamped = own.map(({ t }) => t + 1 + version);
      for (const stat of new Set([...statisticsOf(text), 'lastT' as const]))
        lines.push({
          labels: Buffer.concat([head, labels, encodeLabels([['stat', stat]])]),
          times: stamped,
          values: own.map((row) => row[stat]),
        });
    }
    await write([placeOf(tier, owner)], lines);
    await write(
      [placeOf(tier, owner)],
      [{ labels: Buffer.concat([head, count]), times: all, values: all.map(() => version) }],
    );
  };

  /** Counts of each step of a range, ascending, where there is something. */
  const counts = async (tier: Resolution, from: number, to: number, step: number): Promise<[number, number][]> => {
    const samples = `sum(count_over_time(${metricOf(tier)}[${Math.max(1, step - reading.closed)}ms]))`;
    const rows = `sum(last_over_time(${metricOf(tier)}{stat="n"}[${step}ms]))`;
    const [query, late] = tier === RAW ? [samples, 1] : [rows, 0];
    const found = await inSteps(query, from + step - late, to + step - late, step);
    return found.flatMap(samplesOf).map(([time, value]) => [timeOf(time) - step + late, Number(value)]);
  };

  const check = async (): Promise<void> => {
    const [one] = await server.instant('vector(1)', clock.now());
    if (one === undefined) throw problems.otherVersion(`${server.name} does not answer like Prometheus.`);
  };

  return {
    beginsMs,
    async open() {
      await check();
      await server.checkWrite();
      const { kind, apart } = await server.facts();
      if (kind === 'victoria') {
        reading.settling = createSettling(clock, server.flush);
        await reading.settling.all();
        if (apart !== undefined && apart !== '1ms')
          log.warn('set -dedup.minScrapeInterval=1ms: the store counts twice what was sent twice, or drops samples', {
            is: apart,
          });
      }
      // Not answered by VictoriaMetrics, which counts the left edge out.
      const [edge] =
        kind === 'victoria' ? [] : await server.instant('count_over_time(vector(1)[1ms:1ms])', clock.now());
      reading.closed = Number(edge?.value?.[1]) === 2 ? 1 : 0;
      const lateMs = kind === 'victoria' ? undefined : await server.lateMs();
      if (lateMs !== undefined && lateMs < HOUR_MS)
        throw problems.refused(
          `${server.name} takes no late samples: set storage.tsdb.out_of_order_time_window to 7d, or to as long as agents may be away, in its configuration.`,
        );
    },
    check,
    async keep(retention) {
      for (const tier of RESOLUTIONS) begins.set(tier, tier.days(retention) * DAY_MS);
      if (cannotForget || clock.now() - forgottenMs < HOUR_MS) return;
      forgottenMs = clock.now();
      if ((await server.facts()).kind !== 'prometheus') return;
      try {
        for (const tier of RESOLUTIONS) await server.remove(metricOf(tier), beginsMs(tier));
      } catch (error) {
        cannotForget = true;
        log.warn('old samples are not shown, and stay on disk as long as the store’s own retention says', {
          reason: String(error),
        });
      }
    },
    writeSamples: (writes) => write([...new Set(writes.map((one) => placeOf(RAW, one)))], writes.flatMap(rawLines)),
    async readRows(tier, owner, query) {
      await reading.settling?.settled(placeOf(tier, owner), query.from, query.to);
      return tier === RAW ? readRaw(owner, query) : readTier(tier, owner, query);
    },
    writeRows,
    ...notes,
    async lastSeen(tier, owner) {
      await reading.settling?.settled(placeOf(tier, owner), -Infinity, Infinity);
      const series = selector(metricOf(tier), { ...owner }, tier === RAW ? '' : ',stat="lastT"');
      const now = clock.now() + AHEAD_MS;
      if (tier !== RAW) {
        const found = await server.instant(`max_over_time(${series}${window(oldest(beginsMs(tier)), now)})`, now - 1);
        return found.map(({ metric, value }) => [metric['series'] ?? '', Number(value?.[1])]);
      }
      // Every four minutes shows every sample that was the last of its series: one is seen for five.
      const end = Math.ceil(now / 240_000) * 240_000;
      const newest =
        reading.settling === undefined
          ? `max_over_time(timestamp(${series})[${FRESH_MS + AHEAD_MS}ms:240s])`
          : `tlast_over_time(${series}[${FRESH_MS + AHEAD_MS}ms])`;
      const found = await server.instant(newest, end);
      return found.map(({ metric, value }) => [metric['series'] ?? '', timeOf(Number(value?.[1]))]);
    },
    async remove({ org, resource }) {
      // What cannot be seen yet would stay.
      await reading.settling?.all();
      await server.remove(selector('', { org, resource }, `,__name__=~"${prefix}_.*"`));
    },
    async count(tier, from, to) {
      await reading.settling?.all();
      const step = tier === RAW ? MINUTE_MS : tier.bucketMs;
      const range = [floor(oldest(from), step), Math.min(to, clock.now() + AHEAD_MS)] as const;
      const found = await counts(tier, range[0], range[1], step);
      const samples = found.reduce((sum, [, count]) => sum + count, 0);
      let first = found.find(([, count]) => count > 0)?.[0];
      // The minute, the second and the millisecond of the first sample.
      for (const finer of tier === RAW && first !== undefined ? [1000, 1] : []) {
        const length = finer === 1 ? 1000 : MINUTE_MS;
        const within: [number, number][] = await counts(
          tier,
          first as number,
          (first as number) + length - finer,
          finer,
        );
        first = within.find(([, count]) => count > 0)?.[0] ?? first;
      }
      return { samples, oldestMs: first };
    },
    bytes: async () => (await server.facts()).bytes,
  };
}
