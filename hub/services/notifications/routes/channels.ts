import type { ChannelDefinition } from '#sdk';
import { Type, type Static } from 'typebox';
import { principalOf, type ServiceApp } from '../../../http.ts';
import type { Channels } from '../channels.ts';
import type { Kinds } from '../kinds.ts';
import type { Trial } from '../trial.ts';
import { ById, ChannelBody, ChannelChange, ChannelReply, KindReply, listOf, paging, Sentence } from './schemas.ts';

const ROOT = '/api/v1/notifications';
const tags = ['notifications'];
const Paging = Type.Object(paging, { additionalProperties: false });

/** What the routes of channels stand on. */
export interface ChannelRoutesGiven {
  channels: Channels;
  kinds: Kinds;
  trial: Trial;
}

type Field = Static<typeof KindReply>['settings']['properties'][string];

/** A channel's schema as a form reads it: plain JSON, secrets marked. */
function kindOf({ name, summary, spacingSeconds, destination, secrets, config }: ChannelDefinition) {
  const plain = JSON.parse(JSON.stringify(config)) as { properties: Record<string, Field> };
  const fields = Object.entries(plain.properties).map(([key, { secret: _secret, ...field }]): [string, Field] => [
    key,
    // A choice between words has no type of its own in its schema.
    { ...field, type: field.type ?? 'string', ...(secrets.includes(key) ? { secret: true } : {}) },
  ]);
  const required = fields.filter(([, field]) => field.default === undefined).map(([key]) => key);
  const settings = { type: 'object' as const, required, properties: Object.fromEntries(fields) };
  return { name, summary, spacingSeconds: spacingSeconds ?? 0, destination: [...destination], settings };
}

function readRoutes(app: ServiceApp, { channels, kinds }: ChannelRoutesGiven): void {
  app.get(
    `${ROOT}/channel-kinds`,
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'The kinds of channels, with what each wants to know.',
        querystring: Paging,
        response: { 200: listOf(KindReply) },
      },
    },
    async ({ query: { limit, offset } }) => {
      const all = (await kinds.all()).map(kindOf);
      return { items: all.slice(offset, offset + limit), total: all.length, limit, offset };
    },
  );
  app.get(
    `${ROOT}/channels`,
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Your organisation’s channels. Their settings are for administrators alone.',
        querystring: Paging,
        response: { 200: listOf(ChannelReply) },
      },
    },
    (request) => channels.list(principalOf(request), request.query),
  );
  app.get(
    `${ROOT}/channels/:id`,
    {
      config: { role: 'viewer' },
      schema: { tags, summary: 'One channel.', params: ById, response: { 200: ChannelReply } },
    },
    (request) => channels.get(principalOf(request), request.params.id),
  );
}

/** Channels: what there is, make, change, remove, try. */
export function channelRoutes(app: ServiceApp, given: ChannelRoutesGiven): void {
  const { channels, trial } = given;
  const config = { role: 'admin' } as const;
  readRoutes(app, given);
  app.post(
    `${ROOT}/channels`,
    { config, schema: { tags, summary: 'Make a channel.', body: ChannelBody, response: { 201: ChannelReply } } },
    async (request, reply) => reply.code(201).send(await channels.add(principalOf(request), request.body)),
  );
  app.put(
    `${ROOT}/channels/:id`,
    {
      config,
      schema: {
        tags,
        summary: 'Change a channel. Secrets that are left out stay; what waits for it is tried at once.',
        params: ById,
        body: ChannelChange,
        response: { 200: ChannelReply },
      },
    },
    (request) => channels.change(principalOf(request), request.params.id, request.body),
  );
  app.delete(
    `${ROOT}/channels/:id`,
    {
      config,
      schema: {
        tags,
        summary: 'Remove a channel. What waits for it is not sent.',
        params: ById,
        response: { 204: Type.Null({ description: 'Done.' }) },
      },
    },
    async (request, reply) => {
      await channels.remove(principalOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
  app.post(
    `${ROOT}/channels/:id/test`,
    {
      config,
      schema: {
        tags,
        summary: 'Send a test through a channel, now, and say what happened.',
        params: ById,
        response: { 200: Sentence },
      },
    },
    async (request) => {
      const { org, name } = principalOf(request);
      return { detail: await trial.trial(org, request.params.id, name) };
    },
  );
}
