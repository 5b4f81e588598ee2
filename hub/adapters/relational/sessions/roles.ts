import type pg from 'pg';
import { problems } from './errors.ts';

/** Owns look-up functions that answer before an org is known. */
export const LOOKUP_ROLE = 'outrider_lookup';

/** The two roles of a service's schema: one owns it, one uses it. Neither may sign in. */
export function schemaRole(schema: string): { owner: string; service: string } {
  if (!/^[a-z][a-z0-9_]{0,40}$/.test(schema)) throw new Error(`"${schema}" is no name for a schema`);
  return { owner: `outrider_${schema}_owner`, service: `outrider_${schema}` };
}

/**
 * Lets one role act as another, without its rights by themselves: a policy holds for whoever inherits from its role, so an heir
 * of `outrider_lookup` would see every org. From version 16 on the grant says so, before it the member's NOINHERIT does.
 */
async function ensureMember(client: pg.ClientBase, role: string, member: string): Promise<void> {
  const given = `SELECT FROM pg_auth_members WHERE roleid = '${role}'::regrole AND member = '${member}'::regrole`;
  await client.query(`
    DO $$ BEGIN
      IF current_setting('server_version_num')::int >= 160000 THEN
        IF NOT EXISTS (${given} AND set_option AND NOT inherit_option)
        THEN EXECUTE 'GRANT "${role}" TO "${member}" WITH INHERIT FALSE, SET TRUE'; END IF;
      ELSIF NOT EXISTS (${given}) THEN EXECUTE 'GRANT "${role}" TO "${member}"'; END IF;
    EXCEPTION WHEN unique_violation THEN NULL;
    END $$`);
}

/** Creates a role if it is missing and lets the signed-in user act as it. Hubs that start together meet here, so an existing one is fine. */
async function ensureRole(client: pg.ClientBase, role: string): Promise<void> {
  await client.query(`
    DO $$ BEGIN
      IF to_regrole('${role}') IS NULL THEN CREATE ROLE "${role}" NOLOGIN NOINHERIT; END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END $$`);
  await ensureMember(client, role, await currentUser(client));
}

interface SignedIn {
  name: string;
  rolsuper: boolean;
  rolbypassrls: boolean;
  /** True when it has the rights of roles that it may act as. */
  heir: boolean;
}

async function signedIn(client: pg.ClientBase): Promise<SignedIn> {
  const { rows } = await client.query<SignedIn>(`
    SELECT rolname AS name, rolsuper, rolbypassrls,
      rolinherit AND current_setting('server_version_num')::int < 160000 AS heir
    FROM pg_roles WHERE rolname = current_user`);
  if (rows[0] === undefined) throw new Error('the signed-in database user has no role');
  return rows[0];
}

async function currentUser(client: pg.ClientBase): Promise<string> {
  return (await signedIn(client)).name;
}

/** Refuses a database user for whom row-level security does not count. */
export async function demandModestUser(client: pg.ClientBase): Promise<void> {
  const { name, rolsuper, rolbypassrls, heir } = await signedIn(client);
  if (!rolsuper && !rolbypassrls && !heir) return;
  if (heir && !rolsuper && !rolbypassrls) {
    throw problems.tooPowerful(`Run this as an administrator of the database: ALTER ROLE "${name}" NOINHERIT;`);
  }
  throw problems.tooPowerful(
    `The database user ${name} is ${rolsuper ? 'a superuser' : 'exempt from row-level security'}. Give the hub a user of its own: ` +
      `CREATE ROLE outrider LOGIN CREATEROLE NOINHERIT PASSWORD '…'; GRANT CREATE ON DATABASE … TO outrider;`,
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
  await ensureMember(client, LOOKUP_ROLE, owner);
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
