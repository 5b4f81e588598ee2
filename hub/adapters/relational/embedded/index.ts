import { Type } from 'typebox';
import { defineAdapter } from '../../../adapter.ts';
import type { Relational } from '../../../ports/relational.ts';
import { createSessions, problems, type Sessions } from '../sessions/index.ts';
import { startCluster, type Cluster } from './cluster.ts';

const config = Type.Object({
  connections: Type.Integer({
    description: 'Most connections that the hub opens.',
    default: 10,
    minimum: 2,
    maximum: 30,
  }),
});

/** How long transactions may take to end when the hub stops, milliseconds. */
const GRACE_MS = 1_500;

/** A real PostgreSQL in the data folder, started and stopped with the hub. */
export const embeddedRelational = defineAdapter<Relational, typeof config>({
  name: 'embedded',
  reach: 'process',
  config,
  create({ config: { connections }, dataFolder, log, clock, fail }) {
    let cluster: Cluster | undefined;
    let sessions: Sessions | undefined;
    const open = (): Relational => {
      if (sessions !== undefined) return sessions.port;
      throw problems.unavailable('The embedded PostgreSQL is not running.');
    };
    const port: Relational = {
      migrate: async (schema, migrations) => open().migrate(schema, migrations),
      forOrg: async (schema, org, work) => open().forOrg(schema, org, work),
      outside: async (schema, work) => open().outside(schema, work),
      schedule: async (schema, name, cron, work) => open().schedule(schema, name, cron, work),
      check: async () => open().check(),
    };
    return {
      port,
      async start() {
        cluster = await startCluster({ dataFolder, log, clock, fail });
        sessions = createSessions({ ...cluster.connection, max: connections }, 'the data folder', log);
        await sessions.open();
      },
      async stop() {
        const ending = sessions;
        sessions = undefined;
        // The server ends what is still open after a moment's grace.
        const patience = new AbortController();
        await Promise.race([ending?.close(), clock.sleep(GRACE_MS, patience.signal)]);
        patience.abort();
        await cluster?.stop();
      },
      check: () => port.check(),
    };
  },
});
