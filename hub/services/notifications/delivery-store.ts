import { randomUUID } from 'node:crypto';
import type { Clock, Message } from '#sdk';
import type { Selectable } from 'kysely';
import type { SavedChannel } from './channel-store.ts';
import { problems } from './errors.ts';
import { laneStart } from './lane.ts';
import type { NotificationTables, Status } from './tables.ts';
import { takeTurn, type NotificationsDb, type Within } from './turn.ts';

/** One piece of news for one channel. Times are milliseconds since 1970. */
export interface Delivery {
  id: string;
  channel: string | null;
  channelName: string;
  firing: string;
  resource: string;
  resourceName: string;
  state: NotificationTables['deliveries']['state'];
  severity: NotificationTables['deliveries']['severity'];
  title: string;
  status: Status;
  attempts: number;
  reason: string;
  message: string | null;
  createdMs: number;
  nextMs: number | null;
  finishedMs: number | null;
}

/** Which deliveries to list. */
export interface DeliveryFilter {
  channel?: string;
  status?: Status;
  firing?: string;
  resource?: string;
}

/** How a channel fares. */
export interface ChannelHealth {
  waiting: number;
  lastSentMs: number | null;
  lastFailedMs: number | null;
}

const deliveryOf = (row: Selectable<NotificationTables['deliveries']>): Delivery => ({
  id: row.id,
  channel: row.channel_id,
  channelName: row.channel_name,
  firing: row.firing,
  resource: row.resource_id,
  resourceName: row.resource_name,
  state: row.state,
  severity: row.severity,
  title: row.title,
  status: row.status,
  attempts: row.attempts,
  reason: row.reason,
  message: row.message_key,
  createdMs: row.created_at.getTime(),
  nextMs: row.status === 'queued' ? row.next_at.getTime() : null,
  finishedMs: row.finished_at?.getTime() ?? null,
});

function matching(db: NotificationsDb, { channel, status, firing, resource }: DeliveryFilter) {
  let query = db.selectFrom('deliveries');
  if (channel !== undefined) query = query.where('channel_id', '=', channel);
  if (status !== undefined) query = query.where('status', '=', status);
  if (firing !== undefined) query = query.where('firing', '=', firing);
  if (resource !== undefined) query = query.where('resource_id', '=', resource);
  return query;
}

/** Refuses to send again what did not fail, has nobody to go to, or is no longer so. */
async function demandRepeatable(
  db: NotificationsDb,
  { status, state, channel_id, firing }: Selectable<NotificationTables['deliveries']>,
): Promise<string> {
  if (status !== 'failed' || state === 'test') throw problems.notFailed();
  const channel = db.selectFrom('channels').select('id').where('id', '=', channel_id);
  if (channel_id === null || (await channel.executeTakeFirst()) === undefined)
    throw problems.notFailed('Its channel does not exist.');
  if (state === 'resolved') return channel_id;
  const over = matching(db, { firing }).select('id').where('state', '=', 'resolved');
  if ((await over.executeTakeFirst()) !== undefined) throw problems.notFailed('The alert is over by now.');
  return channel_id;
}

/** What the store knows of the history of messages. */
export function deliveryStore(within: Within, clock: Clock) {
  return {
    deliveries: (
      org: string,
      filter: DeliveryFilter,
      { limit, offset }: { limit: number; offset: number },
    ): Promise<{ items: Delivery[]; total: number }> =>
      within(org, async (db) => {
        const found = matching(db, filter);
        const rows = await found.selectAll().orderBy('seq', 'desc').limit(limit).offset(offset).execute();
        const { total } = await found.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
        return { items: rows.map(deliveryOf), total };
      }),
    health: (org: string): Promise<Map<string, ChannelHealth>> =>
      within(org, async (db) => {
        const rows = await db
          .selectFrom('deliveries')
          .select(({ fn }) => [
            'channel_id',
            fn.countAll<number>().filterWhere('status', 'in', ['queued', 'sending']).as('waiting'),
            fn.max('finished_at').filterWhere('status', '=', 'sent').as('sent'),
            fn.max('finished_at').filterWhere('status', '=', 'failed').as('failed'),
          ])
          .where('channel_id', 'is not', null)
          .groupBy('channel_id')
          .execute();
        return new Map(
          rows.map(({ channel_id, waiting, sent, failed }) => [
            channel_id ?? '',
            { waiting, lastSentMs: sent?.getTime() ?? null, lastFailedMs: failed?.getTime() ?? null },
          ]),
        );
      }),
    /** Keeps what came of a test. */
    recordTest: (org: string, channel: SavedChannel, message: Message, reason: string): Promise<void> =>
      within(org, async (db) => {
        const now = new Date(clock.now());
        const { key, state, severity, title } = message;
        const about = { firing: key, resource_id: '', resource_name: '', state, severity, title, news: '' };
        const outcome = { status: reason === '' ? ('sent' as const) : ('failed' as const), reason, attempts: 1 };
        const times = { created_at: now, next_at: now, give_up_at: now, finished_at: now, lease_until: null };
        const place = { channel_id: channel.id, channel_name: channel.name, lane: 'test', spacing_seconds: 0 };
        const row = { id: randomUUID(), org_id: org, key, message_key: key, ...about, ...outcome, ...times, ...place };
        await db.insertInto('deliveries').values(row).execute();
      }),
    /** Queues again what failed for good. */
    repeat: (org: string, id: string, retryMs: number): Promise<Delivery> =>
      within(org, async (db) => {
        await takeTurn(db, org);
        const row = await db.selectFrom('deliveries').selectAll().where('id', '=', id).executeTakeFirst();
        if (row === undefined) throw problems.unknownDelivery();
        const channel = await demandRepeatable(db, row);
        const nowMs = clock.now();
        const next_at = await laneStart(db, { channel, lane: row.lane, spacingSeconds: row.spacing_seconds, nowMs });
        const set = { status: 'queued', attempts: 0, next_at, finished_at: null } as const;
        const queued = db.updateTable('deliveries').set({ ...set, give_up_at: new Date(nowMs + retryMs) });
        return deliveryOf(await queued.where('id', '=', id).returningAll().executeTakeFirstOrThrow());
      }),
  };
}
