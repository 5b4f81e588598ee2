import { randomUUID } from 'node:crypto';
import type { Clock, Severity } from '#sdk';
import { sql, type Selectable } from 'kysely';
import type { Listener } from './audience.ts';
import { problems } from './errors.ts';
import type { ChannelSettings, NotificationTables } from './tables.ts';
import { takeTurn, type NotificationsDb, type Within } from './turn.ts';

const MOST_CHANNELS = 50;
const MOST_FORMER_NAMES = 20;

/** What a person says of a channel, after it was checked. */
export interface ChannelWrite {
  name: string;
  settings: ChannelSettings;
  minSeverity: Severity;
  enabled: boolean;
}

/** A way to tell a person, as an org set it up. */
export interface SavedChannel extends Listener {
  settings: ChannelSettings;
  createdMs: number;
  updatedMs: number;
}

/** Reads a row. */
export function channelOf(row: Selectable<NotificationTables['channels']>): SavedChannel {
  return {
    id: row.id,
    name: row.name,
    formerNames: row.former_names,
    kind: row.kind,
    settings: row.settings,
    minSeverity: row.min_severity,
    enabled: row.enabled,
    createdMs: row.created_at.getTime(),
    updatedMs: row.updated_at.getTime(),
  };
}

const columnsOf = ({ name, settings, minSeverity, enabled }: ChannelWrite) => ({
  name,
  settings: JSON.stringify(settings),
  min_severity: minSeverity,
  enabled,
});

async function demandFree(db: NotificationsDb, name: string, own?: string): Promise<void> {
  let query = db
    .selectFrom('channels')
    .select('id')
    .where(sql`lower(name)`, '=', sql`lower(${name})`);
  if (own !== undefined) query = query.where('id', '<>', own);
  if ((await query.executeTakeFirst()) !== undefined) throw problems.taken(`There is a channel “${name}” already.`);
}

/** What is queued for a channel that changed is tried at once: the change may be the cure. */
async function hurry(db: NotificationsDb, id: string, now: Date): Promise<void> {
  await db
    .updateTable('deliveries')
    .set({ next_at: now })
    .where('channel_id', '=', id)
    .where('status', '=', 'queued')
    .where('attempts', '>', 0)
    .execute();
}

/** What the store knows of channels. */
export function channelStore(within: Within, clock: Clock) {
  const find = async (db: NotificationsDb, id: string): Promise<SavedChannel | undefined> => {
    const row = await db.selectFrom('channels').selectAll().where('id', '=', id).executeTakeFirst();
    return row && channelOf(row);
  };
  return {
    channels: (org: string): Promise<SavedChannel[]> =>
      within(org, async (db) => {
        const rows = await db
          .selectFrom('channels')
          .selectAll()
          .orderBy(sql`lower(name)`)
          .execute();
        return rows.map(channelOf);
      }),
    channel: (org: string, id: string): Promise<SavedChannel | undefined> => within(org, (db) => find(db, id)),
    addChannel: (org: string, kind: string, write: ChannelWrite): Promise<SavedChannel> =>
      within(org, async (db) => {
        await takeTurn(db, org);
        const count = db.selectFrom('channels').select((eb) => eb.fn.countAll<number>().as('total'));
        const { total } = await count.executeTakeFirstOrThrow();
        if (total >= MOST_CHANNELS)
          throw problems.tooMany(
            `An organisation has ${MOST_CHANNELS} channels at most. Remove one that is not needed.`,
          );
        await demandFree(db, write.name);
        const now = new Date(clock.now());
        const row = { id: randomUUID(), org_id: org, kind, created_at: now, updated_at: now, ...columnsOf(write) };
        return channelOf(await db.insertInto('channels').values(row).returningAll().executeTakeFirstOrThrow());
      }),
    /** `decide` gets the channel as it is and gives it as it shall be, so that two changes at once do not undo each other’s secrets. */
    changeChannel: (
      org: string,
      id: string,
      decide: (old: SavedChannel) => ChannelWrite,
    ): Promise<SavedChannel | undefined> =>
      within(org, async (db) => {
        await takeTurn(db, org);
        const old = await find(db, id);
        if (old === undefined) return undefined;
        const write = decide(old);
        await demandFree(db, write.name, id);
        const now = new Date(clock.now());
        const former = old.formerNames.filter((name) => name !== write.name && name !== old.name);
        const names = write.name === old.name ? old.formerNames : [old.name, ...former].slice(0, MOST_FORMER_NAMES);
        const set = { ...columnsOf(write), former_names: [...names], updated_at: now };
        const changed = db.updateTable('channels').set(set).where('id', '=', id).returningAll();
        await hurry(db, id, now);
        return channelOf(await changed.executeTakeFirstOrThrow());
      }),
    removeChannel: (org: string, id: string): Promise<boolean> =>
      within(org, async (db) => {
        await takeTurn(db, org);
        const finished = { status: 'skipped', reason: 'The channel was removed.', lease_until: null } as const;
        await db
          .updateTable('deliveries')
          .set({ ...finished, finished_at: new Date(clock.now()) })
          .where('channel_id', '=', id)
          .where('status', 'in', ['queued', 'sending'])
          .execute();
        const gone = await db.deleteFrom('channels').where('id', '=', id).executeTakeFirst();
        return gone.numDeletedRows > 0n;
      }),
  };
}
