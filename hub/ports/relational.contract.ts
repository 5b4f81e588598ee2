import { sql, type Kysely } from 'kysely';
import type { Component } from '#sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Migration, Relational } from './relational.ts';

const ORG = '11111111-1111-4111-8111-111111111111';
const OTHER = '22222222-2222-4222-8222-222222222222';

/** Tables of the schemas that this contract makes. */
interface Tables {
  note: { id: number; org_id: string; body: string };
  kinds: { org_id: string; at: Date; facts: unknown; list: string; big: number; exact: string; bytes: Buffer };
}

const OWN_ROWS = (table: string): string => `
  ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
  ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;
  CREATE POLICY own ON ${table} USING (org_id = outrider.org()) WITH CHECK (org_id = outrider.org());`;

/** A table, and a function that counts its rows for all orgs. */
const START: Migration = {
  name: '0001-start',
  sql: `
    CREATE TABLE note (id int NOT NULL, org_id uuid NOT NULL, body text NOT NULL, PRIMARY KEY (org_id, id));
    ${OWN_ROWS('note')}
    CREATE POLICY look ON note FOR SELECT TO outrider_lookup USING (true);
    GRANT SELECT ON note TO outrider_lookup;
    CREATE FUNCTION all_notes() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT count(*) FROM note';
    CREATE FUNCTION drop_notes() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM note';
    ALTER FUNCTION all_notes SET search_path FROM CURRENT;
    ALTER FUNCTION drop_notes SET search_path FROM CURRENT;
    ALTER FUNCTION all_notes OWNER TO outrider_lookup;
    ALTER FUNCTION drop_notes OWNER TO outrider_lookup;`,
};

const KINDS: Migration = {
  name: '0002-kinds',
  sql: `CREATE TABLE kinds (org_id uuid NOT NULL, at timestamptz NOT NULL, facts jsonb NOT NULL, list jsonb NOT NULL,
    big bigint NOT NULL, exact numeric NOT NULL, bytes bytea NOT NULL); ${OWN_ROWS('kinds')}`,
};

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'resolved',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );

/** What every relational store must do. `make` gives an adapter, not started, on an empty database. */
export function relationalContract(name: string, make: () => Promise<Component & { port: Relational }>): void {
  describe(`relational store ${name}`, { timeout: 60_000 }, () => {
    let adapter: Component & { port: Relational };
    let store: Relational;
    let made = 0;
    /** A schema of a test's own, at its newest step. */
    const freshSchema = async (migrations: readonly Migration[] = [START, KINDS]): Promise<string> => {
      const schema = `contract_${(made += 1)}`;
      await store.migrate(schema, migrations);
      return schema;
    };
    const add = (schema: string, org: string, id: number, body = 'text'): Promise<unknown> =>
      store.forOrg<Tables, unknown>(schema, org, (db) =>
        db.insertInto('note').values({ id, org_id: org, body }).execute(),
      );
    const idsOf = (schema: string, org: string): Promise<number[]> =>
      store.forOrg<Tables, number[]>(schema, org, async (db) => {
        const rows = await db.selectFrom('note').select('id').orderBy('id').execute();
        return rows.map(({ id }) => id);
      });
    const ask = (schema: string, statement: string): Promise<Record<string, unknown>[]> =>
      store.outside(schema, async (db) => (await sql.raw<Record<string, unknown>>(statement).execute(db)).rows);

    beforeAll(async () => {
      adapter = await make();
      await adapter.start?.();
      store = adapter.port;
    });
    afterAll(async () => adapter.stop?.());

    describe('migrating', () => {
      test('a second time changes nothing, and later steps are added', async () => {
        const schema = await freshSchema([START]);
        await add(schema, ORG, 1);
        await store.migrate(schema, [START]);
        await store.migrate(schema, [START, KINDS]);
        expect(await idsOf(schema, ORG)).toEqual([1]);
        expect(await ask(schema, 'SELECT * FROM kinds')).toEqual([]);
      });

      test('hubs that start together apply each step once', async () => {
        const schemas = ['contract_together_a', 'contract_together_b'];
        await Promise.all(
          [...schemas, ...schemas, ...schemas, ...schemas].map((schema) => store.migrate(schema, [START, KINDS])),
        );
        for (const schema of schemas) await add(schema, ORG, 1);
      });

      test('a step that fails leaves nothing of itself and says its name; the steps before it stay', async () => {
        const broken = { name: '0002-broken', sql: 'CREATE TABLE half (org_id uuid); SELECT 1/0' };
        await expect(store.migrate('contract_broken', [START, broken])).rejects.toThrow('contract_broken/0002-broken');
        await add('contract_broken', ORG, 1);
        expect(await codeOf(ask('contract_broken', 'SELECT * FROM half'))).toBe('42P01');
        await store.migrate('contract_broken', [START, { ...broken, sql: 'CREATE TABLE half (org_id uuid)' }]);
      });

      test('a step that was changed after it was applied is refused', async () => {
        const schema = await freshSchema([START]);
        const changed = store.migrate(schema, [{ ...START, sql: `${START.sql} -- another` }]);
        await expect(changed).rejects.toMatchObject({ code: 'relational.changed-migration' });
      });

      test('steps of a newer version are refused by their names', async () => {
        const schema = await freshSchema([START, KINDS]);
        await expect(store.migrate(schema, [START])).rejects.toThrow('0002-kinds');
        await expect(store.migrate(schema, [START])).rejects.toMatchObject({ code: 'relational.newer-schema' });
      });
    });

    describe('an org', () => {
      test('sees, changes and deletes no rows of another', async () => {
        const schema = await freshSchema();
        await add(schema, ORG, 1);
        await add(schema, OTHER, 2);
        expect(await idsOf(schema, OTHER)).toEqual([2]);
        await store.forOrg<Tables, void>(schema, OTHER, async (db) => {
          const { numUpdatedRows } = await db.updateTable('note').set({ body: 'changed' }).executeTakeFirstOrThrow();
          expect(numUpdatedRows).toBe(1n);
          await db.deleteFrom('note').execute();
        });
        expect(await idsOf(schema, ORG)).toEqual([1]);
      });

      test('can neither add rows for another nor give them away', async () => {
        const schema = await freshSchema();
        await add(schema, ORG, 1);
        const insert = (db: Kysely<Tables>): Promise<unknown> =>
          db.insertInto('note').values({ id: 9, org_id: OTHER, body: '' }).execute();
        const give = (db: Kysely<Tables>): Promise<unknown> => db.updateTable('note').set({ org_id: OTHER }).execute();
        expect(await codeOf(store.forOrg(schema, ORG, insert))).toBe('42501');
        expect(await codeOf(store.forOrg(schema, ORG, give))).toBe('42501');
        expect(await idsOf(schema, OTHER)).toEqual([]);
      });

      test('that is no uuid is refused before anything is asked', async () => {
        const schema = await freshSchema();
        for (const org of ['', 'all', `${ORG}'; RESET ROLE; --`, ORG.toUpperCase().replace('1', 'A')])
          await expect(idsOf(schema, org)).rejects.toThrow('uuid');
      });

      test('stays alone among many transactions at once', async () => {
        const schema = await freshSchema();
        const orgs = Array.from({ length: 60 }, (_, index) => ORG.replace(/..$/, String(index + 10)));
        await Promise.all(orgs.map((org, index) => add(schema, org, index)));
        const seen = await Promise.all(orgs.map((org) => idsOf(schema, org)));
        expect(seen).toEqual(orgs.map((_, index) => [index]));
        expect(await ask(schema, 'SELECT id FROM note')).toEqual([]);
      });
    });

    describe('without an org', () => {
      test('tables look empty and take nothing', async () => {
        const schema = await freshSchema();
        await add(schema, ORG, 1);
        expect(await ask(schema, 'SELECT * FROM note')).toEqual([]);
        const insert = `INSERT INTO note VALUES (2, '${ORG}', '')`;
        expect(await codeOf(ask(schema, insert))).toBe('42501');
      });

      test('a function of outrider_lookup answers, and does no more than it was granted', async () => {
        const schema = await freshSchema();
        await add(schema, ORG, 1);
        await add(schema, OTHER, 1);
        expect(await ask(schema, 'SELECT all_notes() AS n')).toEqual([{ n: 2 }]);
        expect(await codeOf(ask(schema, 'SELECT drop_notes()'))).toBe('42501');
        expect(await idsOf(schema, ORG)).toEqual([1]);
      });
    });

    describe('a service', () => {
      test('cannot read the schema of another', async () => {
        const [mine, theirs] = [await freshSchema(), await freshSchema()];
        await add(theirs, ORG, 1);
        const look = store.forOrg(mine, ORG, (db) => sql.raw(`SELECT * FROM ${theirs}.note`).execute(db));
        expect(await codeOf(look)).toBe('42501');
        expect(await codeOf(ask(mine, `SELECT ${theirs}.all_notes()`))).toBe('42501');
      });

      test('can neither change its tables nor the record of their steps', async () => {
        const schema = await freshSchema();
        for (const statement of [
          'ALTER TABLE note DISABLE ROW LEVEL SECURITY',
          'DROP POLICY own ON note',
          'CREATE TABLE more (id int)',
          'TRUNCATE note',
          'DELETE FROM schema_step',
          'CREATE ROLE outrider_more',
        ])
          expect(await codeOf(ask(schema, statement)), statement).toBe('42501');
      });

      test('that gives up its role sees nothing at all', async () => {
        const schema = await freshSchema();
        await add(schema, ORG, 1);
        const reset = store.forOrg(schema, ORG, async (db) => {
          await sql.raw('RESET ROLE').execute(db);
          return sql.raw(`SELECT * FROM ${schema}.note`).execute(db);
        });
        expect(await codeOf(reset)).toBe('42501');
        expect(await idsOf(schema, ORG)).toEqual([1]);
      });
    });

    describe('a transaction', () => {
      test('rolls back when its work rejects, with the same error', async () => {
        const schema = await freshSchema();
        const reason = new Error('changed my mind');
        const work = store.forOrg<Tables, void>(schema, ORG, async (db) => {
          await db.insertInto('note').values({ id: 1, org_id: ORG, body: '' }).execute();
          throw reason;
        });
        await expect(work).rejects.toBe(reason);
        expect(await idsOf(schema, ORG)).toEqual([]);
      });

      test('never resolves when nothing was kept, because its work overlooked a failure', async () => {
        const schema = await freshSchema();
        const work = store.forOrg<Tables, void>(schema, ORG, async (db) => {
          await db.insertInto('note').values({ id: 1, org_id: ORG, body: '' }).execute();
          await sql`SELECT 1/0`.execute(db).catch(() => undefined);
        });
        await expect(work).rejects.toThrow('rolled back');
        expect(await idsOf(schema, ORG)).toEqual([]);
      });

      test('takes no query after its end', async () => {
        const schema = await freshSchema();
        const kept = await store.forOrg<Tables, { db: Kysely<Tables> }>(schema, ORG, (db) => Promise.resolve({ db }));
        await expect(kept.db.selectFrom('note').selectAll().execute()).rejects.toThrow('over');
      });

      test('gives times as Date, uuid as text, bigint as number, numeric as text, bytes as Buffer', async () => {
        const schema = await freshSchema();
        const facts = { a: [1, null, 'ü'], b: { c: true } };
        const row = { at: new Date('2026-03-01T12:00:00.123Z'), facts, big: 2 ** 53 - 1, exact: '0.10' };
        const bytes = Buffer.from([0, 255]);
        await store.forOrg<Tables, unknown>(schema, ORG, (db) =>
          db.insertInto('kinds').values({ ...row, org_id: ORG, list: JSON.stringify(['x']), bytes }).execute(),
        ); // prettier-ignore
        const [back] = await store.forOrg<Tables, unknown[]>(schema, ORG, (db) =>
          db.selectFrom('kinds').selectAll().execute(),
        );
        expect(back).toEqual({ ...row, org_id: ORG, list: ['x'], bytes });
      });
    });

    test('a connection that is lost in a transaction costs that transaction only', async () => {
      const schema = await freshSchema();
      const lost = store.forOrg<Tables, unknown>(schema, ORG, async (db) => {
        await db.insertInto('note').values({ id: 1, org_id: ORG, body: '' }).execute();
        await sql.raw('RESET ROLE').execute(db);
        await sql
          .raw('SELECT pg_terminate_backend(pg_backend_pid())')
          .execute(db)
          .catch(() => undefined);
        await new Promise((resolve) => setImmediate(resolve));
        return db.selectFrom('note').selectAll().execute();
      });
      expect(await codeOf(lost)).toBe('relational.unavailable');
      await store.check();
      expect(await idsOf(schema, ORG)).toEqual([]);
    });

    test('a stopped store says that it is away', async () => {
      const other = await make();
      await other.start?.();
      await other.port.check();
      await other.stop?.();
      await other.stop?.();
      expect(await codeOf(other.port.check())).toBe('relational.unavailable');
      expect(await codeOf(other.port.outside('contract_1', () => Promise.resolve()))).toBe('relational.unavailable');
    });
  });
}
