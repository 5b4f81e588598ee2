import { metricInfo } from '#proto/metrics.ts';
import type { Clock } from '#sdk';
import { Type } from 'typebox';
import { principalOf, type ServiceApp } from '../../../http.ts';
import type { SeriesStore } from '../../../ports/series.ts';
import { problems } from '../errors.ts';
import type { MonitoringStore } from '../store.ts';
import { readRange } from '../../../time-range.ts';

const Points = Type.Array(Type.Number());
const MetricsReply = Type.Object({
  from: Type.Integer(),
  to: Type.Integer(),
  step: Type.Integer({ description: 'Milliseconds.' }),
  series: Type.Array(
    Type.Object({
      name: Type.String(),
      unit: Type.String({ description: 'UCUM; a counter’s rate is in this unit a second.' }),
      kind: Type.Enum(['gauge', 'counter']),
      attributes: Type.Record(Type.String(), Type.String()),
      times: Type.Array(
        Type.Integer({ description: 'Start of each step, milliseconds. Steps without a sample are absent.' }),
      ),
      avg: Points,
      min: Points,
      max: Points,
      last: Points,
    }),
  ),
});
const ListOfNames = Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { minItems: 1, maxItems: 50 });
const Query = Type.Object(
  {
    name: Type.Union([ListOfNames, Type.String({ minLength: 1, maxLength: 2000 })], {
      description: 'Names, repeated or with commas between.',
    }),
    from: Type.Optional(
      Type.String({ maxLength: 40, description: 'now, -2h, milliseconds or ISO 8601; -15m when absent.' }),
    ),
    to: Type.Optional(Type.String({ maxLength: 40 })),
    step: Type.Optional(
      Type.String({
        maxLength: 20,
        description: '10s, 1m, 1h, at least 1 s; chosen for at most 600 points when absent.',
      }),
    ),
    by: Type.Optional(
      Type.Union([Type.Array(Type.String({ maxLength: 100 }), { maxItems: 5 }), Type.String({ maxLength: 300 })], {
        description: 'Attributes that split the answer.',
      }),
    ),
    merge: Type.Optional(
      Type.Enum(['sum', 'avg', 'max'], {
        description:
          'How series that are not split become one: their sum, mean or greatest; what suits the metric when absent.',
      }),
    ),
    'attr.KEY': Type.Optional(
      Type.String({
        maxLength: 1024,
        description:
          'Only series whose attribute KEY has this value; KEY stands for its name, as in attr.cpu.mode=user. An empty value picks series without the attribute.',
      }),
    ),
  },
  { additionalProperties: false, patternProperties: { '^attr\\.[^]{1,100}$': Type.String({ maxLength: 1024 }) } },
);

/** What the routes of samples stand on. */
export interface MetricRoutesGiven {
  store: MonitoringStore;
  series: SeriesStore;
  clock: Clock;
}

const listed = (value: string | readonly string[] | undefined): string[] =>
  (typeof value === 'string' ? [value] : [...(value ?? [])])
    .flatMap((part) => part.split(','))
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** `attr.KEY=VALUE` of a query. */
function attributeFilters(query: Readonly<Record<string, unknown>>): Record<string, string> {
  const filters: Record<string, string> = {};
  for (const [key, value] of Object.entries(query)) {
    if (key.startsWith('attr.') && typeof value === 'string') filters[key.slice(5)] = value;
  }
  return filters;
}

/** Samples over time. */
export function metricRoutes(app: ServiceApp, { store, series, clock }: MetricRoutesGiven): void {
  app.get(
    '/api/v1/monitoring/metrics/:id',
    {
      config: { role: 'viewer' },
      schema: {
        tags: ['metrics'],
        summary:
          'Samples of one resource in steps. Counters come as rates per second. attr.KEY=VALUE picks series, by=KEY splits them.',
        params: Type.Object({ id: Type.String({ format: 'uuid' }) }),
        querystring: Query,
        response: { 200: MetricsReply },
      },
    },
    async (request) => {
      const { org } = principalOf(request);
      const { id } = request.params;
      const { name, by, merge } = request.query;
      const range = readRange(request.query, clock.now());
      if ((await store.get(org, id)) === undefined) throw problems.notFound();
      const where = attributeFilters(request.query as Record<string, unknown>);
      const found = await series.query(org, {
        resource: id,
        names: listed(name),
        ...range,
        where,
        by: listed(by),
        merge,
      });
      return {
        from: range.from,
        to: range.to,
        step: range.step,
        series: found.map((one) => ({
          ...one,
          attributes: { ...one.attributes },
          unit: metricInfo(one.name)?.unit ?? '',
        })),
      };
    },
  );
}
