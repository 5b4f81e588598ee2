import { Readable } from 'node:stream';
import { Type } from 'typebox';
import type { ServiceApp } from '../../../http.ts';
import type { SeriesStore } from '../../../ports/series.ts';
import { readMatrix } from '../matrix.ts';
import { problems } from '../errors.ts';

/** Numbers of one answer: 16 MB. */
const MOST_NUMBERS = 4_194_304;

const Id = Type.String({ format: 'uuid' });
const Attributes = Type.Record(Type.String({ maxLength: 1024 }), Type.String({ maxLength: 1024 }));
const Column = Type.Object({ name: Type.String({ maxLength: 1024 }), attributes: Attributes });

/** What sister services ask. */
export function internalRoutes(app: ServiceApp, { series }: { series: SeriesStore }): void {
  const config = { role: 'service' } as const;
  app.get(
    '/internal/monitoring/acknowledged',
    {
      config,
      schema: {
        querystring: Type.Object({ org: Id, agent: Id, epoch: Type.String({ pattern: '^\\d{1,20}$' }) }),
        response: { 200: Type.Object({ live: Type.String(), backfill: Type.String() }) },
      },
    },
    async ({ query: { org, agent, epoch } }) => {
      const { live: newest, backfill } = await series.acknowledged(org, agent, BigInt(epoch));
      return { live: String(newest), backfill: String(backfill) };
    },
  );
  app.get(
    '/internal/monitoring/series',
    {
      config,
      schema: {
        querystring: Type.Object({ org: Id, resource: Id }),
        response: {
          200: Type.Object({
            items: Type.Array(
              Type.Object({
                name: Type.String(),
                kind: Type.Enum(['gauge', 'counter']),
                attributes: Type.Record(Type.String(), Type.String()),
                lastMs: Type.Number(),
              }),
            ),
          }),
        },
      },
    },
    async ({ query: { org, resource } }) => ({
      items: (await series.list(org, resource)).map((one) => ({ ...one, attributes: { ...one.attributes } })),
    }),
  );
  app.post(
    '/internal/monitoring/matrix',
    {
      config,
      bodyLimit: 8_000_000,
      schema: {
        body: Type.Object({
          org: Id,
          resource: Id,
          from: Type.Integer({ minimum: 0 }),
          to: Type.Integer({ minimum: 0 }),
          step: Type.Integer({ minimum: 1000, multipleOf: 1000 }),
          columns: Type.Array(Column, { minItems: 1, maxItems: 20_000 }),
        }),
      },
    },
    async ({ body: { org, ...query } }, reply) => {
      const { from, to, step, columns } = query;
      const numbers = (columns.length * (to - from)) / step;
      if (!(to > from) || from % step !== 0 || numbers > MOST_NUMBERS)
        throw problems.badMatrix(
          `${columns.length} columns from ${from} to ${to} by ${step} cannot be answered at once.`,
        );
      const matrix = await readMatrix(series, org, query);
      return reply
        .type('application/octet-stream')
        .send(Readable.from([Buffer.from(matrix.buffer, 0, matrix.byteLength)]));
    },
  );
}
