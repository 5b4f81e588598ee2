import { sql, type Kysely } from 'kysely';
import type { NotificationTables } from './tables.ts';

/** A transaction on the tables of this service. */
export type NotificationsDb = Kysely<NotificationTables>;

/** Runs work in one transaction inside an org. */
export type Within = <T>(org: string, work: (db: NotificationsDb) => Promise<T>) => Promise<T>;

/** Makes an org's changes wait for each other, over all hubs, until the transaction ends: lanes are in order and channels counted. */
export async function takeTurn(db: NotificationsDb, org: string): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`notifications:${org}`}, 0))`.execute(db);
}
