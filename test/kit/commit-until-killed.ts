/**
 * A process of its own that starts the embedded PostgreSQL in the folder that it is given and commits numbers, from the one that it is given on, until
 * somebody kills it. It writes each committed number as a line.
 */
import { sql } from 'kysely';
import { embeddedRelational } from '../../hub/adapters/relational/embedded/index.ts';
import { KILLED_ORG as ORG } from './killed-stores.ts';
import { makeAdapter } from './stores.ts';

const adapter = makeAdapter(embeddedRelational, process.argv[2] ?? '');
await adapter.start?.();
await adapter.port.migrate('killed', [
  {
    name: '0001-start',
    sql: `CREATE TABLE number (org_id uuid NOT NULL, n int PRIMARY KEY);
      ALTER TABLE number ENABLE ROW LEVEL SECURITY;
      ALTER TABLE number FORCE ROW LEVEL SECURITY;
      CREATE POLICY own ON number USING (org_id = outrider.org())`,
  },
]);
for (let n = Number(process.argv[3]); ; n++) {
  await adapter.port.forOrg('killed', ORG, (db) => sql`INSERT INTO number VALUES (${ORG}, ${n})`.execute(db));
  process.stdout.write(`${n}\n`);
}
