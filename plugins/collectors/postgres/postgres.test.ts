import pg from 'pg';
import { expect, test } from 'vitest';
import { silentLogger, type Logger } from '#sdk';
import { runCollector } from '../../../test/kit/run-collector.ts';
import { onServer, ownName } from '../../../test/services/index.ts';
import { postgres as server } from '../../../test/services/postgres.ts';
import { postgres } from './index.ts';

await onServer(server, ({ url }) => {
  test('a real PostgreSQL is asked as a role with pg_monitor alone; a wrong password is told and never printed', async () => {
    const admin = new pg.Client({ connectionString: url });
    await admin.connect();
    const [role, database] = [ownName('watcher'), ownName('watched')];
    await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'hidden' IN ROLE pg_monitor`);
    await admin.query(`CREATE DATABASE ${database}`);
    try {
      const { hostname: host, port } = new URL(url);
      const logged: string[] = [];
      const log: Logger = { ...silentLogger, child: () => ({ ...silentLogger, warn: (_message, facts) => logged.push(String(facts?.['reason'])) }) }; // prettier-ignore
      const targets = [
        { name: 'main', host, port, user: role, password: 'hidden' },
        { name: 'wrong', host, port, user: role, password: 'not-this' },
      ];
      const commits = 'postgresql.commits outrider.target=main postgresql.database.name=postgres';
      const [first = {}, second = {}] = await runCollector(postgres, targets, () => admin.query('SELECT pg_sleep(1.1)'), { log }); // prettier-ignore
      expect(first[`postgresql.db_size outrider.target=main postgresql.database.name=${database}`]).toBeGreaterThan(
        1e6,
      );
      expect(first[commits]).toBeGreaterThan(0);
      expect(second[commits]).toBeGreaterThanOrEqual(first[commits] ?? NaN);
      expect(second['postgresql.backends outrider.target=main postgresql.database.name=postgres state=active']).toBeGreaterThanOrEqual(1); // prettier-ignore
      expect(second['postgresql.bgwriter.checkpoint.count outrider.target=main type=requested']).toBeGreaterThanOrEqual(
        0,
      );
      expect(second['postgresql.connection.max outrider.target=main']).toBeGreaterThan(1);
      expect(second['outrider.target.up outrider.collector=postgres outrider.target=wrong']).toBe(0);
      expect(logged).toEqual([expect.stringContaining('password authentication failed') as string]);
    } finally {
      await admin.query(`DROP DATABASE ${database}`);
      await admin.query(`DROP ROLE ${role}`);
      await admin.end();
    }
  });
});
