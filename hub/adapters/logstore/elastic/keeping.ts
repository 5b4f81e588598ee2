import type { estypes } from '@elastic/elasticsearch';
import type { Clock } from '#sdk';
import type { LogStore } from '../../../ports/logstore.ts';
import { problems } from './errors.ts';
import { endsBefore, type Names } from './layout.ts';
import type { Server } from './server.ts';

const DAY_MS = 86_400_000;
/** Deleting the lines of one host from all days may take long. */
const DELETE_MS = 600_000;

interface IndexSize {
  index: string;
  /** When its day begins; undefined when it is of no day. */
  day: number | undefined;
  bytes: number;
  lines: number;
}

/** Indices of days that leave: those past their age, then the oldest days until the rest fits. The day that is being written stays. */
export function daysLeaving(
  sizes: readonly IndexSize[],
  { oldestMs, nowMs, diskLimit }: { oldestMs: number; nowMs: number; diskLimit: number },
): string[] {
  let bytes = sizes.reduce((sum, one) => sum + one.bytes, 0);
  const dated = sizes.flatMap(({ day, ...one }) => (day === undefined ? [] : [{ ...one, day }]));
  const leaving: string[] = [];
  for (const { index, day, bytes: own } of dated.sort((a, b) => a.day - b.day)) {
    const isOver = endsBefore(day, nowMs);
    if (!endsBefore(day, oldestMs) && !(isOver && bytes > diskLimit)) continue;
    leaving.push(index);
    bytes -= own;
  }
  return leaving;
}

/** What keeping stands on. */
export interface KeepingGiven {
  server: Server;
  names: Names;
  clock: Clock;
  fresh(): Promise<boolean>;
}

/** What keeps the store small, and says how it is. */
export function createKeeping({ server, names, clock, fresh }: KeepingGiven) {
  const sizes = async (): Promise<IndexSize[]> => {
    const { indices = {} } = await server.ask((es) =>
      es.indices.stats({ index: names.lines, metric: ['store', 'docs'], expand_wildcards: 'all' }),
    );
    return Object.entries(indices).map(([index, { primaries, total }]) => ({
      index,
      day: names.dayOf(index),
      bytes: total?.store?.size_in_bytes ?? 0,
      lines: primaries?.docs?.count ?? 0,
    }));
  };
  const deleteLines = async (query: estypes.QueryDslQueryContainer, index: string): Promise<void> => {
    await server.ask((es) =>
      es.deleteByQuery(
        { index, query, conflicts: 'proceed', refresh: true, ignore_unavailable: true, slices: 'auto' },
        { requestTimeout: DELETE_MS },
      ),
    );
  };
  return {
    async deleteResource(org: string, resource: string): Promise<void> {
      await fresh();
      await deleteLines({ bool: { filter: [{ term: { org } }, { term: { resource } }] } }, names.lines);
    },
    /** Gives the oldest time that is kept. */
    async retain({ days, diskLimit }: Parameters<LogStore['retain']>[0]): Promise<number> {
      const nowMs = clock.now();
      const oldestMs = Math.round(nowMs - days * DAY_MS);
      const there = await sizes();
      for (const index of daysLeaving(there, { oldestMs, nowMs, diskLimit }))
        await server.ask((es) => es.indices.delete({ index, ignore_unavailable: true }));
      // Whatever time its lines tell, what was stored that long ago goes.
      if (there.some(({ index }) => index === names.undated))
        await deleteLines({ range: { n: { lt: oldestMs * 1000 } } }, names.undated);
      return oldestMs;
    },
    async usage(): ReturnType<LogStore['usage']> {
      await fresh();
      const there = await sizes();
      const { aggregations } = await server.ask((es) =>
        es.search<unknown, { oldest: { value: number | null } }>({
          index: names.lines,
          size: 0,
          aggs: { oldest: { min: { field: '@timestamp' } } },
        }),
      );
      return {
        bytes: there.reduce((sum, { bytes }) => sum + bytes, 0),
        lines: there.reduce((sum, { lines }) => sum + lines, 0),
        oldestMs: aggregations?.oldest.value ?? undefined,
      };
    },
    /** Rejects when a part is red, or when what is being written to cannot be, or is not safe. */
    async check(): Promise<void> {
      const { indices = {} } = await server.ask((es) => es.cluster.health({ index: names.all, level: 'indices' }));
      const red = Object.keys(indices).filter((index) => indices[index]?.status === 'red');
      if (red.length > 0)
        throw problems.red(
          `${server.address} has red indices (${red.join(', ')}): GET /_cluster/allocation/explain says why. Lines for them wait.`,
        );
      const settings = await server.ask((es) =>
        es.indices.getSettings({
          index: names.all,
          name: ['index.blocks.*', 'index.translog.durability'],
          flat_settings: true,
        }),
      );
      for (const [index, { settings: flat }] of Object.entries(settings)) {
        const day = names.dayOf(index);
        if (day === undefined || !endsBefore(day, clock.now())) demandWritable(server, index, flat as FlatSettings);
      }
    },
  };
}

type FlatSettings = Readonly<Record<string, unknown>> | undefined;

function demandWritable({ address }: Server, index: string, flat: FlatSettings = {}): void {
  const isOn = (name: string): boolean => String(flat[`index.${name}`]) === 'true';
  if (isOn('blocks.read_only_allow_delete'))
    throw problems.full(
      `${address} has blocked the index ${index} (index.blocks.read_only_allow_delete): its disk is over the flood-stage watermark. Give it space or lower logs.diskGb.`,
    );
  if (isOn('blocks.read_only') || isOn('blocks.write'))
    throw problems.readOnly(
      `${address} has blocked the index ${index}: PUT index.blocks.read_only and index.blocks.write null to it.`,
    );
  if (flat['index.translog.durability'] === 'async')
    throw problems.unsafe(
      `${address} may lose lines of the index ${index} that it acknowledged: PUT index.translog.durability request to it.`,
    );
}
