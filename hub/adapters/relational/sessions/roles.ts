import type pg from 'pg';
import { problems } from './errors.ts';

/** Owns look-up functions that answer before an org is known. */
export const LOOKUP_ROLE = 'outrider_lookup';

/** The two roles of a service's schema: one owns it, one uses it. Neither may sign in. */
export function schemaRole(schema: string): { owner: string; service: string } {
  if (!/^[a-z][a-z0-9_]*$/.test(schema)) throw new Error(`"${schema}" is no name for a schema`);
  return { owner: `outrider_${schema}_owner`, service: `outrider_${schema}` };
}

/** Creates a role if it is missing and lets the signed-in user act as it. Hubs that start together meet here, so an existing one is fine. */
async function ensureRole(client: pg.ClientBase, role: string): Promise<void> {
  await client.query(`
    DO $$ BEGIN
      CREATE ROLE "${role}" NOLOGIN NOSUPERUSER NOBYPASSRLS;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END $$`);
  await client.query(`GRANT "${role}" TO CURRENT_USER`);
}

/** Refuses a database user for whom row-level security does not count. */
export async function demandModestUser(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ name: string; rolsuper: boolean; rolbypassrls: boolean }>(
    'SELECT rolname AS name, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user',
  );
  const [user] = rows;
  if (user === undefined || (!user.rolsuper && !user.rolbypassrls)) return;
  throw problems.tooPowerful(
    `The database user ${user.name} is ${user.rolsuper ? 'a superuser' : 'exempt from row-level security'}. ` +
      `Give the hub a user of its own: CREATE ROLE outrider LOGIN CREATEROLE PASSWORD '…'; GRANT CREATE ON DATABASE … TO outrider.`,
  );
}

/** Creates what every schema needs: the function that says which org a transaction is for, and the role of look-ups. */
export async function ensureGround(client: pg.ClientBase): Promise<void> {
  await client.query('CREATE SCHEMA IF NOT EXISTS outrider');
  await client.query(`
    CREATE OR REPLACE FUNCTION outrider.org() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('outrider.org', true), '')::uuid $$`);
  await client.query('GRANT USAGE ON SCHEMA outrider TO PUBLIC');
  await ensureRole(client, LOOKUP_ROLE);
}

/** Creates a schema with its two roles and what they may do. */
export async function ensureSchema(client: pg.ClientBase, schema: string): Promise<void> {
  const { owner, service } = schemaRole(schema);
  await ensureRole(client, owner);
  await ensureRole(client, service);
  await client.query(`GRANT "${LOOKUP_ROLE}" TO "${owner}"`);
  await client.query(`CREATE SCHEMA IF NOT EXISTS "${schema}" AUTHORIZATION "${owner}"`);
  await client.query(`SET ROLE "${owner}"`);
  try {
    await client.query(`
      GRANT USAGE ON SCHEMA "${schema}" TO "${service}";
      GRANT USAGE, CREATE ON SCHEMA "${schema}" TO "${LOOKUP_ROLE}";
      ALTER DEFAULT PRIVILEGES IN SCHEMA "${schema}" GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO "${service}";
      ALTER DEFAULT PRIVILEGES IN SCHEMA "${schema}" GRANT USAGE ON SEQUENCES TO "${service}";
      CREATE TABLE IF NOT EXISTS "${schema}".schema_step (
        name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
      REVOKE ALL ON "${schema}".schema_step FROM "${service}"`);
  } finally {
    await client.query('RESET ROLE');
  }
}
