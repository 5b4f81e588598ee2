import { createHash } from 'node:crypto';
import type { nkeys } from '@nats-io/transport-node';
import { agentSubjects, type AgentName } from '#proto/agent/v1/nats.ts';
import { AGENTS_ACCOUNT } from './keys.ts';

/** What a server asks about somebody who wants in (NATS ADR-26). */
export interface AuthorizationRequest {
  /** The key under which the server will know the connection. */
  user_nkey: string;
  server_id: { id: string };
  client_info: { host?: string; nonce?: string };
  connect_opts: { auth_token?: string; sig?: string };
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A JWT as NATS wants it, signed by an account's key. */
function sign(issuer: nkeys.KeyPair, claims: Record<string, unknown>, nowMs: number): string {
  const body = { ...claims, iss: issuer.getPublicKey(), iat: Math.floor(nowMs / 1000) };
  const jti = createHash('sha256').update(JSON.stringify(body)).digest('hex');
  const text = `${encode({ typ: 'JWT', alg: 'ed25519-nkey' })}.${encode({ ...body, jti })}`;
  return `${text}.${Buffer.from(issuer.sign(Buffer.from(text))).toString('base64url')}`;
}

/** The request inside the server's JWT; undefined when there is none. Who may publish it is the server's affair. */
export function readRequest(text: string): AuthorizationRequest | undefined {
  try {
    const [, body = ''] = text.split('.');
    const { nats } = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as { nats: AuthorizationRequest };
    return typeof nats.user_nkey === 'string' && typeof nats.server_id.id === 'string' ? nats : undefined;
  } catch {
    return undefined; // Nothing that a server sends.
  }
}

/** The answer that lets an agent in, onto its own subjects and for as long as its certificate is valid. */
export function allow(
  issuer: nkeys.KeyPair,
  { user_nkey: sub, server_id: { id: aud } }: AuthorizationRequest,
  agent: AgentName & { endsMs: number },
  nowMs: number,
): string {
  const { all, inbox } = agentSubjects(agent);
  const user = {
    sub,
    aud: AGENTS_ACCOUNT,
    name: `${agent.org}.${agent.agent}`,
    exp: Math.floor(agent.endsMs / 1000),
    nats: {
      pub: { allow: [all] },
      sub: { allow: [`${inbox}.>`] },
      subs: 16,
      data: -1,
      payload: -1,
      type: 'user',
      version: 2,
    },
  };
  const nats = { jwt: sign(issuer, user, nowMs), type: 'authorization_response', version: 2 };
  return sign(issuer, { sub, aud, nats }, nowMs);
}

/** The answer that keeps somebody out; the reason goes into the server's log. */
export function deny(
  issuer: nkeys.KeyPair,
  { user_nkey: sub, server_id: { id: aud } }: AuthorizationRequest,
  reason: string,
  nowMs: number,
): string {
  return sign(issuer, { sub, aud, nats: { error: reason, type: 'authorization_response', version: 2 } }, nowMs);
}
