import type { Clock, Logger } from '#sdk';
import type { Registry } from 'prom-client';
import type { LogStore } from '../../../ports/logstore.ts';
import { createTurns } from '../../duckdb/turns.ts';
import { createAppends } from './appends.ts';
import { keyOf, laneId, linesOf, type OrgWrite } from './documents.ts';
import { createFreshness } from './freshness.ts';
import { createKeeping } from './keeping.ts';
import type { Indices } from './indices.ts';
import { endsBefore, type Names } from './layout.ts';
import { createLogstoreMetrics } from './metrics.ts';
import { createSearch } from './search.ts';
import type { Server } from './server.ts';

/** What a store is made of. */
export interface StoreGiven {
  server: Server;
  indices: Indices;
  names: Names;
  clock: Clock;
  log: Logger;
  metrics: Registry;
}

/** Rises with every line, in millionths of a second by the hub's clock. */
function createNumbers(clock: Clock): () => number {
  let last = 0;
  return () => (last = Math.max(last + 1, Math.floor(clock.now()) * 1000));
}

/** The newest durable seq of some lanes. Reads by id see every write, without a refresh. */
async function newestOf({ server, names }: StoreGiven, ids: readonly string[]): Promise<bigint[]> {
  const { docs } = await server.ask((es) => es.mget<{ seq: string }>({ index: names.keys, ids: [...ids] }));
  return docs.map((one) => ('_source' in one ? BigInt(one._source?.seq ?? 0) : 0n));
}

/**
 * Log lines in an index a day, the day being the line's own and not that of its arrival: a line that is sent again days later, by whichever hub, meets
 * itself under the same id in the same index, and `create` leaves it as it is. A data stream with rollover could not promise that: a resend after
 * a rollover would land in another index, where its id is new. So days also need no lifecycle policy: `retain` deletes whole indices.
 * An org is a filter of every query and not the routing of its lines: with one, a hub with a single large org would fill a single shard.
 */
export function createStore(given: StoreGiven): { port: LogStore; drain(): Promise<void> } {
  const { server, names, clock, log } = given;
  const { fresh, touch } = createFreshness(server, names);
  const keeping = createKeeping({ server, names, clock, fresh });
  const alone = createTurns();
  const nextN = createNumbers(clock);
  let oldestMs = -Infinity;
  let left = 0;

  const isPast = (index: string): boolean => {
    const day = names.dayOf(index);
    return day !== undefined && endsBefore(day, oldestMs);
  };
  const appends = createAppends({
    newest: (writes) =>
      newestOf(
        given,
        writes.map(({ org, key: { agent, epoch, lane } }) => laneId(org, agent, epoch, lane)),
      ),
    async store(writes: readonly OrgWrite[]) {
      const nowMs = clock.now();
      const indexOf = (timeMs: number): string => names.indexOf(timeMs, nowMs);
      const all = writes.flatMap((write) => linesOf(write, { indexOf, nextN }));
      const kept = all.filter(({ index }) => !isPast(index));
      left += all.length - kept.length;
      lines.inc({ outcome: 'past' }, all.length - kept.length);
      const indices = new Set(kept.map(({ index }) => index));
      await given.indices.prepare(indices);
      try {
        const resent = await server.bulk(kept);
        lines.inc({ outcome: 'resent' }, resent);
        lines.inc({ outcome: 'new' }, kept.length - resent);
      } catch (error) {
        if (String(error).includes('index_not_found')) given.indices.forget();
        throw error;
      }
      for (const index of indices) touch(index);
      await server.bulk(writes.map((write) => keyOf(write, names.keys)));
    },
  });
  const lines = createLogstoreMetrics(given.metrics, () => appends.waiting());
  return {
    port: {
      append: (org, write) => appends.append(org, write),
      ...createSearch({ server, names, clock, fresh }),
      async acknowledged(org, agent, epoch) {
        const [live = 0n, backfill = 0n] = await newestOf(
          given,
          [1, 2].map((lane) => laneId(org, agent, epoch, lane)),
        );
        return { live, backfill };
      },
      deleteResource: (org, resource) =>
        alone(() => {
          touch(names.lines);
          return keeping.deleteResource(org, resource);
        }),
      retain: (retention) =>
        alone(async () => {
          oldestMs = await keeping.retain(retention);
          given.indices.forget();
          if (left > 0) log.warn('lines past the retention were left out', { count: left });
          left = 0;
        }),
      usage: () => keeping.usage(),
      check: () => keeping.check(),
    },
    drain: () => appends.drain(),
  };
}
