import { Type } from 'typebox';
import { principalOf, type ServiceApp } from '../../../http.ts';
import type { SeriesStore } from '../../../ports/series.ts';
import type { Retention } from '../retention.ts';
import { Done } from './schemas.ts';

const Days = (what: string) =>
  Type.Number({ exclusiveMinimum: 0, maximum: 36_500, description: `Days that ${what} are kept.` });
const Settings = Type.Object(
  {
    rawDays: Days('1 s samples'),
    tenSecondDays: Days('10 s values'),
    minuteDays: Days('1 min values'),
    hourDays: Days('1 h values'),
    diskGb: Type.Number({
      exclusiveMinimum: 0,
      maximum: 1_000_000,
      description: 'Gigabytes over which the oldest fine samples go first.',
    }),
  },
  { additionalProperties: false },
);
const Usage = Type.Object({
  bytes: Type.Number({ description: 'On disk, of all organisations together.' }),
  samples: Type.Number(),
  oldestMs: Type.Union([Type.Number(), Type.Null()]),
});
const PATH = '/api/v1/monitoring/retention';
const tags = ['metrics'];

/** How long samples are kept. */
export function retentionRoutes(app: ServiceApp, { retention, series }: { retention: Retention; series: SeriesStore }) {
  app.get(
    PATH,
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'How long samples are kept, and what they take.',
        response: { 200: Type.Object({ settings: Settings, usage: Usage }) },
      },
    },
    async (request) => {
      const settings = await retention.of(principalOf(request).org);
      const usage = await series.usage();
      return { settings, usage: { ...usage, oldestMs: usage.oldestMs ?? null } };
    },
  );
  app.put(
    PATH,
    {
      config: { role: 'admin' },
      schema: { tags, summary: 'Change how long samples are kept.', body: Settings, response: { 204: Done } },
    },
    async (request, reply) => {
      await retention.keep(principalOf(request).org, request.body);
      await retention.apply();
      return reply.code(204).send(null);
    },
  );
}
