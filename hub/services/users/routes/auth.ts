import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { ServiceApp } from '../../../http.ts';
import type { Accounts } from '../accounts.ts';
import { problems } from '../errors.ts';
import type { Sessions, SignedIn } from '../sessions.ts';
import { Me } from './schemas.ts';

/** The session cookie: it renews access tokens and opens event streams, nothing else. */
export const SESSION_COOKIE = 'outrider_session';

const SignedInReply = Type.Object({
  accessToken: Type.String(),
  expiresIn: Type.Integer({ description: 'Seconds.' }),
  user: Me,
});
const Username = Type.String({ minLength: 2, maxLength: 64, pattern: '^[\\w.@+-]+$' });
const Email = Type.String({ minLength: 3, maxLength: 254, pattern: '^[^\\s@]+@[^\\s@]+$' });
const Password = Type.String({ minLength: 1, maxLength: 256 });

/** What the auth routes stand on. */
export interface AuthGiven {
  accounts: Accounts;
  sessions: Sessions;
  /** True when people reach the hub by https. */
  secure: boolean;
  maxAgeSeconds: number;
}

function cookieOf(request: FastifyRequest): string {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${SESSION_COOKIE}=`))?.slice(SESSION_COOKIE.length + 1) ?? '';
}

/** The address of the caller, as the gateway saw it. */
export function addressOf(request: FastifyRequest): string {
  const header = request.headers['x-forwarded-for'];
  return typeof header === 'string' ? header : request.ip;
}

/** Refuses calls that lean on the cookie and come from another site's page. */
function demandSameSite(request: FastifyRequest): void {
  const site = request.headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return;
  throw problems.crossSite();
}

/** Hands a session over: the cookie to the browser, the access token to the page's memory. */
export function answerSignedIn(
  reply: FastifyReply,
  given: { secure: boolean; maxAgeSeconds: number },
  { person, accessToken, expiresIn, cookie }: SignedIn,
) {
  const flags = `Path=/api/v1; HttpOnly; SameSite=Strict; Max-Age=${given.maxAgeSeconds}${given.secure ? '; Secure' : ''}`;
  void reply.header('set-cookie', `${SESSION_COOKIE}=${cookie}; ${flags}`).header('cache-control', 'no-store');
  return { accessToken, expiresIn, user: { ...person } };
}

/** Signing in and out, and registering. */
export function authRoutes(app: ServiceApp, given: AuthGiven): void {
  const { accounts, sessions } = given;
  const tags = ['auth'];
  const agentOf = (request: FastifyRequest): string => request.headers['user-agent'] ?? '';

  app.post(
    '/api/v1/auth/login',
    {
      config: { role: 'public' },
      schema: {
        tags,
        summary: 'Sign in with a user name or an e-mail address.',
        body: Type.Object(
          { username: Type.String({ minLength: 1, maxLength: 254 }), password: Password },
          { additionalProperties: false },
        ),
        response: { 200: SignedInReply },
      },
    },
    async (request, reply) => {
      const { username, password } = request.body;
      const from = { address: addressOf(request), agent: agentOf(request) };
      return answerSignedIn(reply, given, await accounts.signIn(username, password, from));
    },
  );

  app.post(
    '/api/v1/auth/register',
    {
      config: { role: 'public' },
      schema: {
        tags,
        summary: 'Make an account: with an invitation, or when an administrator has opened registration.',
        body: Type.Object(
          {
            username: Username,
            email: Email,
            password: Password,
            invitation: Type.Optional(Type.String({ maxLength: 64 })),
          },
          { additionalProperties: false },
        ),
        response: { 201: SignedInReply },
      },
    },
    async (request, reply) => {
      const signedIn = await accounts.register(request.body, agentOf(request));
      void reply.code(201);
      return answerSignedIn(reply, given, signedIn);
    },
  );

  app.post(
    '/api/v1/auth/refresh',
    {
      config: { role: 'public' },
      schema: {
        tags,
        summary: 'Get a new access token for the session cookie, which is replaced.',
        response: { 200: SignedInReply },
      },
    },
    async (request, reply) => {
      demandSameSite(request);
      return answerSignedIn(reply, given, await sessions.refresh(cookieOf(request)));
    },
  );

  app.post(
    '/api/v1/auth/logout',
    {
      config: { role: 'public' },
      schema: { tags, summary: 'End the session of the cookie.', response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      demandSameSite(request);
      await sessions.end(cookieOf(request));
      return reply
        .header('set-cookie', `${SESSION_COOKIE}=; Path=/api/v1; HttpOnly; SameSite=Strict; Max-Age=0`)
        .code(204)
        .send(null);
    },
  );
}
