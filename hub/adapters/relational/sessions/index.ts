import { reasonOf, type Logger } from '#sdk';
import pg from 'pg';
import type { Relational } from '../../../ports/relational.ts';
import { problems } from './errors.ts';
import { migrateSchema } from './migrate.ts';
import { demandModestUser } from './roles.ts';
import { createSchedules } from './schedules.ts';
import { COLUMN_TYPES, inTransaction } from './transactions.ts';

export { problems } from './errors.ts';

/** The port over a pool of connections, and the end of the pool. */
export interface Sessions {
  port: Relational;
  /** Connects once and refuses a user who is too powerful. */
  open(): Promise<void>;
  close(): Promise<void>;
}

/** A query that never ends, or a transaction that nobody ends, gives its connection back. */
const LIMITS: pg.PoolConfig = {
  max: 10,
  connectionTimeoutMillis: 10_000,
  statement_timeout: 60_000,
  idle_in_transaction_session_timeout: 60_000,
  keepAlive: true,
  application_name: 'outrider-hub',
};

/** Codes of PostgreSQL and of sockets that say "not now". */
const AWAY = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  '57P01',
  '57P02',
  '57P03',
  '08006',
  '08003',
]);

function saysAway(error: unknown): boolean {
  const { code, message, cause } = error as { code?: string; message?: string; cause?: unknown };
  if (code !== undefined && AWAY.has(code)) return true;
  return (
    /Connection terminated|timeout exceeded|end on the pool/.test(message ?? '') ||
    (cause instanceof Error && saysAway(cause))
  );
}

function awayProblem(error: unknown, where: string): unknown {
  if (!(error instanceof Error) || error.name === 'Problem' || !saysAway(error)) return error;
  return problems.unavailable(
    `PostgreSQL at ${where} does not answer (${reasonOf(error)}). Start it, or check relational.url.`,
    {
      cause: error,
    },
  );
}

/** A wrong password, a missing user or database, TLS that is not offered: what the address says is not so. */
function refusal(error: unknown, where: string): unknown {
  const { code, message } = error as { code?: string; message?: string };
  const wrong =
    code?.startsWith('28') || code === '3D000' || code === '42501' || /SSL|certificate/i.test(message ?? '');
  if (!wrong) return error;
  return problems.refused(
    `PostgreSQL at ${where} refuses the hub: ${reasonOf(error)}. Check user, password, database and sslmode of relational.url.`,
    {
      cause: error,
    },
  );
}

/** Sessions of one database user. `where` names the server in messages, without a secret. */
export function createSessions(config: pg.PoolConfig, where: string, log: Logger): Sessions {
  const pool = new pg.Pool({ ...LIMITS, ...config, types: COLUMN_TYPES });
  // A connection may be lost between two queries of a transaction: the next query says so, and the pool drops it.
  pool.on('connect', (client) => client.on('error', () => undefined));
  pool.on('error', (error) => log.warn('an idle database connection was lost', { where, reason: error.message }));
  const guarded = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw awayProblem(error, where);
    }
  };
  const schedules = createSchedules(pool, log);
  let closed: Promise<void> | undefined;
  return {
    port: {
      migrate: (schema, migrations) => guarded(migrateSchema(pool, schema, migrations)),
      forOrg: (schema, org, work) => guarded(inTransaction(pool, { schema, org }, work)),
      outside: (schema, work) => guarded(inTransaction(pool, { schema }, work)),
      schedule: (schema, name, cron, work) => guarded(schedules.add(schema, name, cron, work)),
      check: async () => void (await guarded(pool.query('SELECT 1'))),
    },
    open: () =>
      guarded(
        (async () => {
          const client = await pool.connect().catch((error: unknown) => {
            throw refusal(error, where);
          });
          try {
            await demandModestUser(client);
          } finally {
            client.release();
          }
        })(),
      ),
    close: () => (closed ??= schedules.close().then(() => pool.end())),
  };
}
