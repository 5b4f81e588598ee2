import { EnrolReply, EnrolRequest } from '#proto/enrolment.ts';
import type { Clock } from '#sdk';
import { Type, type TSchema } from 'typebox';
import { principalOf, type ServiceApp } from '../../../http.ts';
import type { Authority } from '../authority.ts';
import type { Enrolment } from '../enrolment.ts';
import { problems } from '../errors.ts';
import type { IngestStore } from '../store.ts';
import type { Streams } from '../streams.ts';
import type { Peers } from '../../../ports/peers.ts';

const Labels = Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 256 }));
const Wish = Type.Object(
  {
    uses: Type.Integer({ default: 1, minimum: 1, maximum: 100_000, description: 'How many agents may use it.' }),
    expiresInHours: Type.Number({ default: 24, exclusiveMinimum: 0, maximum: 8760 }),
    labels: Type.Unsafe<Record<string, string>>({ ...Labels, default: {} }),
    ephemeral: Type.Boolean({
      default: false,
      description: 'Its agents disappear when they have been silent for a day.',
    }),
  },
  { additionalProperties: false },
);
const Created = Type.Object({ id: Type.String(), token: Type.String(), expiresMs: Type.Integer() });
const TokenRow = Type.Object({
  id: Type.String(),
  uses: Type.Integer(),
  usesLeft: Type.Integer(),
  labels: Labels,
  ephemeral: Type.Boolean(),
  createdMs: Type.Integer(),
  expiresMs: Type.Integer(),
});
const AgentRow = Type.Object({
  id: Type.String(),
  hostname: Type.String(),
  labels: Labels,
  ephemeral: Type.Boolean(),
  connected: Type.Boolean(),
  version: Type.String(),
  enrolledMs: Type.Integer(),
  lastSeenMs: Type.Union([Type.Integer(), Type.Null()]),
  certificateEndsMs: Type.Integer(),
  skewMs: Type.Number(),
  revoked: Type.Boolean(),
});
const Paging = Type.Object(
  { limit: Type.Integer({ default: 50, minimum: 1, maximum: 1000 }), offset: Type.Integer({ default: 0, minimum: 0 }) },
  { additionalProperties: false },
);
const ById = Type.Object({ id: Type.String({ format: 'uuid' }) });
const listOf = <Item extends TSchema>(item: Item) =>
  Type.Object({ items: Type.Array(item), total: Type.Integer(), limit: Type.Integer(), offset: Type.Integer() });

/** What the routes stand on. */
export interface AgentRoutesGiven {
  store: IngestStore;
  enrolment: Enrolment;
  streams: Streams;
  authority(): Authority;
  hostnames: readonly string[];
  clock: Clock;
  peers: Peers;
  /** Reads the revoked agents anew and cuts them off. */
  cutOff(): Promise<void>;
}

const tags = ['agents'];

function tokenRoutes(app: ServiceApp, { store, enrolment }: AgentRoutesGiven): void {
  app.post(
    '/api/v1/agents/tokens',
    {
      config: { role: 'admin' },
      schema: {
        tags,
        summary: 'Make a join token. Its text is in the answer and nowhere else.',
        body: Wish,
        response: { 201: Created },
      },
    },
    async (request, reply) => {
      void reply.code(201);
      return enrolment.createToken(principalOf(request).org, request.body);
    },
  );
  app.get(
    '/api/v1/agents/tokens',
    {
      config: { role: 'admin' },
      schema: { tags, summary: 'Join tokens, newest first.', querystring: Paging, response: { 200: listOf(TokenRow) } },
    },
    async (request) => {
      const { limit, offset } = request.query;
      return store.within(principalOf(request).org, async (db) => {
        const rows = await db
          .selectFrom('join_tokens')
          .selectAll()
          .orderBy('created_at', 'desc')
          .limit(limit)
          .offset(offset)
          .execute();
        const { total } = await db
          .selectFrom('join_tokens')
          .select((eb) => eb.fn.countAll<number>().as('total'))
          .executeTakeFirstOrThrow();
        const items = rows.map((row) => ({
          id: row.id,
          uses: row.uses,
          usesLeft: row.uses_left,
          labels: row.labels as unknown as Record<string, string>,
          ephemeral: row.ephemeral,
          createdMs: row.created_at.getTime(),
          expiresMs: row.expires_at.getTime(),
        }));
        return { items, total, limit, offset };
      });
    },
  );
  app.delete(
    '/api/v1/agents/tokens/:id',
    {
      config: { role: 'admin' },
      schema: { tags, summary: 'Withdraw a join token.', params: ById, response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      const gone = await store.within(principalOf(request).org, (db) =>
        db.deleteFrom('join_tokens').where('id', '=', request.params.id).executeTakeFirst(),
      );
      if (gone.numDeletedRows === 0n) throw problems.notFound();
      return reply.code(204).send(null);
    },
  );
}

function agentRoutes(app: ServiceApp, given: AgentRoutesGiven): void {
  const { store, enrolment, streams, clock } = given;
  app.post(
    '/api/v1/agents/enroll',
    {
      config: { role: 'public' },
      schema: {
        tags,
        summary: 'Trade a join token and a public key for a client certificate.',
        body: EnrolRequest,
        response: { 201: EnrolReply },
      },
    },
    async (request, reply) => {
      void reply.code(201);
      return enrolment.enrol(request.body);
    },
  );
  app.get(
    '/api/v1/agents',
    {
      config: { role: 'viewer' },
      schema: { tags, summary: 'Agents, newest first.', querystring: Paging, response: { 200: listOf(AgentRow) } },
    },
    async (request) => {
      const { limit, offset } = request.query;
      const connected = streams.connected();
      return store.within(principalOf(request).org, async (db) => {
        const rows = await db
          .selectFrom('agents')
          .selectAll()
          .orderBy('enrolled_at', 'desc')
          .orderBy('id')
          .limit(limit)
          .offset(offset)
          .execute();
        const { total } = await db
          .selectFrom('agents')
          .select((eb) => eb.fn.countAll<number>().as('total'))
          .executeTakeFirstOrThrow();
        const items = rows.map((row) => ({
          id: row.id,
          hostname: row.hostname,
          labels: row.labels as unknown as Record<string, string>,
          ephemeral: row.ephemeral,
          connected: connected.has(row.id),
          version: row.version,
          enrolledMs: row.enrolled_at.getTime(),
          lastSeenMs: row.last_seen?.getTime() ?? null,
          certificateEndsMs: row.certificate_ends.getTime(),
          skewMs: row.skew_ms,
          revoked: row.revoked_at !== null,
        }));
        return { items, total, limit, offset };
      });
    },
  );
  app.post(
    '/api/v1/agents/:id/revoke',
    {
      config: { role: 'admin' },
      schema: {
        tags,
        summary: 'Cut an agent off for good. Its data stay.',
        params: ById,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const changed = await store.within(principalOf(request).org, (db) =>
        db
          .updateTable('agents')
          .set({ revoked_at: new Date(clock.now()) })
          .where('id', '=', request.params.id)
          .executeTakeFirst(),
      );
      if (changed.numUpdatedRows === 0n) throw problems.notFound();
      await given.cutOff();
      return reply.code(204).send(null);
    },
  );
}

/** Join tokens, enrolment and the list of agents; and what sisters and the hub's own commands ask. */
export function ingestRoutes(app: ServiceApp, given: AgentRoutesGiven): void {
  tokenRoutes(app, given);
  agentRoutes(app, given);
  const config = { role: 'service' } as const;
  app.get('/internal/ingest/certificate', { config }, () => given.authority().certifyHub(given.hostnames));
  app.post('/internal/ingest/tokens', { config, schema: { body: Wish } }, async ({ body }) => {
    const { org } = await given.peers.json<{ org: string }>('users', {
      method: 'GET',
      path: '/internal/users/first-org',
    });
    return given.enrolment.createToken(org, body);
  });
}
