import { SEVERITIES } from '#sdk';
import { Type } from 'typebox';
import { principalOf, type ServiceApp } from '../../../http.ts';
import { problems } from './errors.ts';
import type { AlertRoutesGiven } from './rule-routes.ts';
import { ById, Done, listOf, paging } from './views.ts';

const ROOT = '/api/v1/monitoring/alerts/silences';
const LONGEST_MS = 366 * 86_400_000;
const tags = ['alerts'];

const Matchers = {
  rule: Type.Union([Type.String({ format: 'uuid' }), Type.Null()], {
    default: null,
    description: 'Only this rule; null for all.',
  }),
  resource: Type.Union([Type.String({ format: 'uuid' }), Type.Null()], {
    default: null,
    description: 'Only this host; null for all.',
  }),
  severity: Type.Union([Type.Enum([...SEVERITIES]), Type.Null()], {
    default: null,
    description: 'Only this severity; null for all.',
  }),
};
const SilenceBody = Type.Object(
  {
    ...Matchers,
    fromMs: Type.Optional(Type.Integer({ description: 'When it begins, milliseconds since 1970; now when absent.' })),
    toMs: Type.Integer({ description: 'When it ends, milliseconds since 1970.' }),
    reason: Type.String({ minLength: 1, maxLength: 500, description: 'Why, for those who come later.' }),
  },
  { additionalProperties: false },
);
const SilenceView = Type.Object({
  id: Type.String(),
  ...Matchers,
  fromMs: Type.Integer(),
  toMs: Type.Integer(),
  author: Type.String(),
  reason: Type.String(),
  createdMs: Type.Integer(),
});

/** Times in which nobody is told. */
export function silenceRoutes(app: ServiceApp, { store, clock, resources }: AlertRoutesGiven): void {
  app.get(
    ROOT,
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Silences that have not ended.',
        querystring: Type.Object(paging, { additionalProperties: false }),
        response: { 200: listOf(SilenceView) },
      },
    },
    async (request) => {
      const { limit, offset } = request.query;
      const all = await store.silences(principalOf(request).org, clock.now());
      return { items: all.slice(offset, offset + limit), total: all.length, limit, offset };
    },
  );
  app.post(
    ROOT,
    {
      config: { role: 'editor' },
      schema: { tags, summary: 'Silence alerts for a time.', body: SilenceBody, response: { 201: SilenceView } },
    },
    async (request, reply) => {
      const { org, name } = principalOf(request);
      const { fromMs = clock.now(), ...body } = request.body;
      if (body.toMs <= fromMs) throw problems.invalidSilence('It must end after it begins.');
      if (body.toMs <= clock.now()) throw problems.invalidSilence('It would have ended already.');
      if (body.toMs - fromMs > LONGEST_MS) throw problems.invalidSilence('It may last a year at most.');
      if (body.resource !== null && (await resources.find(org, body.resource)) === undefined)
        throw problems.unknownResource();
      return reply.code(201).send(await store.addSilence(org, { ...body, fromMs, author: name }));
    },
  );
  app.delete(
    `${ROOT}/:id`,
    {
      config: { role: 'editor' },
      schema: { tags, summary: 'End a silence.', params: ById, response: { 204: Done } },
    },
    async (request, reply) => {
      if (!(await store.removeSilence(principalOf(request).org, request.params.id)))
        throw problems.notFound('There is no such silence.');
      return reply.code(204).send(null);
    },
  );
}
