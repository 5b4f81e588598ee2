import { SEVERITIES } from '#sdk';
import { Type } from 'typebox';
import { principalOf, type ServiceApp } from '../../../http.ts';
import { problems } from './errors.ts';
import type { AlertRoutesGiven } from './rule-routes.ts';
import { keyOfFiring } from './slots.ts';
import { ById, FiringView, listOf, paging, viewFiring } from './views.ts';

const ROOT = '/api/v1/monitoring/alerts';
const tags = ['alerts'];

const Narrowed = {
  ...paging,
  rule: Type.Optional(Type.String({ format: 'uuid' })),
  resource: Type.Optional(Type.String({ format: 'uuid' })),
  severity: Type.Optional(Type.Enum([...SEVERITIES])),
};
const Active = Type.Object(Narrowed, { additionalProperties: false });
const History = Type.Object(
  {
    ...Narrowed,
    state: Type.Optional(Type.Enum(['firing', 'resolved'])),
    from: Type.Optional(Type.Integer({ description: 'Fired at or after, milliseconds since 1970.' })),
    to: Type.Optional(Type.Integer({ description: 'Fired before, milliseconds since 1970.' })),
  },
  { additionalProperties: false },
);

/** What fires, what fired, and who has seen it. */
export function firingRoutes(app: ServiceApp, { store, engine, clock, changed }: AlertRoutesGiven): void {
  app.get(
    `${ROOT}/active`,
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'What fires now, newest first.',
        querystring: Active,
        response: { 200: listOf(FiringView) },
      },
    },
    async (request) => {
      const { org } = principalOf(request);
      const { limit, offset, ...filter } = request.query;
      const { items, total } = await store.firings(org, { ...filter, state: 'firing' }, { limit, offset });
      const current = engine.current(org);
      return { ...{ total, limit, offset }, items: items.map((one) => viewFiring(one, current.get(keyOfFiring(one)))) };
    },
  );
  app.get(
    `${ROOT}/history`,
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'What fired, newest first.',
        querystring: History,
        response: { 200: listOf(FiringView) },
      },
    },
    async (request) => {
      const { org } = principalOf(request);
      const { limit, offset, ...filter } = request.query;
      const { items, total } = await store.firings(org, filter, { limit, offset });
      return { items: items.map((firing) => viewFiring(firing)), total, limit, offset };
    },
  );
  const acknowledge = async (
    org: string,
    id: string,
    by: { name: string; note: string } | undefined,
  ): Promise<ReturnType<typeof viewFiring>> => {
    const mark = by === undefined ? undefined : { atMs: clock.now(), by: by.name, note: by.note };
    const firing = await store.acknowledge(org, id, mark);
    if (firing === undefined) throw problems.notFound('Nothing of this id fires now.');
    const view = viewFiring(firing, engine.current(org).get(keyOfFiring(firing)));
    const { severity, resource, title } = view;
    changed({ org, firing: id, state: 'acknowledged', severity, resource, title, atMs: clock.now() });
    return view;
  };
  app.post(
    `${ROOT}/active/:id/acknowledge`,
    {
      config: { role: 'editor' },
      schema: {
        tags,
        summary: 'Say that somebody looks after it.',
        params: ById,
        body: Type.Object(
          { note: Type.String({ default: '', maxLength: 1000 }) },
          { additionalProperties: false, default: {} },
        ),
        response: { 200: FiringView },
      },
    },
    async (request) => {
      const { org, name } = principalOf(request);
      return acknowledge(org, request.params.id, { name, note: request.body.note });
    },
  );
  app.delete(
    `${ROOT}/active/:id/acknowledge`,
    {
      config: { role: 'editor' },
      schema: { tags, summary: 'Take the acknowledgement back.', params: ById, response: { 200: FiringView } },
    },
    (request) => acknowledge(principalOf(request).org, request.params.id, undefined),
  );
}
