import { reasonOf, type Cancel } from '#sdk';
import { defineService } from '../../service.ts';
import { LogsConfig } from './config.ts';
import { listenToBus } from './events.ts';
import { ledgerRoutes } from './ledger-routes.ts';
import { logRoutes } from './routes.ts';
import { createStore } from './store.ts';
import { createTemplateStore } from './template-store.ts';
import { createTail } from './tail.ts';

const RETAIN_MS = 600_000;

/** Log lines: kept, searched, and tailed live. */
export const logs = defineService({
  name: 'logs',
  summary: 'Log lines: kept, searched and tailed.',
  needs: ['relational', 'logstore', 'bus'],
  config: LogsConfig,
  create({ config, ports: { relational, logstore, bus }, clock, log }) {
    const tail = createTail(clock);
    const tables = createStore(relational, config.days);
    const templates = createTemplateStore(relational, config.days);
    const ends: Cancel[] = [];
    const retain = (): Promise<void> => logstore.retain({ days: config.days, diskLimit: config.diskGb * 1e9 });
    return {
      routes(app) {
        logRoutes(app, { logstore, tail, templates, clock });
        ledgerRoutes(app, { tables, clock });
      },
      async start() {
        await tables.migrate();
        await retain();
        ends.push(
          ...listenToBus({ bus, logstore, tables, templates, tail, clock }),
          clock.every(RETAIN_MS, () => {
            retain().catch((error: unknown) =>
              log.error('old log lines could not be deleted; it is tried again', { reason: reasonOf(error) }),
            );
          }),
        );
      },
      stop: () => Promise.resolve(ends.splice(0).forEach((end) => end())),
      async check() {
        await tables.check();
        await logstore.check();
      },
    };
  },
});
