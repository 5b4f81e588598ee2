import type { Clock } from '#sdk';
import { Type } from 'typebox';
import { eventsReply, openEventStream } from '../../event-stream.ts';
import { principalOf, type ServiceApp } from '../../http.ts';
import type { LogStore, StoredLine } from '../../ports/logstore.ts';
import { familiesOf, filterOf, Filters, ONLY_THESE, shown, shownLive } from './filters.ts';
import type { Tail, TailFilter, TailLine } from './tail.ts';
import type { TemplateStore } from './template-store.ts';

/** What the routes stand on. */
export interface LogRoutesGiven {
  logstore: LogStore;
  tail: Tail;
  templates: TemplateStore;
  clock: Clock;
}

/** Clocks of two hubs, and lines of different hosts, are this far apart at most for a reader who comes back, milliseconds. */
const OVERLAP_MS = 5_000;
const DAY_MS = 86_400_000;
/** Lines that a reader who comes back gets at most. */
const MISSED = 1000;

/** What a reader wants to begin with. */
interface TailAsked {
  filter: TailFilter;
  backlog: number;
  now: number;
}

/** What a tail begins with, oldest first. */
interface Beginning {
  stored: StoredLine[];
  /** Lines that were not found in the store, or not yet. */
  live: TailLine[];
  /** Lines beyond what is sent. */
  left: number;
}

/** The last lines there are. What arrived while they were read may be among them: times tell them apart well enough for a tail. */
async function lastLines(
  logstore: LogStore,
  org: string,
  asked: TailAsked,
  waiting: () => TailLine[],
): Promise<Beginning> {
  const { filter, backlog, now } = asked;
  const range = { from: now - DAY_MS, to: now + 60_000 };
  const stored =
    backlog === 0
      ? []
      : (await logstore.search(org, { ...filter, ...range }, { limit: backlog, offset: 0 })).lines.reverse();
  const newest = stored.at(-1)?.timeMs ?? 0;
  return { stored, live: waiting().filter(({ timeMs }) => timeMs > newest), left: 0 };
}

/** What a reader missed since it read the event `since`, some of it twice, and nothing left out that is not counted. */
async function missedLines(
  logstore: LogStore,
  org: string,
  asked: TailAsked & { since: number },
  recent: (ms: number) => TailLine[],
): Promise<Beginning> {
  const { filter, now } = asked;
  const from = Math.max(now - DAY_MS, asked.since - OVERLAP_MS);
  const { lines, total } = await logstore.search(
    org,
    { ...filter, from, to: now + DAY_MS },
    { limit: MISSED, offset: 0 },
  );
  const key = ({ resource, timeMs, source, text }: TailLine): string =>
    JSON.stringify([resource, timeMs, source, text]);
  const found = new Set(lines.map(key));
  const live = recent(from).filter((line) => !found.has(key(line)));
  return { stored: lines.reverse(), live, left: Math.max(0, total - lines.length) };
}

/** New lines as they come. */
export function tailRoute(app: ServiceApp, { logstore, tail, templates, clock }: LogRoutesGiven): void {
  app.get(
    '/api/v1/logs/tail',
    {
      config: { role: 'viewer' },
      schema: {
        tags: ['logs'],
        summary: 'New lines as server-sent events: lines, skipped. Begins with the last lines there are.',
        description:
          'Events: `lines` {nowMs, lines}, lines as in a search but without an id once they are live, oldest first; the first one holds the last lines ' +
          'there are. `skipped` {lines}: so many were left out because the reader was too slow or away for long. Comments (`: beat`) come every 15 s. A ' +
          'reader that comes back with `Last-Event-ID`, to whichever hub, begins with what it missed; some lines may come twice.',
        querystring: Type.Object(
          { ...Filters, backlog: Type.Integer({ default: 100, minimum: 0, maximum: 1000 }) },
          ONLY_THESE,
        ),
        response: { 200: eventsReply('The stream; it has no end of its own.') },
      },
    },
    async (request, reply) => {
      const { org } = principalOf(request);
      const filter = await familiesOf(templates, org, filterOf(request.query));
      const ends: (() => void)[] = [];
      const stream = openEventStream(clock, () => ends.splice(0).forEach((end) => end()));
      let skipped = 0;
      const waiting: TailLine[] = [];
      let ready = false;
      const send = (lines: readonly object[]): void => {
        if (skipped > 0 && stream.send('skipped', { lines: skipped })) skipped = 0;
        const nowMs = clock.now();
        if (!stream.send('lines', { nowMs, lines }, String(nowMs))) skipped += lines.length;
      };
      ends.push(tail.watch(org, filter, (lines) => (ready ? send(lines.map(shownLive)) : void waiting.push(...lines))));
      const since = Number(request.headers['last-event-id']);
      const asked = { filter, backlog: request.query.backlog, now: clock.now() };
      const { stored, live, left } = Number.isSafeInteger(since)
        ? await missedLines(logstore, org, { ...asked, since }, (ms) => tail.since(org, filter, ms))
        : await lastLines(logstore, org, asked, () => waiting);
      skipped = left;
      ready = true;
      send([...stored.map(shown), ...live.map(shownLive)]);
      return reply.header('content-type', 'text/event-stream').header('cache-control', 'no-store').send(stream.body);
    },
  );
}
