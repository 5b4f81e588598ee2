import { randomUUID } from 'node:crypto';
import { metricInfo } from '#proto/metrics.ts';
import { Type } from 'typebox';
import { principalOf, type ServiceApp } from '../../../http.ts';
import type { SeriesStore } from '../../../ports/series.ts';
import { problems } from '../errors.ts';
import type { Live } from '../live.ts';
import type { Removal } from '../removal.ts';
import type { MonitoringStore, Resource } from '../store.ts';
import { headlineOf } from '../verdict.ts';
import { ById, Done, Labels, listOf, Paging, ResourceReply } from './schemas.ts';

/** What the routes of resources stand on. */
export interface ResourceRoutesGiven {
  store: MonitoringStore;
  series: SeriesStore;
  live: Live;
  removal: Removal;
}

const Wish = Type.Object(
  {
    type: Type.String({ minLength: 1, maxLength: 64, description: 'host, endpoint, …' }),
    name: Type.String({ minLength: 1, maxLength: 253 }),
    endpoint: Type.Optional(Type.Union([Type.String({ maxLength: 2048 }), Type.Null()])),
    labels: Type.Optional(Labels),
    config: Type.Optional(Type.Record(Type.String({ maxLength: 64 }), Type.Unknown())),
  },
  { additionalProperties: false },
);
const Change = Type.Object(
  {
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 253 })),
    endpoint: Type.Optional(Type.Union([Type.String({ maxLength: 2048 }), Type.Null()])),
    labels: Type.Optional(Labels),
    config: Type.Optional(Type.Record(Type.String({ maxLength: 64 }), Type.Unknown())),
  },
  { additionalProperties: false, minProperties: 1 },
);
const SeriesRow = Type.Object({
  name: Type.String(),
  kind: Type.Enum(['gauge', 'counter']),
  unit: Type.String(),
  help: Type.String(),
  attributes: Type.Record(Type.String(), Type.String()),
  lastMs: Type.Number(),
});
const tags = ['resources'];

function readRoutes(app: ServiceApp, { store, series, live }: ResourceRoutesGiven): void {
  const shown = ({ org, ...resource }: Resource) => ({ ...resource, headline: headlineOf(live.get(org, resource.id)) });
  app.get(
    '/api/v1/monitoring/resources',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'What is watched, by name.',
        querystring: Type.Object(
          { ...Paging, q: Type.Optional(Type.String({ maxLength: 253, description: 'Part of the name.' })) },
          { additionalProperties: false },
        ),
        response: { 200: listOf(ResourceReply) },
      },
    },
    async (request) => {
      const { limit, offset, q } = request.query;
      const { items, total } = await store.list(principalOf(request).org, { limit, offset, text: q });
      return { items: items.map(shown), total, limit, offset };
    },
  );
  app.get(
    '/api/v1/monitoring/resources/:id',
    {
      config: { role: 'viewer' },
      schema: { tags, summary: 'One resource.', params: ById, response: { 200: ResourceReply } },
    },
    async (request) => {
      const resource = await store.get(principalOf(request).org, request.params.id);
      if (resource === undefined) throw problems.notFound();
      return shown(resource);
    },
  );
  app.get(
    '/api/v1/monitoring/resources/:id/series',
    {
      config: { role: 'viewer' },
      schema: { tags, summary: 'Which series it has.', params: ById, response: { 200: listOf(SeriesRow) } },
    },
    async (request) => {
      const { org } = principalOf(request);
      if ((await store.get(org, request.params.id)) === undefined) throw problems.notFound();
      const rows = await series.list(org, request.params.id);
      const items = rows
        .map((row) => ({
          ...row,
          unit: metricInfo(row.name)?.unit ?? '',
          help: metricInfo(row.name)?.help ?? '',
          attributes: { ...row.attributes },
        }))
        .sort((a, b) => a.name.localeCompare(b.name));
      return { items, total: items.length, limit: items.length, offset: 0 };
    },
  );
}

function writeRoutes(app: ServiceApp, { store, removal }: ResourceRoutesGiven): void {
  app.post(
    '/api/v1/monitoring/resources',
    {
      config: { role: 'editor' },
      schema: {
        tags,
        summary: 'Add a resource that no agent brings.',
        body: Wish,
        response: { 201: Type.Object({ id: Type.String() }) },
      },
    },
    async (request, reply) => {
      const { type, name, endpoint = null, labels = {}, config = {} } = request.body;
      const id = randomUUID();
      await store.add(principalOf(request).org, { id, type, name, endpoint, labels, config, ephemeral: false });
      void reply.code(201);
      return { id };
    },
  );
  app.put(
    '/api/v1/monitoring/resources/:id',
    {
      config: { role: 'editor' },
      schema: {
        tags,
        summary: 'Rename or label a resource.',
        params: ById,
        body: Change,
        response: { 204: Done },
      },
    },
    async (request, reply) => {
      if (!(await store.change(principalOf(request).org, request.params.id, request.body))) throw problems.notFound();
      return reply.code(204).send(null);
    },
  );
  app.delete(
    '/api/v1/monitoring/resources/:id',
    {
      config: { role: 'admin' },
      schema: {
        tags,
        summary: 'Delete a resource with all its data, and revoke its agent.',
        params: ById,
        response: { 204: Done },
      },
    },
    async (request, reply) => {
      const { org } = principalOf(request);
      const { id } = request.params;
      if ((await store.get(org, id)) === undefined) throw problems.notFound();
      await removal.remove(org, id);
      return reply.code(204).send(null);
    },
  );
}

/** What is watched. */
export function resourceRoutes(app: ServiceApp, given: ResourceRoutesGiven): void {
  readRoutes(app, given);
  writeRoutes(app, given);
}
