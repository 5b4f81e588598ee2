import { Type } from 'typebox';
import { principalOf, type ServiceApp } from '../../../http.ts';
import type { Peers } from '../../../ports/peers.ts';
import { problems } from '../errors.ts';
import type { Jobs } from '../models/jobs.ts';
import { JOB_STATES } from '../tables.ts';

/** What these routes stand on. */
export interface JobRoutesGiven {
  jobs: Jobs;
  peers: Peers;
  /** Says that there is work. */
  kick(): void;
  /** Days to learn from when nobody says how many. */
  days: number;
  /** False: this hub has no program that trains. */
  canTrain: boolean;
}

const Maybe = Type.Union([Type.Integer(), Type.Null()]);
const Job = Type.Object({
  id: Type.String(),
  kind: Type.Enum(['train-model']),
  resource: Type.String(),
  state: Type.Enum([...JOB_STATES]),
  days: Type.Number({ description: 'Days to learn from.' }),
  progress: Type.Number({ description: '0 to 1.' }),
  step: Type.String({ description: 'What it does now, in words.' }),
  createdMs: Type.Integer(),
  startedMs: Maybe,
  endedMs: Maybe,
  by: Type.String(),
  version: Type.Union([Type.String(), Type.Null()], { description: 'The model that it made.' }),
  problem: Type.Union([Type.Object({ code: Type.String(), detail: Type.String() }), Type.Null()]),
});
const ById = Type.Object({ id: Type.String({ format: 'uuid' }) });
const ROOT = '/api/v1/predictions';
const tags = ['predictions'];

function readRoutes(app: ServiceApp, jobs: Jobs): void {
  app.get(
    `${ROOT}/jobs`,
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Work that was asked for, newest first.',
        querystring: Type.Object(
          {
            resource: Type.Optional(Type.String({ format: 'uuid' })),
            state: Type.Optional(Type.Enum([...JOB_STATES])),
            limit: Type.Integer({ default: 50, minimum: 1, maximum: 1000 }),
            offset: Type.Integer({ default: 0, minimum: 0, maximum: 1_000_000 }),
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({
            items: Type.Array(Job),
            total: Type.Integer(),
            limit: Type.Integer(),
            offset: Type.Integer(),
          }),
        },
      },
    },
    async (request) => {
      const { limit, offset, ...filter } = request.query;
      return { ...(await jobs.list(principalOf(request).org, filter, { limit, offset })), limit, offset };
    },
  );
  app.get(
    `${ROOT}/jobs/:id`,
    {
      config: { role: 'viewer' },
      schema: { tags, summary: 'How far a job is.', params: ById, response: { 200: Job } },
    },
    (request) => jobs.get(principalOf(request).org, request.params.id),
  );
}

/** The web API of work that takes longer than a call. */
export function jobRoutes(app: ServiceApp, { jobs, peers, kick, days, canTrain }: JobRoutesGiven): void {
  app.post(
    `${ROOT}/train-model`,
    {
      config: { role: 'editor' },
      schema: {
        tags,
        summary: 'Have a model made of a host’s usual state from its last days. Answers with the job that does it.',
        body: Type.Object(
          {
            resource: Type.String({ format: 'uuid', description: 'Id of a host.' }),
            days: Type.Optional(Type.Number({ minimum: 0.25, maximum: 14, description: 'Days to learn from.' })),
          },
          { additionalProperties: false },
        ),
        response: { 202: Job },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      if (!canTrain) throw problems.noTraining('It runs from source; build it with "make build".');
      const { resource } = request.body;
      // Throws when there is no such host in this org.
      await peers.json('monitoring', { method: 'GET', path: `/api/v1/monitoring/resources/${resource}`, principal });
      const job = await jobs.add(principal.org, { resource, days: request.body.days ?? days, by: principal.name });
      kick();
      return reply.code(202).header('location', `${ROOT}/jobs/${job.id}`).send(job);
    },
  );
  readRoutes(app, jobs);
  app.delete(
    `${ROOT}/jobs/:id`,
    {
      config: { role: 'editor' },
      schema: {
        tags,
        summary: 'Cancel a job that is not over; one that runs ends within seconds.',
        params: ById,
        response: { 204: Type.Null({ description: 'Done.' }) },
      },
    },
    async (request, reply) => {
      await jobs.cancel(principalOf(request).org, request.params.id);
      return reply.code(204).send(null);
    },
  );
}
