import { EnrolReply, EnrolRequest } from '#proto/enrolment.ts';
import { Type } from 'typebox';
import { principalOf, type ServiceApp } from '../../../http.ts';
import type { Agents } from '../agents.ts';
import type { Clocks } from '../clocks.ts';
import type { Enrolment } from '../enrolment.ts';
import { problems } from '../errors.ts';
import { ById, Done, Labels, listOf, Paging } from './schemas.ts';

const AgentRow = Type.Object({
  id: Type.String({ description: 'Its resource has the same id.' }),
  hostname: Type.String(),
  labels: Labels,
  ephemeral: Type.Boolean(),
  connected: Type.Boolean(),
  version: Type.String(),
  enrolledMs: Type.Integer(),
  lastSeenMs: Type.Union([Type.Integer(), Type.Null()], {
    description: 'When it last opened its stream, or ended it.',
  }),
  certificateEndsMs: Type.Integer(),
  skewMs: Type.Number({ description: 'Its clock minus the hub’s when it last opened its stream.' }),
  revoked: Type.Boolean(),
});

/** What the routes of agents stand on. */
export interface AgentRoutesGiven {
  agents: Agents;
  clocks: Clocks;
  enrolment: Enrolment;
  /** Reads the revoked agents anew and cuts them off. */
  cutOff(): Promise<void>;
}

const ROOT = '/api/v1/agents';
const tags = ['agents'];

/** Agents: let in, list, cut off. */
export function agentRoutes(app: ServiceApp, { agents, clocks, enrolment, cutOff }: AgentRoutesGiven): void {
  app.post(
    `${ROOT}/enroll`,
    {
      config: { role: 'public' },
      schema: {
        tags,
        summary: 'Trade a join token and a public key for a client certificate.',
        body: EnrolRequest,
        response: { 201: EnrolReply },
      },
    },
    async (request, reply) => reply.code(201).send(await enrolment.enrol(request.body)),
  );
  app.get(
    ROOT,
    {
      config: { role: 'viewer' },
      schema: { tags, summary: 'Agents, newest first.', querystring: Paging, response: { 200: listOf(AgentRow) } },
    },
    (request) => agents.list(principalOf(request).org, request.query),
  );
  app.get(
    `${ROOT}/:id/clock`,
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary:
          'By how much an agent’s times were put right, newest change first: time stored + shift = time on the agent.',
        params: ById,
        response: {
          200: Type.Object({ items: Type.Array(Type.Object({ sinceMs: Type.Integer(), shiftMs: Type.Integer() })) }),
        },
      },
    },
    async (request) => ({ items: await clocks.list(principalOf(request).org, request.params.id) }),
  );
  app.post(
    `${ROOT}/:id/revoke`,
    {
      config: { role: 'admin' },
      schema: { tags, summary: 'Cut an agent off for good. Its data stay.', params: ById, response: { 204: Done } },
    },
    async (request, reply) => {
      if (!(await agents.revoke(principalOf(request).org, request.params.id))) throw problems.notFound();
      await cutOff();
      return reply.code(204).send(null);
    },
  );
}
