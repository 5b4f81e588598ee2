import { hkdfSync } from 'node:crypto';
import { defineProblems, type Clock } from '#sdk';
import { errors, jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import { Value } from 'typebox/value';
import { Principal } from './principal.ts';

const problems = defineProblems('service-token', {
  refused: { status: 401, title: 'The caller is no part of this hub.' },
});

/** A token is good for this long, seconds. */
const LIFE_S = 60;
/** A key is used for this long and trusted for one period more, so that clocks may differ. Milliseconds. */
const PERIOD_MS = 3_600_000;

/** Proves to a sister in another process that a call comes from this hub, and on whose behalf. */
export interface ServiceTokens {
  /** A token that only `service` takes; it carries the principal's org, user and role. */
  sign(service: string, principal: Principal | undefined): Promise<string>;
  /** The principal of a token made for `service`; rejects with `service-token.refused`. */
  verify(service: string, token: string): Promise<Principal | undefined>;
}

const periodOf = (nowMs: number): number => Math.floor(nowMs / PERIOD_MS);

/** The key of a period, derived from a secret that all processes know (HKDF, RFC 5869): it changes by itself and is stored nowhere. */
function keyOf(secret: string, period: number): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, 'outrider', `peers ${period}`, 32));
}

/** Tokens of the processes that share `secrets`, newest first: the first signs, all are trusted, so that a secret can be replaced. */
export function createServiceTokens({ secrets, clock }: { secrets: readonly string[]; clock: Clock }): ServiceTokens {
  const keys = new LRUCache<string, Uint8Array>({ max: 16 });
  const made = new LRUCache<string, { token: string; untilMs: number }>({ max: 5_000 });
  const read = new LRUCache<string, { principal: Principal | undefined; untilMs: number }>({ max: 5_000 });
  const key = (index: number, period: number): Uint8Array => {
    const name = `${index} ${period}`;
    const there = keys.get(name) ?? keyOf(secrets[index] ?? '', period);
    keys.set(name, there);
    return there;
  };

  const check = async (
    service: string,
    token: string,
  ): Promise<{ principal: Principal | undefined; untilMs: number }> => {
    const now = periodOf(clock.now());
    const tries = secrets.flatMap((_secret, index) => [now, now - 1, now + 1].map((period) => ({ index, period })));
    const options = { audience: service, issuer: 'outrider', algorithms: ['HS256'], clockTolerance: 30 };
    for (const { index, period } of tries) {
      try {
        const currentDate = new Date(clock.now());
        const { payload } = await jwtVerify(token, key(index, period), { ...options, currentDate });
        const principal = payload['principal'];
        if (principal !== undefined && !Value.Check(Principal, principal)) break;
        return { principal, untilMs: (payload.exp ?? 0) * 1000 };
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) break;
      }
    }
    throw problems.refused(
      'Its token is not signed with peers.secret, is over, or is meant for another service. Give all processes one secret and look at their clocks.',
    );
  };

  return {
    async sign(service, principal) {
      const [secret] = secrets;
      if (secret === undefined) throw problems.refused('No peers.secret is set, so no other process can be asked.');
      const name = `${service} ${principal === undefined ? '' : JSON.stringify(principal)}`;
      const nowMs = clock.now();
      const there = made.get(name);
      if (there !== undefined && there.untilMs > nowMs && there.untilMs < nowMs + LIFE_S * 1000) return there.token;
      const token = await new SignJWT(principal === undefined ? {} : { principal })
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuer('outrider')
        .setAudience(service)
        .setExpirationTime(Math.floor(nowMs / 1000) + LIFE_S)
        .sign(key(0, periodOf(nowMs)));
      made.set(name, { token, untilMs: nowMs + (LIFE_S * 1000) / 2 });
      return token;
    },
    async verify(service, token) {
      const name = `${service} ${token}`;
      const there = read.get(name) ?? (await check(service, token));
      if (there.untilMs <= clock.now() - 30_000) throw problems.refused('Its token is over.');
      read.set(name, there);
      return there.principal;
    },
  };
}
