import { randomUUID } from 'node:crypto';
import type { InjectOptions } from 'fastify';
import type { Role } from '../../hub/principal.ts';
import type { Relational } from '../../hub/ports/relational.ts';
import type { ServiceDefinition } from '../../hub/service.ts';
import { gateway } from '../../hub/services/gateway/index.ts';
import { users } from '../../hub/services/users/index.ts';
import { hashPassword } from '../../hub/services/users/passwords.ts';
import type { UsersTables } from '../../hub/services/users/tables.ts';
import { startRelational } from './relational.ts';
import { startWeb, type StartedWeb, type WebOptions } from './web.ts';

/** How a call is made besides its method and path. */
export interface CallOptions {
  token?: string;
  cookie?: string;
  body?: unknown;
  headers?: Record<string, string>;
  /** The address of the caller. */
  ip?: string;
}

/** What came back; `body` is read as JSON. */
export interface CallReply {
  status: number;
  body: Record<string, unknown>;
  headers: Record<string, unknown>;
  /** The session cookie that was set, as a browser would send it. */
  cookie: string | undefined;
}

/** Somebody who is signed in. */
export interface SignedInPerson {
  id: string;
  org: string;
  username: string;
  password: string;
  token: string;
  cookie: string;
}

/** Users and gateway behind a listener, with an owner, on a clock that a test moves. */
export interface StartedUsers extends StartedWeb {
  relational: Relational;
  owner: { username: string; password: string };
  call(method: string, url: string, options?: CallOptions): Promise<CallReply>;
  signIn(person: { username: string; password: string }, options?: CallOptions): Promise<SignedInPerson>;
  /** Somebody new with a role in the first org, invited by its owner. */
  join(role: Role): Promise<SignedInPerson>;
  /** The owner of an org of their own. */
  outsider(): Promise<SignedInPerson>;
}

const PASSWORD = 'a long enough phrase';

async function callListener(web: StartedWeb, method: string, url: string, options: CallOptions): Promise<CallReply> {
  const { token, cookie, body, headers, ip } = options;
  const reply = await web.listener.inject({
    method: method as InjectOptions['method'],
    url,
    remoteAddress: ip ?? '192.0.2.1',
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(cookie === undefined ? {} : { cookie }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    payload: body === undefined ? undefined : JSON.stringify(body),
  });
  const set = reply.headers['set-cookie'];
  const json = String(reply.headers['content-type']).includes('json') && reply.body !== '';
  return {
    status: reply.statusCode,
    body: json ? (JSON.parse(reply.body) as Record<string, unknown>) : {},
    headers: reply.headers,
    cookie: set === undefined ? undefined : String(set).split(';')[0],
  };
}

function signedIn(reply: CallReply, password: string): SignedInPerson {
  const { user, accessToken } = reply.body as { user: Record<string, string>; accessToken: string };
  if (reply.status >= 400) throw new Error(JSON.stringify(reply.body));
  const { id = '', org = '', username = '' } = user;
  return { id, org, username, password, token: accessToken, cookie: reply.cookie ?? '' };
}

async function insertOrg(relational: Relational): Promise<{ username: string; password: string }> {
  const org = randomUUID();
  const username = `owner-${org.slice(0, 8)}`;
  const person = { id: randomUUID(), org_id: org, username, email: `${username}@example.org`, last_login: null };
  await relational.forOrg<UsersTables, void>('users', org, async (db) => {
    await db.insertInto('orgs').values({ org_id: org, name: 'Another organisation' }).execute();
    const secret = { role: 'owner' as const, password_hash: await hashPassword(PASSWORD) };
    await db
      .insertInto('users')
      .values({ ...person, ...secret })
      .execute();
  });
  return { username, password: PASSWORD };
}

/** Starts users, gateway and what else a test needs, with limits on calls out of the way unless `limits` sets some. */
export async function startUsers(
  also: WebOptions['services'] = [],
  options: Omit<WebOptions, 'services'> & { limits?: Record<string, unknown> } = {},
): Promise<StartedUsers> {
  const { relational, stop } = await startRelational();
  const limits = { requestsPerSecond: 100_000, burst: 100_000, signInsPerSecond: 100_000, signInBurst: 100_000 };
  const services: WebOptions['services'] = [
    { definition: users as unknown as ServiceDefinition, prefixes: ['/api/v1/auth', '/api/v1/users'] },
    ...also,
    {
      definition: gateway as unknown as ServiceDefinition,
      prefixes: [],
      config: { ...limits, ...options.limits },
    },
  ];
  const web = await startWeb({ ...options, services, ports: { ...options.ports, relational } });
  const { username, password } = await web.peers.json<{ username: string; password: string }>('users', {
    method: 'POST',
    path: '/internal/users/first-administrator',
  });
  const owner = { username, password };
  const call: StartedUsers['call'] = (method, url, given = {}) => callListener(web, method, url, given);
  const signIn: StartedUsers['signIn'] = async (who, given) => {
    const body = { username: who.username, password: who.password };
    return signedIn(await call('POST', '/api/v1/auth/login', { ...given, body }), who.password);
  };
  return {
    ...web,
    relational,
    owner,
    call,
    signIn,
    async join(role) {
      const { token } = await signIn(owner);
      const made = await call('POST', '/api/v1/users/invitations', { token, body: { role } });
      const invitation = new URL(String(made.body['link'])).searchParams.get('invitation') ?? '';
      const username = `${role}-${randomUUID().slice(0, 8)}`;
      const body = { username, email: `${username}@example.org`, password: PASSWORD, invitation };
      return signedIn(await call('POST', '/api/v1/auth/register', { body }), PASSWORD);
    },
    outsider: async () => signIn(await insertOrg(relational)),
    async stop() {
      await web.stop();
      await stop();
    },
  };
}
