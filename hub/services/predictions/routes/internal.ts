import { Lane } from '#proto/agent/v1/index.ts';
import { Type } from 'typebox';
import type { ServiceApp } from '../../../http.ts';
import type { Detections } from '../detection.ts';
import { ALIASES } from '../tables.ts';
import type { Watermarks } from '../watermarks.ts';

/** What these routes stand on. */
export interface InternalRoutesGiven {
  detections: Detections;
  watermarks: Watermarks;
}

const Id = Type.String({ format: 'uuid' });
const Agent = { org: Id, agent: Id };
const Model = Type.Object({
  version: Type.String({ maxLength: 128 }),
  alias: Type.String({ maxLength: 64 }),
  inUse: Type.Boolean(),
  problem: Type.String({ maxLength: 2000 }),
});
const Answer = Type.Object({
  detection: Type.Union([
    Type.Object({
      revision: Type.Integer(),
      document: Type.String(),
      models: Type.Array(
        Type.Object({
          alias: Type.Enum([...ALIASES]),
          version: Type.String(),
          digest: Type.String(),
          document: Type.String(),
        }),
      ),
    }),
    Type.Null(),
  ]),
});

/** What the processes that agents are connected to ask. */
export function internalRoutes(app: ServiceApp, { detections, watermarks }: InternalRoutesGiven): void {
  const config = { role: 'service' } as const;
  app.post(
    '/internal/predictions/reports',
    {
      config,
      schema: {
        body: Type.Object({
          ...Agent,
          revision: Type.Integer({ minimum: 0 }),
          models: Type.Array(Model, { maxItems: 4 }),
        }),
        response: { 200: Answer },
      },
    },
    async ({ body: { org, agent, revision, models } }) => ({
      detection: await detections.reported({ org, agent }, { revision, models }),
    }),
  );
  app.post(
    '/internal/predictions/due',
    {
      config,
      schema: {
        body: Type.Object({ agents: Type.Array(Id, { maxItems: 10_000 }) }),
        response: { 200: Type.Object({ items: Type.Array(Type.Object(Agent)) }) },
      },
    },
    async ({ body: { agents } }) => ({ items: await detections.due(agents) }),
  );
  app.get(
    '/internal/predictions/detection',
    { config, schema: { querystring: Type.Object(Agent), response: { 200: Answer } } },
    async ({ query }) => ({ detection: await detections.of(query) }),
  );
  app.get(
    '/internal/predictions/acknowledged',
    {
      config,
      schema: {
        querystring: Type.Object({ ...Agent, epoch: Type.String({ pattern: '^\\d{1,20}$' }) }),
        response: { 200: Type.Object({ live: Type.String(), backfill: Type.String() }) },
      },
    },
    ({ query: { agent, epoch } }) => {
      const of = (lane: Lane): string => String(watermarks.of({ agent, epoch: BigInt(epoch), lane }));
      return { live: of(Lane.LIVE), backfill: of(Lane.BACKFILL) };
    },
  );
}
