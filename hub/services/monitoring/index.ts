import { reasonOf } from '#sdk';
import { defineService } from '../../service.ts';
import { createAlerts } from './alerts/index.ts';
import { MonitoringConfig } from './config.ts';
import { listenToBus, mendLosses } from './events.ts';
import { createLive } from './live.ts';
import { migrations } from './migrations/index.ts';
import { createRemoval } from './removal.ts';
import { createRetention } from './retention.ts';
import { internalRoutes } from './routes/internal.ts';
import { metricRoutes } from './routes/metrics.ts';
import { overviewRoutes } from './routes/overview.ts';
import { resourceRoutes } from './routes/resources.ts';
import { retentionRoutes } from './routes/retention.ts';
import { streamRoutes } from './routes/stream.ts';
import { createStore, SCHEMA, type Resource } from './store.ts';
import { createTables } from './tables.ts';

const RETAIN_MS = 600_000;
const ALL = { limit: 100_000, offset: 0 };

const watched = ({ id, name, ephemeral, lastSeenMs }: Resource) => ({
  id,
  name,
  ephemeral,
  lastSeenMs: lastSeenMs ?? undefined,
});

/** Resources, their samples over time, live values, and alerts on them. */
export const monitoring = defineService({
  name: 'monitoring',
  summary: 'Resources, their samples over time, live values and alerts.',
  needs: ['relational', 'series', 'cache', 'bus'],
  config: MonitoringConfig,
  create({ config, ports, clock, log }) {
    const { bus, series } = ports;
    const store = createStore(ports.relational);
    const live = createLive();
    const seriesTables = createTables(ports.relational, clock);
    const resources = {
      list: async (org: string) => (await store.list(org, ALL)).items.map(watched),
      async find(org: string, id: string) {
        const found = await store.get(org, id);
        return found === undefined ? undefined : watched(found);
      },
    };
    const alerts = createAlerts({ ports, log, clock, resources });
    const ends: (() => void | Promise<void>)[] = [];
    const removal = createRemoval({ store, series, live, bus, clock, log, guestDays: config.guestDays });
    const retention = createRetention({ relational: ports.relational, series, defaults: config });
    return {
      routes(app) {
        resourceRoutes(app, { store, series, live, removal });
        metricRoutes(app, { store, series, clock });
        retentionRoutes(app, { retention, series });
        streamRoutes(app, { live, alerts, clock });
        overviewRoutes(app, { store, live, clock, firingTitles: (org) => alerts.firingTitles(org) });
        internalRoutes(app, { series });
        alerts.routes(app);
      },
      async start() {
        await store.migrate([...migrations, ...alerts.migrations]);
        await retention.apply();
        await alerts.start();
        ends.push(
          ...listenToBus({
            bus,
            series,
            store,
            live,
            seriesTables,
            log,
            clock,
            observe: ({ of, timeMs, changed }) => alerts.observe(of.org, of.resource, timeMs, changed),
          }),
          mendLosses({ bus, series, log }),
          clock.every(RETAIN_MS, () => {
            retention
              .apply()
              .catch((error: unknown) =>
                log.error('old samples could not be deleted; it is tried again', { reason: reasonOf(error) }),
              );
          }),
          await ports.relational.schedule(SCHEMA, 'remove-guests', '*/10 * * * *', () => removal.sweep()),
        );
      },
      async stop() {
        for (const end of ends.splice(0)) await end();
        await alerts.stop();
      },
      check: () => series.check(),
    };
  },
});
