import { Type } from 'typebox';
import type { ServiceApp } from '../../../http.ts';
import type { Accounts } from '../accounts.ts';
import type { Sessions } from '../sessions.ts';
import { Done, Email, Line, Password, SignedInReply, Username } from './schemas.ts';
import { answerSignedIn, forgetCookie, fromOf, readCookie, type CookieConfig } from './signed-in.ts';

const tags = ['auth'];
const config = { role: 'public' } as const;
/** Nothing to send in the header `Authorization`. */
const security: [] = [];

const Login = Type.Object({ username: Line(254), password: Password }, { additionalProperties: false });
const Registration = Type.Object(
  {
    username: Username,
    email: Email,
    password: Password,
    invitation: Type.Optional(Type.String({ maxLength: 64, description: 'From the link of an invitation.' })),
  },
  { additionalProperties: false },
);

/** Signing in and out, and registering. */
export function authRoutes(
  app: ServiceApp,
  { accounts, sessions, cookies }: { accounts: Accounts; sessions: Sessions; cookies: CookieConfig },
): void {
  app.post(
    '/api/v1/auth/login',
    {
      config,
      schema: {
        tags,
        security,
        summary: 'Sign in with a user name or an e-mail address.',
        body: Login,
        response: { 200: SignedInReply },
      },
    },
    async (request, reply) => {
      const { username, password } = request.body;
      return answerSignedIn(reply, cookies, await accounts.signIn(username, password, fromOf(request)));
    },
  );
  app.post(
    '/api/v1/auth/register',
    {
      config,
      schema: {
        tags,
        security,
        summary: 'Make an account: with an invitation, or when an administrator has opened registration.',
        body: Registration,
        response: { 201: SignedInReply },
      },
    },
    async (request, reply) => {
      const signedIn = await accounts.register(request.body, fromOf(request).agent);
      void reply.code(201);
      return answerSignedIn(reply, cookies, signedIn);
    },
  );
  app.post(
    '/api/v1/auth/refresh',
    {
      config,
      schema: {
        tags,
        security,
        summary:
          'Get a new access token for the session cookie, which is replaced. 204 where there is no cookie: nobody is signed in.',
        response: { 200: SignedInReply, ...Done },
      },
    },
    async (request, reply) => {
      const cookie = readCookie(request);
      if (cookie === '') return reply.code(204).send(null);
      return answerSignedIn(reply, cookies, await sessions.refresh(cookie));
    },
  );
  app.post(
    '/api/v1/auth/logout',
    { config, schema: { tags, security, summary: 'End the session of the cookie.', response: Done } },
    async (request, reply) => {
      await sessions.close(readCookie(request));
      forgetCookie(reply, cookies);
      return reply.code(204).send(null);
    },
  );
}
