import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** How long a second tab may still come with the token that was just replaced, milliseconds. */
export const GRACE_MS = 10_000;

/** What is stored of a session's tokens. */
export interface StoredTokens {
  /** Key from which each token's successor follows, so that two tabs get the same one. */
  secret: string;
  tokenHash: string;
  previousHash: string | null;
  rotatedMs: number;
}

/** SHA-256 of a secret that is random enough to need no salt, hex. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

const same = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

/** A new session's first token and what to store of it. */
export function firstToken(nowMs: number): { token: string; stored: StoredTokens } {
  const token = randomBytes(32).toString('base64url');
  const secret = randomBytes(32).toString('base64url');
  return { token, stored: { secret, tokenHash: hashToken(token), previousHash: null, rotatedMs: nowMs } };
}

/** The token that follows another one: HMAC-SHA-256 under the session's secret. */
export function successor(secret: string, token: string): string {
  return createHmac('sha256', secret).update(token).digest('base64url');
}

/** What a presented token is to a session. */
export type Standing = 'current' | 'grace' | 'reused';

/** Judges a presented token: the current one, the one before it within the grace, or one that was stolen or lost. */
export function judgeToken(stored: StoredTokens, token: string, nowMs: number): Standing {
  const hash = hashToken(token);
  if (same(hash, stored.tokenHash)) return 'current';
  const recent = nowMs - stored.rotatedMs < GRACE_MS;
  return recent && stored.previousHash !== null && same(hash, stored.previousHash) ? 'grace' : 'reused';
}

/** Splits a cookie's text into session id and token; undefined when it is not one. */
export function readSessionCookie(text: string): { session: string; token: string } | undefined {
  const match = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([\w-]{43})$/.exec(text);
  return match === null ? undefined : { session: match[1] ?? '', token: match[2] ?? '' };
}
