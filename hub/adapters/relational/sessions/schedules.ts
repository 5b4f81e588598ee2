import { reasonOf, type Logger } from '#sdk';
import type pg from 'pg';
import PgBoss from 'pg-boss';
import { LOCK } from './migrate.ts';
import { schemaRole } from './roles.ts';

/** Belongs to the user who signs in: no service's role may read it. */
const SCHEMA = 'outrider_jobs';
/** A time is noticed so late at most, seconds, and a run begins so much later. */
const LOOK_S = 15;
const POLL_S = 10;
/** A run whose hub was killed is done again after so many seconds. */
const LATEST_S = 300;
/** How long ending waits for runs that have begun, milliseconds. */
const GRACE_MS = 5_000;

/** Work at times, once among all hubs on one database. */
export interface Schedules {
  add(schema: string, name: string, cron: string, work: () => Promise<void>): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** Hubs that start together take turns: whoever makes tables meanwhile would meet another half-way. */
async function inTurn<T>(pool: pg.Pool, work: () => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [LOCK]);
    return await work();
  } finally {
    // Closing the connection gives the lock back whatever happened.
    client.release(true);
  }
}

async function started(pool: pg.Pool, log: Logger): Promise<PgBoss> {
  const boss = new PgBoss({
    db: { executeSql: (text, values) => pool.query<Record<string, unknown>>(text, values) },
    schema: SCHEMA,
    cronMonitorIntervalSeconds: LOOK_S,
    cronWorkerIntervalSeconds: POLL_S,
  });
  let isAway = false;
  boss.on('error', (error) => {
    if (!isAway) log.warn('schedules cannot be read; they are tried again', { reason: reasonOf(error) });
    isAway = true;
  });
  boss.on('wip', () => (isAway = false));
  await inTurn(pool, () => boss.start());
  return boss;
}

/** Schedules in a schema of their own, read and written by pg-boss over the hub's own connections. */
export function createSchedules(pool: pg.Pool, log: Logger): Schedules {
  let starting: Promise<PgBoss> | undefined;
  const open = (): Promise<PgBoss> =>
    (starting ??= started(pool, log).catch((error: unknown) => {
      starting = undefined;
      throw error;
    }));
  return {
    async add(schema, name, cron, work) {
      const queue = `${schemaRole(schema).service}-${name}`;
      const boss = await open();
      await inTurn(pool, async () => {
        await boss.createQueue(queue, { name: queue, policy: 'stately', expireInSeconds: LATEST_S, retryLimit: 2 });
        await boss.schedule(queue, cron, undefined, { tz: 'UTC' });
      });
      let running: Promise<void> | undefined;
      const worker = await boss.work(queue, { pollingIntervalSeconds: POLL_S }, async () => {
        running = work();
        try {
          await running;
        } catch (error) {
          log.warn('scheduled work failed; it is tried again', { work: `${schema} ${name}`, reason: reasonOf(error) });
          throw error;
        }
      });
      return async () => {
        await boss.offWork({ id: worker });
        await running?.catch(() => undefined);
      };
    },
    async close() {
      const boss = await starting?.catch(() => undefined);
      await boss?.stop({ graceful: true, wait: true, timeout: GRACE_MS }).catch(() => undefined);
    },
  };
}
