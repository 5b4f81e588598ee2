import { Type, type Static } from 'typebox';

/** What a join token carries, before it is written as text. */
export const JoinToken = Type.Object({
  /** Version of this form. */
  v: Type.Literal(1),
  /** Base address of the hub's web API: https, or http on loopback only. */
  url: Type.String({ minLength: 1, maxLength: 512 }),
  /** `host:port` of the agents' listener. */
  link: Type.String({ minLength: 1, maxLength: 512 }),
  /** SHA-256 of the authority's certificate (DER), lower-case hex. */
  ca: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  id: Type.String({ format: 'uuid' }),
  /** 32 random bytes, base64url. */
  secret: Type.String({ minLength: 43, maxLength: 43 }),
});
export type JoinToken = Static<typeof JoinToken>;

/** How a join token's text begins, so that a leaked one is found by a scanner. */
export const JOIN_TOKEN_PREFIX = 'orj_';

/** Writes a join token as one word. */
export function writeJoinToken(token: JoinToken): string {
  return JOIN_TOKEN_PREFIX + Buffer.from(JSON.stringify(token)).toString('base64url');
}

/** Reads a join token's text; undefined when it is not one. The caller checks it against `JoinToken`. */
export function readJoinToken(text: string): unknown {
  if (!text.startsWith(JOIN_TOKEN_PREFIX) || text.length > 4096) return undefined;
  try {
    return JSON.parse(Buffer.from(text.slice(JOIN_TOKEN_PREFIX.length), 'base64url').toString('utf8'));
  } catch {
    return undefined; // Not JSON: not a token.
  }
}

/** Body of `POST /api/v1/agents/enroll`. The private key stays on the agent. */
export const EnrolRequest = Type.Object(
  {
    token: Type.String({ maxLength: 4096 }),
    publicKey: Type.String({ maxLength: 1024, description: 'SubjectPublicKeyInfo, PEM, P-256.' }),
    hostname: Type.String({ minLength: 1, maxLength: 253 }),
    labels: Type.Optional(Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 256 }))),
  },
  { additionalProperties: false },
);
export type EnrolRequest = Static<typeof EnrolRequest>;

/** Answer to an enrolment. */
export const EnrolReply = Type.Object({
  agentId: Type.String({ format: 'uuid' }),
  resourceName: Type.String(),
  certificate: Type.String({ description: 'PEM chain: the agent first, then the authority.' }),
  ca: Type.String({ description: 'The authority, PEM. Its fingerprint must be the token’s.' }),
  link: Type.String({ description: '`host:port` of the agents’ listener.' }),
});
export type EnrolReply = Static<typeof EnrolReply>;

/** The DNS name in every hub certificate of our authority; agents check it whatever address they dial. */
export const HUB_SERVER_NAME = 'hub.outrider.internal';
