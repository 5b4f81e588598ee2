import type { NotificationsDb } from './turn.ts';

/** A moment farther away than this was written by a clock that has jumped back since: it counts as past. */
export const LONGEST_WAIT_MS = 3_600_000;

/** Messages of one lane go out in their order. */
export interface Lane {
  channel: string;
  lane: string;
  spacingSeconds: number;
  nowMs: number;
}

/** The lane of news: one a host where messages are spaced, so that they can be gathered; else one an alert, so that its end comes last. */
export function laneOf(news: { resource: string; firing: string }, spacingSeconds: number): string {
  return spacingSeconds > 0 ? `host:${news.resource}` : `alert:${news.firing}`;
}

/** When the next message of a lane may go: not before what waits in it, and its spacing after the last one. */
export async function laneStart(db: NotificationsDb, { channel, lane, spacingSeconds, nowMs }: Lane): Promise<Date> {
  const now = new Date(nowMs);
  const own = db.selectFrom('deliveries').where('channel_id', '=', channel).where('lane', '=', lane);
  const open = await own
    .select(({ fn }) => fn.max('next_at').as('latest'))
    .where('status', 'in', ['queued', 'sending'])
    .where('next_at', '<=', new Date(nowMs + LONGEST_WAIT_MS))
    .executeTakeFirst();
  const sent = await own
    .select(({ fn }) => fn.max('finished_at').as('latest'))
    .where('status', '=', 'sent')
    .where('finished_at', '<=', now)
    .executeTakeFirst();
  const last = sent?.latest?.getTime();
  const spaced = last === undefined ? 0 : last + spacingSeconds * 1000;
  return new Date(Math.max(nowMs, open?.latest?.getTime() ?? 0, spaced));
}
