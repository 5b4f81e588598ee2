import type { FastifyReply, FastifyRequest } from 'fastify';
import { principalOf } from '../../../http.ts';
import type { Principal } from '../../../principal.ts';
import type { From } from '../accounts.ts';
import { problems } from '../errors.ts';
import type { SignedIn } from '../sessions.ts';

/** The session cookie: it renews access tokens and opens event streams, nothing else. */
const SESSION_COOKIE = 'outrider_session';

/** How the session cookie is set. */
export interface CookieConfig {
  /** True when people reach the hub by https. */
  secure: boolean;
  maxAgeSeconds: number;
}

/** The session cookie that came with a call; empty when none did. */
export function readCookie(request: FastifyRequest): string {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${SESSION_COOKIE}=`))?.slice(SESSION_COOKIE.length + 1) ?? '';
}

function setCookie(reply: FastifyReply, { secure }: CookieConfig, value: string, maxAgeSeconds: number): void {
  const flags = `Path=/api/v1; HttpOnly; SameSite=Strict; Max-Age=${maxAgeSeconds}${secure ? '; Secure' : ''}`;
  void reply.header('set-cookie', `${SESSION_COOKIE}=${value}; ${flags}`).header('cache-control', 'no-store');
}

/** Hands a session over: the cookie to the browser, the access token to the page's memory. */
export function answerSignedIn(reply: FastifyReply, cookies: CookieConfig, signedIn: SignedIn) {
  const { person, accessToken, expiresIn, cookie } = signedIn;
  setCookie(reply, cookies, cookie, cookies.maxAgeSeconds);
  return { accessToken, expiresIn, user: person };
}

/** Takes the cookie back. */
export function forgetCookie(reply: FastifyReply, cookies: CookieConfig): void {
  setCookie(reply, cookies, '', 0);
}

/** Where a call comes from, as the gateway saw it. */
export function fromOf(request: FastifyRequest): From {
  const network = request.headers['x-outrider-network'];
  return {
    network: typeof network === 'string' ? network : request.ip,
    agent: request.headers['user-agent'] ?? '',
  };
}

/** The person who asks. A key is refused: what it could reach this way would outlive it. */
export function personOf(request: FastifyRequest): Principal {
  const principal = principalOf(request);
  if (principal.via !== 'session') throw problems.needsPerson();
  return principal;
}
