import { join } from 'node:path';
import { reasonOf, type Cancel } from '#sdk';
import { Type } from 'typebox';
import { defineAdapter } from '../../../adapter.ts';
import type { LogStore } from '../../../ports/logstore.ts';
import { openDatabase, problems, type Database } from '../../duckdb/database.ts';
import { openLogStore, type EmbeddedLogStore } from './store.ts';

const config = Type.Object({
  memoryMb: Type.Integer({ description: 'Memory that DuckDB may use for log lines, MB.', default: 256, minimum: 64 }),
  threads: Type.Integer({ description: 'Threads that DuckDB may use for log lines.', default: 2, minimum: 1 }),
});

const UPKEEP_MS = 10_000;

/** Log lines in DuckDB and sealed Parquet files in the data folder. */
export const embeddedLogstore = defineAdapter<LogStore, typeof config>({
  name: 'embedded',
  config,
  create({ config: { memoryMb, threads }, dataFolder, clock, log }) {
    let database: Database | undefined;
    let store: EmbeddedLogStore | undefined;
    let cancel: Cancel | undefined;
    let keeping: Promise<void> | undefined;
    const open = (): EmbeddedLogStore => {
      if (store !== undefined) return store;
      throw problems.unavailable('The log store is not running.');
    };
    const keep = (): void => {
      keeping ??= open()
        .upkeep()
        .catch((error: unknown) =>
          log.error('sealing log lines failed; it is tried again', { reason: reasonOf(error) }),
        )
        .finally(() => (keeping = undefined));
    };
    return {
      port: {
        append: async (org, write) => open().append(org, write),
        search: async (org, filter, page) => open().search(org, filter, page),
        histogram: async (org, filter, step) => open().histogram(org, filter, step),
        context: async (org, id, around) => open().context(org, id, around),
        sources: async (org, resource) => open().sources(org, resource),
        acknowledged: async (org, agent, epoch) => open().acknowledged(org, agent, epoch),
        deleteResource: async (org, resource) => open().deleteResource(org, resource),
        retain: async (retention) => open().retain(retention),
        usage: async () => open().usage(),
        check: async () => open().check(),
      },
      async start() {
        database = await openDatabase({ folder: join(dataFolder, 'logs'), memoryMb, threads });
        store = await openLogStore(database, clock);
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
