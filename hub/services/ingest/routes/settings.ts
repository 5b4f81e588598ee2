import { PushedDocument } from '#proto/agent/v1/pushed.ts';
import { Type } from 'typebox';
import { principalOf, type ServiceApp } from '../../../http.ts';
import type { Pushing } from '../settings/pushing.ts';
import type { GroupReading } from '../settings/reading.ts';
import { STAGES } from '../settings/rollout.ts';
import { OWN_STANDINGS, STANDINGS } from '../settings/standing.ts';
import { ById, Done, Labels, listOf, Paging } from './schemas.ts';

const Revision = Type.Object({
  revision: Type.Integer(),
  settings: PushedDocument,
  restores: Type.Union([Type.Integer(), Type.Null()], {
    description: 'The revision that it brought back, 0 for none; null for one of its own.',
  }),
  canaries: Type.Integer({ description: 'How many agents try it before the others get it.' }),
  stage: Type.Enum([...STAGES], {
    description: 'first: a few agents try it. all: everyone gets it. halted: nobody gets it any more.',
  }),
  haltedBecause: Type.String(),
  by: Type.String({ description: 'Who pushed it.' }),
  atMs: Type.Integer(),
});

const AgentState = Type.Enum([...STANDINGS], {
  description:
    'pending: it is sent as soon as the agent is there. trying: in force, and the agent looks whether it is well. refused: never in force. rolled-back: in force until the agent was not well. waiting: its turn has not come. kept: it keeps what it had, because the newest revision was halted. elsewhere: it has what was pushed to another group that fits it.',
});
const GroupName = Type.Object({ id: Type.String(), name: Type.String() });
const NoGroup = (description: string) => Type.Union([GroupName, Type.Null()], { description });

const GroupRow = Type.Object({
  id: Type.String(),
  name: Type.String(),
  labels: Labels,
  by: Type.String({ description: 'Who made it.' }),
  createdMs: Type.Integer(),
  newest: Type.Union([Revision, Type.Null()]),
  agents: Type.Integer({ description: 'Agents that a push to it reaches.' }),
  states: Type.Object(Object.fromEntries(OWN_STANDINGS.map((state) => [state, Type.Integer()])), {
    description: 'How many of them are how far with the newest revision.',
  }),
});

const GroupAgent = Type.Object({
  id: Type.String(),
  hostname: Type.String(),
  labels: Labels,
  connected: Type.Boolean({ description: 'To any process; one that was killed is believed for a minute.' }),
  lastSeenMs: Type.Union([Type.Integer(), Type.Null()], {
    description: 'When it last came or went; null: it never came.',
  }),
  group: NoGroup('The group that it is in: of those that fit it and that something was pushed to, the narrowest.'),
  revision: Type.Union([Type.Integer(), Type.Null()], { description: 'What it is to have; null: nothing.' }),
  inForce: Type.Union(
    [
      Type.Object({
        revision: Type.Integer(),
        group: NoGroup('Whom it was pushed to; null: a group that was removed.'),
      }),
      Type.Null(),
    ],
    {
      description: 'What is in force on it, as far as it has said; null: nothing that was pushed.',
    },
  ),
  state: AgentState,
  code: Type.String(),
  problem: Type.String({ description: 'What the agent says is wrong with the newest revision.' }),
  changedMs: Type.Union([Type.Integer(), Type.Null()]),
});

const Reach = Type.Object({
  items: Type.Array(
    Type.Object({
      revision: Type.Union([Type.Integer(), Type.Null()], { description: 'null: nothing that was pushed.' }),
      group: NoGroup('Whom it was pushed to; null: nobody, or a group that was removed.'),
      settings: PushedDocument,
      agents: Type.Integer(),
      hosts: Type.Array(Type.String(), { description: 'The first of them.' }),
    }),
    { description: 'Agents that a push reaches, by what they have now: most agents first, 50 kinds at most.' },
  ),
  elsewhere: Type.Array(Type.Object({ group: GroupName, agents: Type.Integer() }), {
    description: 'Agents that have the labels too, and keep what was pushed to a narrower group.',
  }),
});

const NewGroup = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100 }),
    labels: Type.Unsafe<Record<string, string>>({
      ...Labels,
      maxProperties: 20,
      description:
        'Labels that its agents have, `hostname` among them; none: all agents. Labels count that an agent joined with, not those set on its host. An agent that fits several groups has what was pushed to the one with the most labels, of those the first by name.',
    }),
  },
  { additionalProperties: false },
);

const NewRevision = Type.Object(
  {
    settings: PushedDocument,
    canaries: Type.Integer({
      default: 1,
      minimum: 0,
      maximum: 1000,
      description:
        'How many agents try it first. The others get it when all of those are well with it; one that is not halts it. 0: all get it at once.',
    }),
  },
  { additionalProperties: false },
);

const ROOT = '/api/v1/agents/settings/groups';
const tags = ['agents'];

function groupRoutes(app: ServiceApp, { pushing, reading }: SettingsRoutesGiven): void {
  app.get(
    ROOT,
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Groups of agents that settings are pushed to, and how far their agents are.',
        response: { 200: Type.Object({ items: Type.Array(GroupRow) }) },
      },
    },
    async (request) => ({ items: await reading.list(principalOf(request).org) }),
  );
  app.post(
    ROOT,
    {
      config: { role: 'admin' },
      schema: {
        tags,
        summary: 'Make a group of agents.',
        body: NewGroup,
        response: { 201: Type.Object({ id: Type.String() }) },
      },
    },
    async (request, reply) => reply.code(201).send(await pushing.create(principalOf(request), request.body)),
  );
  app.delete(
    `${ROOT}/:id`,
    {
      config: { role: 'admin' },
      schema: {
        tags,
        summary: 'Remove a group of agents. What was pushed to it is taken back.',
        params: ById,
        response: { 204: Done },
      },
    },
    async (request, reply) => {
      await pushing.remove(principalOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
  app.get(
    `${ROOT}/:id/agents`,
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Agents with the labels of a group, and how far each is with its newest revision.',
        params: ById,
        querystring: Paging,
        response: { 200: listOf(GroupAgent) },
      },
    },
    (request) => reading.agents(principalOf(request).org, request.params.id, request.query),
  );
  app.get(
    `${ROOT}/:id/reach`,
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'What the agents have now that a push to a group reaches: what it would take the place of.',
        params: ById,
        response: { 200: Reach },
      },
    },
    (request) => reading.reach(principalOf(request).org, request.params.id),
  );
}

/** What the routes of pushed settings stand on. */
export interface SettingsRoutesGiven {
  pushing: Pushing;
  reading: GroupReading;
}

/** Settings that are pushed to groups of agents: see, push, undo. */
export function settingsRoutes(app: ServiceApp, given: SettingsRoutesGiven): void {
  const { pushing, reading } = given;
  groupRoutes(app, given);
  app.get(
    `${ROOT}/:id/revisions`,
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'What was pushed to a group, by whom and when, newest first.',
        params: ById,
        querystring: Paging,
        response: { 200: listOf(Revision) },
      },
    },
    (request) => reading.revisions(principalOf(request).org, request.params.id, request.query),
  );
  app.post(
    `${ROOT}/:id/revisions`,
    {
      config: { role: 'admin' },
      schema: {
        tags,
        summary: 'Push settings to a group, in the place of all that was pushed to it before.',
        params: ById,
        body: NewRevision,
        response: { 201: Revision },
      },
    },
    async (request, reply) =>
      reply.code(201).send(await pushing.push(principalOf(request), request.params.id, request.body)),
  );
  app.post(
    `${ROOT}/:id/undo`,
    {
      config: { role: 'admin' },
      schema: {
        tags,
        summary: 'Push what held before the newest revision, to all of its agents at once.',
        params: ById,
        body: Type.Object(
          { revision: Type.Integer({ description: 'The newest one, which is undone.' }) },
          { additionalProperties: false },
        ),
        response: { 201: Revision },
      },
    },
    async (request, reply) =>
      reply.code(201).send(await pushing.undo(principalOf(request), request.params.id, request.body.revision)),
  );
}
