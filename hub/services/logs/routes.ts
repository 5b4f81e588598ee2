import { Type } from 'typebox';
import { principalOf, type ServiceApp } from '../../http.ts';
import { readRange, readTime } from '../../time-range.ts';
import { problems } from './errors.ts';
import { familiesOf, filterOf, Filters, LEVELS, ONLY_THESE, shown } from './filters.ts';
import { patternsRoute } from './patterns-route.ts';
import { tailRoute, type LogRoutesGiven } from './tail-route.ts';

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
  attributes: Type.Record(Type.String(), Type.String()),
  template: Type.Optional(Type.String({ description: 'What kind of line it is; absent where nobody said.' })),
  parameters: Type.Optional(
    Type.Array(Type.String(), { description: "What stands in the place of the template's wildcards, in their order." }),
  ),
});
const tags = ['logs'];

function searchRoute(app: ServiceApp, { logstore, templates, clock }: LogRoutesGiven): void {
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
      const { org } = principalOf(request);
      const filter = await familiesOf(templates, org, filterOf(request.query));
      const page = await logstore.search(org, { ...filter, ...range }, { limit, offset });
      return { items: page.lines.map(shown), total: page.total, limit, offset, complete: page.complete };
    },
  );
}

function histogramRoute(app: ServiceApp, { logstore, templates, clock }: LogRoutesGiven): void {
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
      const { org } = principalOf(request);
      const filter = await familiesOf(templates, org, filterOf(request.query));
      const buckets = await logstore.histogram(org, { ...filter, from: range.from, to: range.to + 1 }, width);
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

/** The web API of log lines. */
export function logRoutes(app: ServiceApp, given: LogRoutesGiven): void {
  searchRoute(app, given);
  histogramRoute(app, given);
  patternsRoute(app, given);
  lineRoutes(app, given);
  tailRoute(app, given);
}
