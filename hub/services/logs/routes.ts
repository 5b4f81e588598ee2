import type { Clock } from '#sdk';
import { Type } from 'typebox';
import { eventsReply, openEventStream } from '../../event-stream.ts';
import { principalOf, type ServiceApp } from '../../http.ts';
import type { LogFilter, LogLevelNumber, LogStore, StoredLine } from '../../ports/logstore.ts';
import { readRange, readTime } from '../../time-range.ts';
import { problems } from './errors.ts';
import type { Tail, TailLine } from './tail.ts';

/** Names of the levels, by number. */
export const LEVELS = ['unknown', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

const several = (description: string) =>
  Type.Optional(
    Type.Union([Type.Array(Type.String({ maxLength: 300 }), { maxItems: 50 }), Type.String({ maxLength: 4000 })], {
      description,
    }),
  );
const Filters = {
  q: Type.Optional(Type.String({ maxLength: 1000, description: 'Text that lines contain, in any case.' })),
  not: several('Text that lines do not contain, in any case; may be repeated.'),
  level: several(`Levels, repeated or with commas between: ${LEVELS.join(', ')}.`),
  host: several('Ids of hosts, repeated or with commas between.'),
  source: Type.Optional(Type.String({ maxLength: 1024, description: 'The file that lines came from.' })),
};
/** A typo in a filter's name must not answer everything. */
const ONLY_THESE = { additionalProperties: false };
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const Range = {
  from: Type.Optional(
    Type.String({ maxLength: 40, description: 'now, -2h, milliseconds or ISO 8601; -15m when absent.' }),
  ),
  to: Type.Optional(Type.String({ maxLength: 40 })),
};
const Line = Type.Object({
  id: Type.String(),
  host: Type.String(),
  timeMs: Type.Integer(),
  level: Type.Enum([...LEVELS]),
  source: Type.String(),
  text: Type.String(),
  truncated: Type.Boolean(),
});
const tags = ['logs'];

interface FilterQuery {
  q?: string;
  not?: string | string[];
  level?: string | string[];
  host?: string | string[];
  source?: string;
}

const listed = (value: string | string[] | undefined): string[] =>
  (typeof value === 'string' ? [value] : (value ?? []))
    .flatMap((part) => part.split(','))
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** The search's words; `not` is taken whole, because a text may hold commas. */
function filterOf(query: FilterQuery): Omit<LogFilter, 'from' | 'to'> {
  const hosts = listed(query.host);
  const wrong = hosts.find((host) => !ID.test(host));
  if (wrong !== undefined)
    throw problems.unknownHost(
      `"${wrong}" is no id of a host. GET /api/v1/monitoring/resources lists hosts with their ids.`,
    );
  const levels = listed(query.level).map((name) => {
    const number = LEVELS.indexOf(name.toLowerCase() as (typeof LEVELS)[number]);
    if (number < 0) throw problems.unknownLevel(`"${name}" is none of ${LEVELS.join(', ')}.`);
    return number as LogLevelNumber;
  });
  return {
    resources: hosts.length === 0 ? undefined : hosts,
    text: query.q === '' ? undefined : query.q,
    without: typeof query.not === 'string' ? [query.not] : query.not,
    levels: levels.length === 0 ? undefined : levels,
    source: query.source === '' ? undefined : query.source,
  };
}

const shown = ({ resource, level, ...line }: StoredLine) => ({ ...line, host: resource, level: LEVELS[level] });
const shownLive = ({ resource, level, ...line }: TailLine) => ({ ...line, host: resource, level: LEVELS[level] });

/** What the routes stand on. */
export interface LogRoutesGiven {
  logstore: LogStore;
  tail: Tail;
  clock: Clock;
}

function searchRoute(app: ServiceApp, { logstore, clock }: LogRoutesGiven): void {
  app.get(
    '/api/v1/logs/search',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Lines, newest first. `total` is a lower bound when `complete` is false.',
        querystring: Type.Object(
          {
            ...Filters,
            ...Range,
            limit: Type.Integer({ default: 100, minimum: 1, maximum: 1000 }),
            offset: Type.Integer({ default: 0, minimum: 0, maximum: 1_000_000 }),
          },
          ONLY_THESE,
        ),
        response: {
          200: Type.Object({
            items: Type.Array(Line),
            total: Type.Integer(),
            limit: Type.Integer(),
            offset: Type.Integer(),
            complete: Type.Boolean(),
          }),
        },
      },
    },
    async (request) => {
      const { limit, offset, from, to } = request.query;
      const now = clock.now();
      // Both ends count: a line of this very moment belongs to "now".
      const range = { from: readTime(from ?? '-15m', now), to: readTime(to ?? 'now', now) + 1 };
      if (range.to <= range.from) throw problems.badRange('"from" must not be after "to".');
      const page = await logstore.search(
        principalOf(request).org,
        { ...filterOf(request.query), ...range },
        { limit, offset },
      );
      return { items: page.lines.map(shown), total: page.total, limit, offset, complete: page.complete };
    },
  );
}

function histogramRoute(app: ServiceApp, { logstore, clock }: LogRoutesGiven): void {
  app.get(
    '/api/v1/logs/histogram',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Lines per level and step of time.',
        querystring: Type.Object(
          {
            ...Filters,
            ...Range,
            step: Type.Optional(
              Type.String({
                maxLength: 20,
                description: '10s, 1m, 1h, at least 1 s; chosen to suit the range when absent.',
              }),
            ),
          },
          ONLY_THESE,
        ),
        response: {
          200: Type.Object({
            from: Type.Integer(),
            to: Type.Integer(),
            step: Type.Integer(),
            buckets: Type.Array(
              Type.Object({ timeMs: Type.Integer(), counts: Type.Record(Type.String(), Type.Integer()) }),
            ),
          }),
        },
      },
    },
    async (request) => {
      const range = readRange(request.query, clock.now());
      // A tenth of a chart's points is enough for bars.
      const width = request.query.step === undefined ? range.step * 10 : range.step;
      const buckets = await logstore.histogram(
        principalOf(request).org,
        { ...filterOf(request.query), from: range.from, to: range.to + 1 },
        width,
      );
      const named = buckets.map(({ timeMs, counts }) => ({
        timeMs,
        counts: Object.fromEntries(counts.map((count, level) => [LEVELS[level] ?? 'unknown', count])),
      }));
      return { from: range.from, to: range.to, step: width, buckets: named };
    },
  );
}

function lineRoutes(app: ServiceApp, { logstore }: LogRoutesGiven): void {
  app.get(
    '/api/v1/logs/context',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'A line and those around it in the same file, oldest first.',
        querystring: Type.Object({
          id: Type.String({ maxLength: 40, description: 'Of a line in a search.' }),
          around: Type.Integer({ default: 50, minimum: 1, maximum: 500 }),
        }),
        response: { 200: Type.Object({ items: Type.Array(Line) }) },
      },
    },
    async (request) => {
      const lines = await logstore.context(principalOf(request).org, request.query.id, request.query.around);
      if (lines.length === 0) throw problems.notFound();
      return { items: lines.map(shown) };
    },
  );
  app.get(
    '/api/v1/logs/sources',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Files of a host that lines came from.',
        querystring: Type.Object({ host: Type.String({ format: 'uuid' }) }),
        response: {
          200: Type.Object({ items: Type.Array(Type.Object({ source: Type.String(), lastMs: Type.Number() })) }),
        },
      },
    },
    async (request) => ({ items: await logstore.sources(principalOf(request).org, request.query.host) }),
  );
  app.get(
    '/internal/logs/acknowledged',
    {
      config: { role: 'service' },
      schema: {
        querystring: Type.Object({
          org: Type.String(),
          agent: Type.String(),
          epoch: Type.String({ pattern: '^\\d{1,20}$' }),
        }),
        response: { 200: Type.Object({ live: Type.String(), backfill: Type.String() }) },
      },
    },
    async ({ query: { org, agent, epoch } }) => {
      const { live, backfill } = await logstore.acknowledged(org, agent, BigInt(epoch));
      return { live: String(live), backfill: String(backfill) };
    },
  );
}

function tailRoute(app: ServiceApp, { logstore, tail, clock }: LogRoutesGiven): void {
  app.get(
    '/api/v1/logs/tail',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'New lines as server-sent events: lines, skipped. Begins with the last lines there are.',
        description:
          'Events: `lines` {nowMs, lines}, lines as in a search but without an id once they are live, oldest first; the first one holds the last lines ' +
          'there are. `skipped` {lines}: so many were left out because the reader was too slow. Comments (`: beat`) come every 15 s; after a break the ' +
          'reader connects again by itself and gets the last lines anew.',
        querystring: Type.Object(
          { ...Filters, backlog: Type.Integer({ default: 100, minimum: 0, maximum: 1000 }) },
          ONLY_THESE,
        ),
        response: { 200: eventsReply('The stream; it has no end of its own.') },
      },
    },
    async (request, reply) => {
      const { org } = principalOf(request);
      const filter = filterOf(request.query);
      const ends: (() => void)[] = [];
      const stream = openEventStream(clock, () => ends.splice(0).forEach((end) => end()));
      let skipped = 0;
      const waiting: TailLine[] = [];
      let ready = false;
      const send = (lines: readonly TailLine[]): void => {
        if (skipped > 0 && stream.send('skipped', { lines: skipped })) skipped = 0;
        if (!stream.send('lines', { nowMs: clock.now(), lines: lines.map(shownLive) })) skipped += lines.length;
      };
      ends.push(tail.watch(org, filter, (lines) => (ready ? send(lines) : void waiting.push(...lines))));
      const now = clock.now();
      const backlog =
        request.query.backlog === 0
          ? []
          : (
              await logstore.search(
                org,
                { ...filter, from: now - 86_400_000, to: now + 60_000 },
                { limit: request.query.backlog, offset: 0 },
              )
            ).lines;
      stream.send('lines', { nowMs: now, lines: backlog.reverse().map(shown) });
      // What arrived while the backlog was read may be in it: times tell them apart well enough for a tail.
      const newest = backlog.at(-1)?.timeMs ?? 0;
      const later = waiting.filter(({ timeMs }) => timeMs > newest);
      ready = true;
      if (later.length > 0) send(later);
      return reply.header('content-type', 'text/event-stream').header('cache-control', 'no-store').send(stream.body);
    },
  );
}

/** The web API of log lines. */
export function logRoutes(app: ServiceApp, given: LogRoutesGiven): void {
  searchRoute(app, given);
  histogramRoute(app, given);
  lineRoutes(app, given);
  tailRoute(app, given);
}
