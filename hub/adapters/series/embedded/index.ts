import { join } from 'node:path';
import { Type } from 'typebox';
import { defineAdapter } from '../../../adapter.ts';
import type { SeriesStore } from '../../../ports/series.ts';
import { openDatabase } from '../../duckdb/database.ts';
import { createRunningStore } from '../../duckdb/running-store.ts';
import { openSeriesStore, type EmbeddedSeriesStore } from './store.ts';

const config = Type.Object({
  memoryMb: Type.Integer({ description: 'Memory that DuckDB may use for samples, MB.', default: 256, minimum: 64 }),
  threads: Type.Integer({ description: 'Threads that DuckDB may use for samples.', default: 2, minimum: 1 }),
});

/** Samples in DuckDB and sealed Parquet files in the data folder. */
export const embeddedSeries = defineAdapter<SeriesStore, typeof config>({
  name: 'embedded',
  reach: 'process',
  config,
  create({ config: { memoryMb, threads }, dataFolder, clock, log }) {
    const running = createRunningStore<EmbeddedSeriesStore>({
      name: 'the series store',
      async open() {
        const database = await openDatabase({ folder: join(dataFolder, 'series'), memoryMb, threads });
        try {
          return { database, store: await openSeriesStore(database, clock) };
        } catch (error) {
          database.close();
          throw error;
        }
      },
      clock,
      log,
    });
    const { use } = running;
    return {
      port: {
        append: (org, write) => use((store) => store.append(org, write)),
        query: (org, query) => use((store) => store.query(org, query)),
        acknowledged: (org, agent, epoch) => use((store) => store.acknowledged(org, agent, epoch)),
        list: (org, resource) => use((store) => store.list(org, resource)),
        deleteResource: (org, resource) => use((store) => store.deleteResource(org, resource)),
        retain: (retention) => use((store) => store.retain(retention)),
        usage: () => use((store) => store.usage()),
        check: () => use((store) => store.check()),
      },
      start: () => running.start(),
      stop: () => running.stop(),
      check: () => use((store) => store.check()),
    };
  },
});
