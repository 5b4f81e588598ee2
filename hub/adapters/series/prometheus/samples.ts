import { gatherRows, sampleRow } from '../points/rows.ts';
import type { Owner, PointServer, Rows, RowsQuery } from '../points/tiered-store.ts';
import { RESOLUTIONS } from '../points/tiers.ts';
import { placeOf, samplesOf, timeOf, type Access } from './access.ts';
import { onlyOf, seriesLabels } from './labels.ts';
import { encodeLabels, type WriteLine } from './remote-write.ts';

const [RAW] = RESOLUTIONS;
type KnownWrite = Parameters<PointServer['writeSamples']>[0][number];

/** Samples as they came: `<prefix>_raw{org,resource,name,series}`. */
export function createSamples(access: Access) {
  const metric = access.metricOf(RAW);
  const encoded = new WeakMap<readonly string[], Uint8Array[]>();
  const labelsOf = (owner: Owner, columns: readonly string[]): Uint8Array[] => {
    const there = encoded.get(columns);
    if (there !== undefined) return there;
    const head = encodeLabels([['__name__', metric]]);
    const made = columns.map((text) => Buffer.concat([head, seriesLabels(owner, text)]));
    encoded.set(columns, made);
    return made;
  };
  const linesOf = (given: KnownWrite): WriteLine[] => {
    const lines = new Map<readonly string[], WriteLine[]>();
    for (const { table, timeMs, values } of given.blocks) {
      const columns = given.columns.get(table) ?? [];
      let own = lines.get(columns);
      if (own === undefined) {
        own = labelsOf(given, columns).map((labels) => ({ labels, times: [], values: [] }));
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
  return {
    write: (writes: readonly KnownWrite[]): Promise<number> =>
      access.write([...new Set(writes.map((one) => placeOf(RAW, one)))], writes.flatMap(linesOf)),
    async read(owner: Owner, { from, to, step, only }: RowsQuery): Promise<Rows> {
      const query = `${access.select(metric, { ...owner }, onlyOf(only))}${access.window(from, to)}`;
      const rows: Rows = new Map();
      for (const one of await access.server.instant(query, to - 1)) {
        // Without deduplication VictoriaMetrics keeps what was sent twice.
        const samples = new Map(samplesOf(one).map(([time, value]) => [timeOf(time), Number(value)]));
        const own = [...samples].filter(([ms]) => ms >= from && ms < to).map(([ms, value]) => sampleRow(ms, value));
        if (own.length > 0) rows.set(one.metric['series'] ?? '', gatherRows(own, step));
      }
      return rows;
    },
  };
}
