import { Type } from 'typebox';
import { principalOf, type ServiceApp } from '../../../http.ts';
import type { Accounts } from '../accounts.ts';
import type { Devices } from '../devices.ts';
import { ById, Done, Email, listOf, Me, Paging, Password, SignedInReply, Username } from './schemas.ts';
import { answerSignedIn, fromOf, personOf, type CookieConfig } from './signed-in.ts';

const tags = ['users'];
const config = { role: 'viewer' } as const;

const Profile = Type.Object({ ...Me.properties, organisation: Type.String() });
const ProfileChange = Type.Object(
  { username: Type.Optional(Username), email: Type.Optional(Email) },
  { additionalProperties: false, minProperties: 1 },
);
const PasswordChange = Type.Object({ old: Password, new: Password }, { additionalProperties: false });
const SessionRow = Type.Object({
  id: Type.String(),
  agent: Type.String({ description: 'The program that signed in, as it named itself.' }),
  createdMs: Type.Integer(),
  usedMs: Type.Integer({ description: 'When it was last renewed.' }),
  expiresMs: Type.Integer(),
  current: Type.Boolean({ description: 'True for the session that asks.' }),
});

/** What is one's own: profile, password, and where one is signed in. */
export function profileRoutes(
  app: ServiceApp,
  { accounts, devices, cookies }: { accounts: Accounts; devices: Devices; cookies: CookieConfig },
): void {
  app.get(
    '/api/v1/users/profile',
    { config, schema: { tags, summary: 'Who you are.', response: { 200: Profile } } },
    (request) => accounts.profile(principalOf(request)),
  );
  app.put(
    '/api/v1/users/profile',
    {
      config,
      schema: { tags, summary: 'Change your name or e-mail address.', body: ProfileChange, response: Done },
    },
    async (request, reply) => {
      await accounts.changeProfile(personOf(request), request.body);
      return reply.code(204).send(null);
    },
  );
  app.post(
    '/api/v1/users/password',
    {
      config,
      schema: {
        tags,
        summary: 'Change your password. All your sessions end, and this one begins anew.',
        body: PasswordChange,
        response: { 200: SignedInReply },
      },
    },
    async (request, reply) => {
      const change = { old: request.body.old, wanted: request.body.new };
      const signedIn = await accounts.changePassword(personOf(request), change, fromOf(request));
      return answerSignedIn(reply, cookies, signedIn);
    },
  );
  app.get(
    '/api/v1/users/sessions',
    {
      config,
      schema: {
        tags,
        summary: 'Where you are signed in, last used first.',
        querystring: Paging,
        response: { 200: listOf(SessionRow) },
      },
    },
    (request) => devices.list(principalOf(request), request.query),
  );
  app.delete(
    '/api/v1/users/sessions/:id',
    {
      config,
      schema: {
        tags,
        summary: 'End one of your sessions. Its access token lasts for the rest of its minutes.',
        params: ById,
        response: Done,
      },
    },
    async (request, reply) => {
      await devices.end(personOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
}
