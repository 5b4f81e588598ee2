import { verify, X509Certificate } from 'node:crypto';
import type { Msg } from '@nats-io/transport-node';
import type { AgentName } from '#proto/agent/v1/nats.ts';
import { reasonOf, type Clock, type Logger } from '#sdk';
import { keyOf } from './keys.ts';
import { allow, deny, readRequest, type AuthorizationRequest } from './tokens.ts';

const CLIENT = '1.3.6.1.5.5.7.3.2';
/** A name that is one word of a subject and no wildcard. */
const WORD = /^[\w-]{1,64}$/;
const TOKEN_LIMIT = 4_096;
/** Questions of servers that are worked on at a time; more wait in the server, which gives up after its `timeout`. */
const AT_A_TIME = 64;

/** What telling agents from strangers stands on. */
export interface AuthorizationGiven {
  /** The authority's certificate, PEM. */
  ca: string;
  issuerSeed: string;
  /** True for an agent that is enrolled and not revoked. */
  isAllowed(agent: AgentName): Promise<boolean>;
  clock: Clock;
  log: Logger;
}

/**
 * The agent that a connection proves to be: its certificate stands in the token, and the server's nonce is signed with the certificate's key, so that
 * nothing that was overheard opens anything. Throws a sentence when it proves nothing.
 */
export function identify(
  ca: X509Certificate,
  { connect_opts: { auth_token: token = '', sig = '' }, client_info: { nonce = '' } }: AuthorizationRequest,
  nowMs: number,
): AgentName & { endsMs: number } {
  if (token === '' || token.length > TOKEN_LIMIT) throw new Error('no certificate of an agent was shown');
  if (nonce === '') throw new Error('the server sends no nonce');
  const certificate = new X509Certificate(Buffer.from(token, 'base64url'));
  const [fromMs, endsMs] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  if (!certificate.checkIssued(ca) || !certificate.verify(ca.publicKey))
    throw new Error('the certificate is of another authority');
  if (!(fromMs <= nowMs && nowMs < endsMs)) throw new Error('the certificate has ended');
  if (!certificate.keyUsage?.includes(CLIENT)) throw new Error('the certificate is none of an agent');
  if (!verify('sha256', Buffer.from(nonce), certificate.publicKey, Buffer.from(sig, 'base64url')))
    throw new Error('the nonce is not signed with the key of the certificate');
  const { CN: agent, O: org } = certificate.toLegacyObject().subject as { CN?: unknown; O?: unknown };
  if (typeof agent !== 'string' || typeof org !== 'string' || !WORD.test(agent) || !WORD.test(org))
    throw new Error('the certificate names no agent');
  return { org, agent, endsMs };
}

/** Answers servers that ask who somebody is. */
export function createAuthorization({ ca, issuerSeed, isAllowed, clock, log }: AuthorizationGiven) {
  const issuer = keyOf(issuerSeed);
  const authority = new X509Certificate(ca);
  let working = 0;
  const answer = async (request: AuthorizationRequest): Promise<string> => {
    try {
      const agent = identify(authority, request, clock.now());
      if (!(await isAllowed(agent))) return deny(issuer, request, 'the agent was removed', clock.now());
      return allow(issuer, request, agent, clock.now());
    } catch (error) {
      const reason = reasonOf(error);
      log.debug('somebody without proof was kept out of NATS', { reason });
      return deny(issuer, request, reason.slice(0, 200), clock.now());
    }
  };
  return (message: Msg): void => {
    const request = readRequest(message.string());
    if (request === undefined || working >= AT_A_TIME) return;
    working += 1;
    void answer(request)
      .then((text) => message.respond(text))
      .finally(() => (working -= 1));
  };
}
