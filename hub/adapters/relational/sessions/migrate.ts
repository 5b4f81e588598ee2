import { createHash } from 'node:crypto';
import { reasonOf } from '#sdk';
import type pg from 'pg';
import type { Migration } from '../../../ports/relational.ts';
import { problems } from './errors.ts';
import { ensureGround, ensureSchema, schemaRole } from './roles.ts';

/** Any number that no other program locks: hubs that start together take turns on it. */
export const LOCK = 7_355_608;

const checksum = (sql: string): string => createHash('sha256').update(sql).digest('hex');

async function applied(client: pg.ClientBase, schema: string): Promise<Map<string, string>> {
  await client.query(`SET ROLE "${schemaRole(schema).owner}"`);
  const { rows } = await client.query<{ name: string; checksum: string }>(
    `SELECT name, checksum FROM "${schema}".schema_step`,
  );
  await client.query('RESET ROLE');
  return new Map(rows.map((row) => [row.name, row.checksum]));
}

function checkHistory(schema: string, done: ReadonlyMap<string, string>, steps: readonly Migration[]): void {
  const known = new Set(steps.map(({ name }) => name));
  const foreign = [...done.keys()].filter((name) => !known.has(name));
  if (foreign.length > 0) {
    throw problems.newerSchema(
      `The schema ${schema} has steps that this version does not know (${foreign.join(', ')}). Install the newer version again.`,
    );
  }
  for (const { name, sql } of steps) {
    if (done.has(name) && done.get(name) !== checksum(sql)) {
      throw problems.changedMigration(
        `The step ${name} of the schema ${schema} differs from the one that was applied.`,
      );
    }
  }
}

async function applyStep(client: pg.ClientBase, schema: string, step: Migration): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(`SET LOCAL ROLE "${schemaRole(schema).owner}"; SET LOCAL search_path TO "${schema}"`);
    await client.query(step.sql);
    const values = [step.name, checksum(step.sql)];
    await client.query(`INSERT INTO "${schema}".schema_step (name, checksum) VALUES ($1, $2)`, values);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw new Error(`migration ${schema}/${step.name} failed: ${reasonOf(error)}`, { cause: error });
  }
}

/** Brings a schema to its newest step under a lock that all hubs share. */
export async function migrateSchema(pool: pg.Pool, schema: string, steps: readonly Migration[]): Promise<void> {
  const client = await pool.connect();
  try {
    // To wait for another hub and to change a large table may take long.
    await client.query('SET statement_timeout = 0');
    await client.query('SELECT pg_advisory_lock($1)', [LOCK]);
    await ensureGround(client);
    await ensureSchema(client, schema);
    const done = await applied(client, schema);
    checkHistory(schema, done, steps);
    for (const step of steps) if (!done.has(step.name)) await applyStep(client, schema, step);
  } finally {
    // Closing the connection gives the lock back whatever happened.
    client.release(true);
  }
}
