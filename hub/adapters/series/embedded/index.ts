import { join } from 'node:path';
import { reasonOf, type Cancel } from '#sdk';
import { Type } from 'typebox';
import { defineAdapter } from '../../../adapter.ts';
import type { SeriesStore } from '../../../ports/series.ts';
import { openDatabase, problems, type Database } from '../../duckdb/database.ts';
import { openSeriesStore, type EmbeddedSeriesStore } from './store.ts';

const config = Type.Object({
  memoryMb: Type.Integer({ description: 'Memory that DuckDB may use for samples, MB.', default: 256, minimum: 64 }),
  threads: Type.Integer({ description: 'Threads that DuckDB may use for samples.', default: 2, minimum: 1 }),
});

const UPKEEP_MS = 10_000;

/** Samples in DuckDB and sealed Parquet files in the data folder. */
export const embeddedSeries = defineAdapter<SeriesStore, typeof config>({
  name: 'embedded',
  config,
  create({ config: { memoryMb, threads }, dataFolder, clock, log }) {
    let database: Database | undefined;
    let store: EmbeddedSeriesStore | undefined;
    let cancel: Cancel | undefined;
    let keeping: Promise<void> | undefined;
    const open = (): EmbeddedSeriesStore => {
      if (store !== undefined) return store;
      throw problems.unavailable('The series store is not running.');
    };
    const keep = (): void => {
      keeping ??= open()
        .upkeep()
        .catch((error: unknown) =>
          log.error('gathering samples failed; it is tried again', { reason: reasonOf(error) }),
        )
        .finally(() => (keeping = undefined));
    };
    return {
      port: {
        append: async (org, write) => open().append(org, write),
        query: async (org, query) => open().query(org, query),
        acknowledged: async (org, agent, epoch) => open().acknowledged(org, agent, epoch),
        list: async (org, resource) => open().list(org, resource),
        deleteResource: async (org, resource) => open().deleteResource(org, resource),
        retain: async (retention) => open().retain(retention),
        usage: async () => open().usage(),
        check: async () => open().check(),
      },
      async start() {
        database = await openDatabase({ folder: join(dataFolder, 'series'), memoryMb, threads });
        store = await openSeriesStore(database, clock);
        cancel = clock.every(UPKEEP_MS, keep);
      },
      async stop() {
        cancel?.();
        const closing = store;
        store = undefined;
        await closing?.drain();
        await keeping;
        database?.close();
        database = undefined;
      },
      check: async () => open().check(),
    };
  },
});
