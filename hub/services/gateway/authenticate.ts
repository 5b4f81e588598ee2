import type { Clock } from '#sdk';
import type { FastifyRequest } from 'fastify';
import { createLocalJWKSet, errors, jwtVerify, type JWTVerifyGetKey, type JWK } from 'jose';
import { LRUCache } from 'lru-cache';
import { Value } from 'typebox/value';
import type { Peers } from '../../ports/peers.ts';
import { Principal } from '../../principal.ts';
import { problems } from './errors.ts';
import { isForeign } from './origin.ts';

/** A removed key is refused after at most this time. */
const KEY_CACHE_MS = 10_000;
/** Public keys are asked for again after this time, or at once when a token names an unknown one. */
const KEYS_MS = 10 * 60_000;
const MISS_PAUSE_MS = 5_000;

const SESSION = /(?:^|;\s*)outrider_session=([\w.-]+)/;

/** Who calls, and how to ask later whether that still holds: a stream outlives the token that opened it. */
export interface Caller {
  principal: Principal;
  /** Rejects once the session has ended or the key was removed. */
  demandStanding(): Promise<unknown>;
}

/** Keys that verify access tokens, asked of the users service. */
function createKeySet(peers: Peers, clock: Clock): JWTVerifyGetKey {
  let keys: JWTVerifyGetKey | undefined;
  let atMs = -Infinity;
  const load = async (): Promise<JWTVerifyGetKey> => {
    const answer = await peers.json<{ keys: JWK[] }>('users', { method: 'GET', path: '/internal/users/jwks' });
    atMs = clock.monotonic();
    return (keys = createLocalJWKSet(answer));
  };
  return async (header, token) => {
    const known = keys === undefined || clock.monotonic() - atMs > KEYS_MS ? await load() : keys;
    try {
      return await known(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || clock.monotonic() - atMs < MISS_PAUSE_MS) throw error;
      return (await load())(header, token);
    }
  };
}

/** Establishes who is asking: an access token, a program's key, or, for event streams alone, the session cookie. */
export function createAuthenticator(peers: Peers, clock: Clock) {
  const keySet = createKeySet(peers, clock);
  const known = new LRUCache<string, { principal: Principal; untilMs: number }>({ max: 5_000 });
  const ask = (body: { key: string } | { session: string }): Promise<Principal> =>
    peers.json<Principal>('users', {
      method: 'POST',
      path: '/internal/users/authenticate',
      body: JSON.stringify(body),
    });
  const withSession = (principal: Principal): Caller => ({
    principal,
    demandStanding: () =>
      peers.json('users', { method: 'GET', path: `/internal/users/sessions/${principal.session ?? ''}` }),
  });

  const byToken = async (token: string): Promise<Caller> => {
    try {
      const options = {
        issuer: 'outrider',
        audience: 'outrider',
        algorithms: ['ES256'],
        currentDate: new Date(clock.now()),
      };
      const { payload } = await jwtVerify(token, keySet, options);
      const { org, name, role, sid: session, sub: user } = payload;
      const principal: unknown = { org, user, name, role, session, via: 'session' };
      if (Value.Check(Principal, principal)) return withSession(principal);
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw problems.tokenExpired();
      if (!(error instanceof errors.JOSEError)) throw error;
    }
    throw problems.badCredential();
  };

  const principalOfKey = async (key: string): Promise<Principal> => {
    const hit = known.get(key);
    if (hit !== undefined && hit.untilMs > clock.monotonic()) return hit.principal;
    const untilMs = clock.monotonic() + KEY_CACHE_MS;
    const principal = await ask({ key });
    known.set(key, { principal, untilMs });
    return principal;
  };

  const byCookie = async (request: FastifyRequest): Promise<Caller | undefined> => {
    const wantsEvents = request.method === 'GET' && request.headers.accept?.includes('text/event-stream') === true;
    const session = wantsEvents ? SESSION.exec(request.headers.cookie ?? '')?.[1] : undefined;
    if (session === undefined) return undefined;
    if (isForeign(request.headers)) throw problems.crossSite();
    return withSession(await ask({ session }));
  };

  /** Undefined when the caller says nothing about who it is; throws when what it says is wrong. */
  return async (request: FastifyRequest): Promise<Caller | undefined> => {
    const header = request.headers.authorization;
    if (header === undefined) return byCookie(request);
    const credential = /^Bearer +([\w.~+/-]+=*)$/i.exec(header)?.[1];
    if (credential === undefined)
      throw problems.badCredential('Send "Authorization: Bearer …" with an access token or a key.');
    if (!credential.startsWith('ork_')) return byToken(credential);
    return { principal: await principalOfKey(credential), demandStanding: () => principalOfKey(credential) };
  };
}
export type Authenticate = ReturnType<typeof createAuthenticator>;
