import { Type } from 'typebox';
import { principalOf, type ServiceApp } from '../../../http.ts';
import type { Accounts } from '../accounts.ts';
import { problems } from '../errors.ts';
import type { UsersStore } from '../store.ts';
import { answerSignedIn } from './auth.ts';
import { ById, listOf, Me, Paging, RoleName, TimeOrNull } from './schemas.ts';

const PersonRow = Type.Object({
  id: Type.String(),
  username: Type.String(),
  email: Type.String(),
  role: RoleName,
  disabled: Type.Boolean(),
  createdMs: Type.Integer(),
  lastLoginMs: TimeOrNull,
});
const InvitationRow = Type.Object({
  id: Type.String(),
  role: RoleName,
  email: Type.Union([Type.String(), Type.Null()]),
  createdMs: Type.Integer(),
  expiresMs: Type.Integer(),
  usedMs: TimeOrNull,
});
const OrgSettings = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 100 }), registrationOpen: Type.Boolean() },
  { additionalProperties: false },
);

/** What the routes about people stand on. */
export interface PeopleGiven {
  store: UsersStore;
  accounts: Accounts;
  publicUrl: string;
  secure: boolean;
  maxAgeSeconds: number;
}

const tags = ['users'];

function ownRoutes(app: ServiceApp, given: PeopleGiven): void {
  const { store, accounts } = given;
  app.get(
    '/api/v1/users/profile',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Who you are.',
        response: { 200: Type.Object({ ...Me.properties, organisation: Type.String() }) },
      },
    },
    async (request) => {
      const { org, user } = principalOf(request);
      return store.within(org, async (db) => {
        const row = await db.selectFrom('users').selectAll().where('id', '=', user).executeTakeFirst();
        if (row === undefined) throw problems.notFound();
        const { name } = await db.selectFrom('orgs').select('name').executeTakeFirstOrThrow();
        return { id: row.id, org, username: row.username, email: row.email, role: row.role, organisation: name };
      });
    },
  );
  app.put(
    '/api/v1/users/profile',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Change your name or e-mail address.',
        body: Type.Object(
          {
            username: Type.Optional(Type.String({ minLength: 2, maxLength: 64, pattern: '^[\\w.@+-]+$' })),
            email: Type.Optional(Type.String({ minLength: 3, maxLength: 254, pattern: '^[^\\s@]+@[^\\s@]+$' })),
          },
          { additionalProperties: false, minProperties: 1 },
        ),
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      await accounts.changeProfile(principalOf(request), request.body);
      return reply.code(204).send(null);
    },
  );
  app.post(
    '/api/v1/users/password',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Change your password. Your other sessions end.',
        body: Type.Object(
          { old: Type.String({ maxLength: 256 }), new: Type.String({ maxLength: 256 }) },
          { additionalProperties: false },
        ),
        response: { 200: Type.Object({ accessToken: Type.String(), expiresIn: Type.Integer(), user: Me }) },
      },
    },
    async (request, reply) => {
      const agent = request.headers['user-agent'] ?? '';
      const signedIn = await accounts.changePassword(principalOf(request), request.body.old, request.body.new, agent);
      return answerSignedIn(reply, given, signedIn);
    },
  );
}

function memberRoutes(app: ServiceApp, { store, accounts }: PeopleGiven): void {
  app.get(
    '/api/v1/users',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'The people of your organisation.',
        querystring: Paging,
        response: { 200: listOf(PersonRow) },
      },
    },
    async (request) => {
      const { limit, offset } = request.query;
      return store.within(principalOf(request).org, async (db) => {
        const rows = await db
          .selectFrom('users')
          .selectAll()
          .orderBy('created_at')
          .orderBy('id')
          .limit(limit)
          .offset(offset)
          .execute();
        const { total } = await db
          .selectFrom('users')
          .select((eb) => eb.fn.countAll<number>().as('total'))
          .executeTakeFirstOrThrow();
        const items = rows.map((row) => ({
          id: row.id,
          username: row.username,
          email: row.email,
          role: row.role,
          disabled: row.disabled,
          createdMs: row.created_at.getTime(),
          lastLoginMs: row.last_login?.getTime() ?? null,
        }));
        return { items, total, limit, offset };
      });
    },
  );
  app.put(
    '/api/v1/users/:id',
    {
      config: { role: 'admin' },
      schema: {
        tags,
        summary: 'Change a person’s role, or switch the account off or on.',
        params: ById,
        body: Type.Object(
          { role: Type.Optional(RoleName), disabled: Type.Optional(Type.Boolean()) },
          { additionalProperties: false, minProperties: 1 },
        ),
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      await accounts.changePerson(principalOf(request), request.params.id, request.body);
      return reply.code(204).send(null);
    },
  );
  app.delete(
    '/api/v1/users/:id',
    {
      config: { role: 'admin' },
      schema: {
        tags,
        summary: 'Remove a person with their keys and sessions.',
        params: ById,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      await accounts.removePerson(principalOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
}

function invitationRoutes(app: ServiceApp, { store, accounts, publicUrl }: PeopleGiven): void {
  app.post(
    '/api/v1/users/invitations',
    {
      config: { role: 'admin' },
      schema: {
        tags,
        summary: 'Invite somebody. The link is in the answer and nowhere else.',
        body: Type.Object(
          {
            role: RoleName,
            email: Type.Optional(Type.String({ maxLength: 254, pattern: '^[^\\s@]+@[^\\s@]+$' })),
            days: Type.Integer({ default: 7, minimum: 1, maximum: 90 }),
          },
          { additionalProperties: false },
        ),
        response: { 201: Type.Object({ id: Type.String(), link: Type.String(), expiresMs: Type.Integer() }) },
      },
    },
    async (request, reply) => {
      const { id, token, expiresMs } = await accounts.invite(principalOf(request), request.body);
      void reply.code(201);
      return { id, link: `${publicUrl}/register?invitation=${token}`, expiresMs };
    },
  );
  app.get(
    '/api/v1/users/invitations',
    {
      config: { role: 'admin' },
      schema: {
        tags,
        summary: 'Invitations, newest first.',
        querystring: Paging,
        response: { 200: listOf(InvitationRow) },
      },
    },
    async (request) => {
      const { limit, offset } = request.query;
      return store.within(principalOf(request).org, async (db) => {
        const rows = await db
          .selectFrom('invitations')
          .selectAll()
          .orderBy('created_at', 'desc')
          .limit(limit)
          .offset(offset)
          .execute();
        const { total } = await db
          .selectFrom('invitations')
          .select((eb) => eb.fn.countAll<number>().as('total'))
          .executeTakeFirstOrThrow();
        const items = rows.map((row) => ({
          id: row.id,
          role: row.role,
          email: row.email,
          createdMs: row.created_at.getTime(),
          expiresMs: row.expires_at.getTime(),
          usedMs: row.used_at?.getTime() ?? null,
        }));
        return { items, total, limit, offset };
      });
    },
  );
  app.delete(
    '/api/v1/users/invitations/:id',
    {
      config: { role: 'admin' },
      schema: { tags, summary: 'Withdraw an invitation.', params: ById, response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      const { id } = request.params;
      const gone = await store.within(principalOf(request).org, (db) =>
        db.deleteFrom('invitations').where('id', '=', id).executeTakeFirst(),
      );
      if (gone.numDeletedRows === 0n) throw problems.notFound();
      return reply.code(204).send(null);
    },
  );
}

function settingRoutes(app: ServiceApp, { store }: PeopleGiven): void {
  app.get(
    '/api/v1/users/settings',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Your organisation’s name, and whether anyone may register.',
        response: { 200: OrgSettings },
      },
    },
    async (request) =>
      store.within(principalOf(request).org, async (db) => {
        const { name, registration_open } = await db.selectFrom('orgs').selectAll().executeTakeFirstOrThrow();
        return { name, registrationOpen: registration_open };
      }),
  );
  app.put(
    '/api/v1/users/settings',
    {
      config: { role: 'admin' },
      schema: { tags, summary: 'Change them.', body: OrgSettings, response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      const { name, registrationOpen } = request.body;
      await store.within(principalOf(request).org, (db) =>
        db.updateTable('orgs').set({ name, registration_open: registrationOpen }).execute(),
      );
      return reply.code(204).send(null);
    },
  );
}

/** Profiles, members, invitations and settings of an org. */
export function peopleRoutes(app: ServiceApp, given: PeopleGiven): void {
  ownRoutes(app, given);
  memberRoutes(app, given);
  invitationRoutes(app, given);
  settingRoutes(app, given);
}
