import { join } from 'node:path';
import { Type } from 'typebox';
import { defineAdapter } from '../../../adapter.ts';
import type { LogStore } from '../../../ports/logstore.ts';
import { openDatabase } from '../../duckdb/database.ts';
import { createRunningStore } from '../../duckdb/running-store.ts';
import { openLogStore, type EmbeddedLogStore } from './store.ts';

const config = Type.Object({
  memoryMb: Type.Integer({ description: 'Memory that DuckDB may use for log lines, MB.', default: 256, minimum: 64 }),
  threads: Type.Integer({ description: 'Threads that DuckDB may use for log lines.', default: 2, minimum: 1 }),
});

/** Log lines in DuckDB and sealed Parquet files in the data folder. */
export const embeddedLogstore = defineAdapter<LogStore, typeof config>({
  name: 'embedded',
  reach: 'process',
  config,
  create({ config: { memoryMb, threads }, dataFolder, clock, log }) {
    const running = createRunningStore<EmbeddedLogStore>({
      name: 'the log store',
      async open() {
        const database = await openDatabase({ folder: join(dataFolder, 'logs'), memoryMb, threads });
        try {
          return { database, store: await openLogStore(database, clock) };
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
        search: (org, filter, page) => use((store) => store.search(org, filter, page)),
        histogram: (org, filter, step) => use((store) => store.histogram(org, filter, step)),
        patterns: (org, filter, step) => use((store) => store.patterns(org, filter, step)),
        context: (org, id, around) => use((store) => store.context(org, id, around)),
        sources: (org, resource) => use((store) => store.sources(org, resource)),
        acknowledged: (org, agent, epoch) => use((store) => store.acknowledged(org, agent, epoch)),
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
