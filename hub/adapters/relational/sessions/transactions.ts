import {
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type LogEvent,
  type QueryResult,
} from 'kysely';
import pg from 'pg';
import { statementSpan } from '../../../tracing.ts';
import { schemaRole } from './roles.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const INT8 = 20;

/** Counts come as numbers; times as Date, jsonb as values, uuid as text, as pg gives them. */
export const COLUMN_TYPES: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? Number : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
};

/** A client for as long as its transaction lasts: a query that comes later must not run in somebody else's. */
interface Lease {
  client: pg.PoolClient;
  over: boolean;
}

/** A connection of Kysely that is one client of pg inside one transaction. */
function connectionOf(lease: Lease): DatabaseConnection {
  return {
    async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
      if (lease.over) throw new Error('the transaction of this query is over: await every query inside of its work');
      const { client } = lease;
      const { rows, rowCount, command } = await client.query(query.sql, [...query.parameters]);
      const changes = command !== 'SELECT' && rowCount !== null;
      return { rows: rows as Row[], ...(changes ? { numAffectedRows: BigInt(rowCount) } : {}) };
    },
    streamQuery() {
      throw new Error('answers are read whole: page them with limit and offset');
    },
  };
}

function dialectOf(lease: Lease): Dialect {
  const connection = connectionOf(lease);
  const nested = (): Promise<void> => Promise.reject(new Error('this is a transaction already'));
  const nothing = (): Promise<void> => Promise.resolve();
  return {
    createAdapter: () => new PostgresAdapter(),
    createIntrospector: (db) => new PostgresIntrospector(db as Kysely<unknown>),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createDriver: () => ({
      init: nothing,
      acquireConnection: () => Promise.resolve(connection),
      beginTransaction: nested,
      commitTransaction: nested,
      rollbackTransaction: nested,
      releaseConnection: nothing,
      destroy: nothing,
    }),
  };
}

/** Opens a transaction with the rights of one schema's service, for one org or for none. One round trip. */
function openingStatements(schema: string, org: string | undefined): string {
  if (org !== undefined && !UUID.test(org)) throw new Error('an org is a uuid in lower case');
  const { service } = schemaRole(schema);
  return `BEGIN; SET LOCAL ROLE "${service}"; SET LOCAL search_path TO "${schema}"; SET LOCAL outrider.org TO '${org ?? ''}'`;
}

/** PostgreSQL answers COMMIT with ROLLBACK, and no error, when a query of the transaction had failed. */
async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query('COMMIT');
  if (command === 'COMMIT') return;
  throw new Error('the transaction was rolled back, because one of its queries failed and the failure was overlooked');
}

/** Each statement is a span of its trace. */
function tellSpan(event: LogEvent): void {
  const error: unknown = event.level === 'error' ? event.error : undefined;
  statementSpan(event.query.sql, event.queryDurationMillis, error);
}

/** Runs `work` in one transaction; rolls back when it rejects. A connection whose state is unknown is thrown away. */
export async function inTransaction<Tables, T>(
  pool: pg.Pool,
  scope: { schema: string; org?: string },
  work: (db: Kysely<Tables>) => Promise<T>,
): Promise<T> {
  const opening = openingStatements(scope.schema, scope.org);
  const client = await pool.connect();
  const lease: Lease = { client, over: false };
  let broken: Error | undefined;
  try {
    await client.query(opening);
    const result = await work(new Kysely<Tables>({ dialect: dialectOf(lease), log: tellSpan }));
    lease.over = true;
    await commit(client);
    return result;
  } catch (error) {
    lease.over = true;
    await client.query('ROLLBACK').catch((fault: Error) => (broken = fault));
    throw error;
  } finally {
    client.release(broken);
  }
}
