import type { Clock } from '#sdk';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, SignJWT, type JWK } from 'jose';
import type { Principal } from '../../principal.ts';

/** A signing key as it is stored. */
export interface SigningKey {
  kid: string;
  privateKey: JWK;
  createdMs: number;
}

/** A key is replaced after this time, and still trusted for as long again. Milliseconds. */
export const KEY_LIFE_MS = 30 * 86_400_000;

/** A new ES256 key. */
export async function newSigningKey(nowMs: number): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(privateKey);
  return { kid: (await calculateJwkThumbprint(jwk)).slice(0, 16), privateKey: jwk, createdMs: nowMs };
}

/** The public half, for whoever verifies tokens. */
export function publicKey({ kid, privateKey }: SigningKey): JWK {
  const { kty, crv, x, y } = privateKey;
  return { kty, crv, x, y, kid, alg: 'ES256', use: 'sig' };
}

/** Signs a short-lived token that says who its bearer is. */
export async function signAccess(
  key: SigningKey,
  principal: Principal,
  given: { clock: Clock; minutes: number },
): Promise<string> {
  const now = Math.floor(given.clock.now() / 1000);
  const { org, name, role, session } = principal;
  return new SignJWT({ org, name, role, sid: session })
    .setProtectedHeader({ alg: 'ES256', kid: key.kid, typ: 'JWT' })
    .setSubject(principal.user)
    .setIssuer('outrider')
    .setAudience('outrider')
    .setIssuedAt(now)
    .setExpirationTime(now + given.minutes * 60)
    .sign(await importJWK(key.privateKey, 'ES256'));
}
