import { Type } from 'typebox';
import { principalOf, type ServiceApp } from '../../../http.ts';
import type { People } from '../people.ts';
import { ById, Done, Line, listOf, Paging, RoleName, TimeOrNull } from './schemas.ts';

const tags = ['users'];
const config = { role: 'admin' } as const;

const PersonRow = Type.Object({
  id: Type.String(),
  username: Type.String(),
  email: Type.String(),
  role: RoleName,
  disabled: Type.Boolean(),
  createdMs: Type.Integer(),
  lastLoginMs: TimeOrNull,
});
const PersonChange = Type.Object(
  { role: Type.Optional(RoleName), disabled: Type.Optional(Type.Boolean()) },
  { additionalProperties: false, minProperties: 1 },
);
const OrgSettings = Type.Object(
  {
    name: Line(100),
    registrationOpen: Type.Boolean({ description: 'Whether anyone who reaches the hub may register as a viewer.' }),
  },
  { additionalProperties: false },
);

function settingRoutes(app: ServiceApp, people: People): void {
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
    (request) => people.settings(principalOf(request)),
  );
  app.put(
    '/api/v1/users/settings',
    {
      config,
      schema: {
        tags,
        summary: 'Change your organisation’s name, and whether anyone may register.',
        body: OrgSettings,
        response: Done,
      },
    },
    async (request, reply) => {
      await people.changeSettings(principalOf(request), request.body);
      return reply.code(204).send(null);
    },
  );
}

/** The members of an org and its settings. */
export function peopleRoutes(app: ServiceApp, people: People): void {
  app.get(
    '/api/v1/users',
    {
      config,
      schema: {
        tags,
        summary: 'The people of your organisation.',
        querystring: Paging,
        response: { 200: listOf(PersonRow) },
      },
    },
    (request) => people.list(principalOf(request), request.query),
  );
  app.put(
    '/api/v1/users/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Change a person’s role, or switch the account off or on.',
        params: ById,
        body: PersonChange,
        response: Done,
      },
    },
    async (request, reply) => {
      await people.change(principalOf(request), request.params.id, request.body);
      return reply.code(204).send(null);
    },
  );
  app.delete(
    '/api/v1/users/:id',
    {
      config,
      schema: { tags, summary: 'Remove a person with their keys and sessions.', params: ById, response: Done },
    },
    async (request, reply) => {
      await people.remove(principalOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
  settingRoutes(app, people);
}
