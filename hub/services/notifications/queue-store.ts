import { randomUUID } from 'node:crypto';
import type { Clock } from '#sdk';
import type { AlertChanged } from '#proto/subjects.ts';
import { sql, type Selectable } from 'kysely';
import { tell, type Told } from './audience.ts';
import { channelOf, type SavedChannel } from './channel-store.ts';
import { laneOf, laneStart, LONGEST_WAIT_MS } from './lane.ts';
import type { NotificationTables } from './tables.ts';
import { takeTurn, type NotificationsDb, type Within } from './turn.ts';

/** A message whose hub has not said for so long that it is on its way is taken by whoever looks next. */
const LEASE_MS = 8_000;
/** So many pieces of news are gathered into one message at most. */
const MOST_GATHERED = 100;

/** What one message is made of: news of one lane, which nobody else sends meanwhile. */
export interface Claim {
  org: string;
  channel: SavedChannel;
  lane: string;
  spacingSeconds: number;
  /** Tries of the oldest piece of news, this one counted. */
  attempts: number;
  ids: readonly string[];
  news: readonly [AlertChanged, ...AlertChanged[]];
}

/** What a hub can carry besides what it carries now. */
export interface Capacity {
  /** Messages for which a channel has room. */
  room(channel: string): number;
  /** Whether it carries this lane itself: its lease may have ended while the program stood still. */
  carries(channel: string, lane: string): boolean;
}

/** What came of a claim. `released`: it was not tried to the end, and is tried anew at once. */
export type Outcome =
  | { kind: 'sent'; message: string }
  | { kind: 'failed'; reason: string }
  | { kind: 'deferred'; reason: string; nextMs: number }
  | { kind: 'released' };

type Row = Selectable<NotificationTables['deliveries']>;

/** PostgreSQL has no text with a zero byte in it. */
const plain = (text: string): string => text.replaceAll('\0', '');

/** What a piece of news is turned into rows with. */
export interface TakeGiven {
  /** Seconds between messages, by kind of channel. */
  spacings: ReadonlyMap<string, number>;
  /** For how long a message is tried, milliseconds. */
  retryMs: number;
}

async function insertTold(
  db: NotificationsDb,
  { org, news, told, nowMs }: { org: string; news: AlertChanged; told: Told<SavedChannel>; nowMs: number },
  { spacings, retryMs }: TakeGiven,
): Promise<void> {
  const { channel, name, status, reason } = told;
  const now = new Date(nowMs);
  const spacingSeconds = spacings.get(channel?.kind ?? '') ?? 0;
  const lane = laneOf(news, spacingSeconds);
  const open = status === 'queued' && channel !== undefined;
  const next_at = open ? await laneStart(db, { channel: channel.id, lane, spacingSeconds, nowMs }) : now;
  const row = {
    id: randomUUID(),
    org_id: org,
    key: `${news.firing}:${news.state}:${channel?.id ?? `?${plain(name).toLowerCase()}`}`,
    channel_id: channel?.id ?? null,
    channel_name: plain(name),
    lane,
    spacing_seconds: spacingSeconds,
    firing: news.firing,
    resource_id: news.resource,
    resource_name: plain(news.resourceName),
    state: news.state,
    severity: news.severity,
    title: plain(news.title),
    news: JSON.stringify(news),
    status,
    reason: plain(reason),
    message_key: null,
    created_at: now,
    next_at,
    give_up_at: new Date(nowMs + retryMs),
    lease_until: null,
    finished_at: open ? null : now,
  };
  await db
    .insertInto('deliveries')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

const OPEN = ['queued', 'sending'] as const;

/** Channels for which something is due. */
async function dueChannels(db: NotificationsDb, nowMs: number): Promise<string[]> {
  const [now, far] = [new Date(nowMs), new Date(nowMs + LONGEST_WAIT_MS)];
  const rows = await db
    .selectFrom('deliveries')
    .select('channel_id')
    .distinct()
    .where('status', 'in', OPEN)
    .where((eb) => eb.or([eb('next_at', '<=', now), eb('next_at', '>', far)]))
    .execute();
  return rows.flatMap(({ channel_id }) => (channel_id === null ? [] : [channel_id]));
}

/** Lanes whose oldest news is due and that nobody sends now. */
async function dueLanes(db: NotificationsDb, channel: string, room: number, nowMs: number): Promise<string[]> {
  const [now, far, lease] = [nowMs, nowMs + LONGEST_WAIT_MS, nowMs + LEASE_MS].map((ms) => new Date(ms));
  const { rows } = await sql<{ lane: string }>`
    SELECT lane FROM (
      SELECT lane, min(seq) AS first, (array_agg(next_at ORDER BY seq))[1] AS due,
        bool_or(status = 'sending' AND lease_until > ${now} AND lease_until <= ${lease}) AS taken
      FROM deliveries WHERE channel_id = ${channel} AND status IN ('queued', 'sending') GROUP BY lane) AS lanes
    WHERE NOT taken AND (due <= ${now} OR due > ${far}) ORDER BY first LIMIT ${room}`.execute(db);
  return rows.map(({ lane }) => lane);
}

async function skip(db: NotificationsDb, ids: readonly string[], reason: string, now: Date): Promise<void> {
  if (ids.length === 0) return;
  const set = { status: 'skipped', reason, finished_at: now, lease_until: null } as const;
  await db.updateTable('deliveries').set(set).where('id', 'in', ids).execute();
}

/** The firings of which a channel was told. */
async function heardBy(db: NotificationsDb, channel: string, firings: readonly string[]): Promise<Set<string>> {
  if (firings.length === 0) return new Set();
  const told = await db
    .selectFrom('deliveries')
    .select('firing')
    .where('channel_id', '=', channel)
    .where('firing', 'in', firings)
    .where('state', '=', 'firing')
    .where('status', '=', 'sent')
    .execute();
  return new Set(told.map(({ firing }) => firing));
}

/** The oldest news of a lane that makes sense: the end of what the channel never heard of is left out. */
async function nextOf(db: NotificationsDb, channel: string, lane: string, now: Date): Promise<Row[]> {
  const oldest = await db
    .selectFrom('deliveries')
    .selectAll()
    .where('channel_id', '=', channel)
    .where('lane', '=', lane)
    .where('status', 'in', OPEN)
    .orderBy('seq')
    .limit(MOST_GATHERED)
    .execute();
  const rows = oldest[0]?.spacing_seconds === 0 ? oldest.slice(0, 1) : oldest;
  const ends = rows.filter(({ state }) => state === 'resolved').map(({ firing }) => firing);
  const heard = await heardBy(db, channel, ends);
  for (const { state, firing } of rows) if (state === 'firing') heard.add(firing);
  const unheard = rows.filter(({ state, firing }) => state === 'resolved' && !heard.has(firing));
  await skip(
    db,
    unheard.map(({ id }) => id),
    'The channel was never told that it fires.',
    now,
  );
  return rows.filter((row) => !unheard.includes(row));
}

async function claimLane(
  db: NotificationsDb,
  org: string,
  { channel, lane }: { channel: SavedChannel; lane: string },
  nowMs: number,
): Promise<Claim | undefined> {
  const rows = await nextOf(db, channel.id, lane, new Date(nowMs));
  const [first] = rows;
  if (first === undefined) return undefined;
  const ids = rows.map(({ id }) => id);
  await db
    .updateTable('deliveries')
    .set((eb) => ({ status: 'sending', lease_until: new Date(nowMs + LEASE_MS), attempts: eb('attempts', '+', 1) }))
    .where('id', 'in', ids)
    .execute();
  const news = rows.map((row) => JSON.parse(row.news) as AlertChanged) as [AlertChanged, ...AlertChanged[]];
  return { org, channel, lane, spacingSeconds: first.spacing_seconds, attempts: first.attempts + 1, ids, news };
}

async function claimChannel(
  db: NotificationsDb,
  org: string,
  { id, room, carries }: { id: string; room: number; carries: Capacity['carries'] },
  nowMs: number,
): Promise<Claim[]> {
  const row = await db.selectFrom('channels').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined || !row.enabled) {
    const left = db.selectFrom('deliveries').select('id').where('channel_id', '=', id).where('status', '=', 'queued');
    const ids = (await left.execute()).map((delivery) => delivery.id);
    const why = row === undefined ? 'The channel was removed.' : 'The channel is switched off.';
    await skip(db, ids, why, new Date(nowMs));
    return [];
  }
  const channel = channelOf(row);
  const claims: Claim[] = [];
  for (const lane of await dueLanes(db, id, room, nowMs)) {
    if (carries(id, lane)) continue;
    const claim = await claimLane(db, org, { channel, lane }, nowMs);
    if (claim !== undefined) claims.push(claim);
  }
  return claims;
}

/** Nothing else of the lane goes before that moment. */
async function holdLane(db: NotificationsDb, { channel, lane }: Claim, untilMs: number): Promise<void> {
  const until = new Date(untilMs);
  await db
    .updateTable('deliveries')
    .set({ next_at: until })
    .where('channel_id', '=', channel.id)
    .where('lane', '=', lane)
    .where('status', '=', 'queued')
    .where('next_at', '<', until)
    .execute();
}

async function writeOutcome(db: NotificationsDb, claim: Claim, outcome: Outcome, nowMs: number): Promise<void> {
  const now = new Date(nowMs);
  const own = db.updateTable('deliveries').where('id', 'in', claim.ids).where('status', '=', 'sending');
  if (outcome.kind === 'sent') {
    const set = { status: 'sent', reason: '', finished_at: now, lease_until: null } as const;
    await own.set({ ...set, message_key: outcome.message }).execute();
    await holdLane(db, claim, nowMs + claim.spacingSeconds * 1000);
    return;
  }
  if (outcome.kind === 'released') {
    await own.set((eb) => ({ status: 'queued', lease_until: null, attempts: eb('attempts', '-', 1) })).execute();
    return;
  }
  const reason = plain(outcome.reason);
  if (outcome.kind === 'deferred') {
    const next = new Date(outcome.nextMs);
    const set = { status: 'queued', lease_until: null, next_at: next, reason } as const;
    await own.set(set).where('give_up_at', '>', now).execute();
    await holdLane(db, claim, outcome.nextMs);
  }
  await own.set({ status: 'failed', lease_until: null, finished_at: now, reason }).execute();
}

/** What the store knows of news that is to be sent. Every change of an org takes its turn, also between hubs. */
export function queueStore(within: Within, clock: Clock) {
  return {
    /** Writes down what becomes of news. Empty when it was written down before. */
    take: (org: string, news: AlertChanged, given: TakeGiven): Promise<Told<SavedChannel>[]> =>
      within(org, async (db) => {
        await takeTurn(db, org);
        const earlier = await db
          .selectFrom('deliveries')
          .select(['state', 'status', 'channel_id as channel'])
          .where('firing', '=', news.firing)
          .where('state', 'in', ['firing', 'resolved'])
          .$narrowType<{ state: 'firing' | 'resolved' }>()
          .execute();
        const channels = (await db.selectFrom('channels').selectAll().orderBy('created_at').execute()).map(channelOf);
        const all = tell(channels, news, earlier);
        for (const told of all) await insertTold(db, { org, news, told, nowMs: clock.now() }, given);
        return all;
      }),
    /** Takes what is due, as much as each channel has room for. */
    claim: (org: string, { room: roomOf, carries }: Capacity): Promise<Claim[]> =>
      within(org, async (db) => {
        await takeTurn(db, org);
        const claims: Claim[] = [];
        for (const id of await dueChannels(db, clock.now())) {
          const room = roomOf(id);
          if (room > 0) claims.push(...(await claimChannel(db, org, { id, room, carries }, clock.now())));
        }
        return claims;
      }),
    /** Says that claims of one org are still on their way. One whose lease is over may be another hub's, and stays as it is. */
    renew: (org: string, ids: readonly string[]): Promise<void> =>
      within(org, async (db) => {
        const nowMs = clock.now();
        await db
          .updateTable('deliveries')
          .set({ lease_until: new Date(nowMs + LEASE_MS) })
          .where('id', 'in', ids)
          .where('status', '=', 'sending')
          .where('lease_until', '>', new Date(nowMs))
          .execute();
      }),
    /** Writes down what came of a claim. What is over since, or was taken by another hub and finished, stays as it is. */
    finish: (claim: Claim, outcome: Outcome): Promise<void> =>
      within(claim.org, async (db) => {
        await takeTurn(db, claim.org);
        await writeOutcome(db, claim, outcome, clock.now());
      }),
  };
}
