import type { Clock } from '#sdk';
import { sql } from 'kysely';
import type { Relational } from '../../ports/relational.ts';
import { channelStore } from './channel-store.ts';
import { deliveryStore } from './delivery-store.ts';
import { migrations } from './migrations/index.ts';
import { LONGEST_WAIT_MS } from './lane.ts';
import { queueStore } from './queue-store.ts';
import type { NotificationTables } from './tables.ts';
import type { NotificationsDb, Within } from './turn.ts';

/** The service's own schema. */
export const SCHEMA = 'notifications';

/** The only part of this service that speaks to the database. */
export function createStore(relational: Relational, clock: Clock) {
  const within: Within = (org, work) => relational.forOrg(SCHEMA, org, work);
  const outside = <Row>(query: (db: NotificationsDb) => Promise<{ rows: Row[] }>): Promise<Row[]> =>
    relational.outside<NotificationTables, Row[]>(SCHEMA, async (db) => (await query(db)).rows);
  return {
    migrate: () => relational.migrate(SCHEMA, migrations),
    ...channelStore(within, clock),
    ...deliveryStore(within, clock),
    ...queueStore(within, clock),
    /** Every channel of the installation, by name. */
    knownChannels: () =>
      outside((db) => sql<{ org: string; id: string; name: string }>`SELECT * FROM known_channels()`.execute(db)),
    /** Orgs that have something to send now. */
    async orgsDue(): Promise<string[]> {
      const now = new Date(clock.now());
      const rows = await outside((db) =>
        sql<{ org: string }>`SELECT * FROM orgs_due(${now}, ${LONGEST_WAIT_MS} * interval '1 millisecond')`.execute(db),
      );
      return rows.map(({ org }) => org);
    },
    async forgetBefore(beforeMs: number, removedMs: number): Promise<void> {
      const [before, removed] = [new Date(beforeMs), new Date(removedMs)];
      await outside((db) => sql`SELECT forget_before(${before}, ${removed})`.execute(db));
    },
    removeResource: (org: string, resource: string): Promise<void> =>
      within(org, async (db) => {
        const row = { org_id: org, resource_id: resource, removed_at: new Date(clock.now()) };
        await db
          .insertInto('removed_resources')
          .values(row)
          .onConflict((conflict) => conflict.doNothing())
          .execute();
      }),
  };
}
export type NotificationsStore = ReturnType<typeof createStore>;
