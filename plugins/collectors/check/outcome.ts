import { Type, type Static } from 'typebox';
import type { CheckTarget } from './settings.ts';

/** What was seen of a certificate. */
export const Certificate = Type.Object({
  /** When it ends, in milliseconds since 1970. */
  endsAt: Type.Number(),
  /** Why it is not to be trusted for this host; absent when it is. */
  fault: Type.Optional(Type.String()),
});

/** What a check saw. */
export const Outcome = Type.Object({
  /** Why nothing more was seen. */
  fault: Type.Optional(Type.String()),
  status: Type.Optional(Type.Number()),
  bytes: Type.Optional(Type.Number()),
  /** Whether the text was in the answer; absent when none was looked for. */
  isFound: Type.Optional(Type.Boolean()),
  certificate: Type.Optional(Certificate),
  addresses: Type.Optional(Type.Number()),
});
export type Outcome = Static<typeof Outcome>;

const DAY_MS = 86_400_000;

/** True when a status is one of those in a list such as `204` and `2xx`. */
export function isExpected(status: number, expected: readonly string[]): boolean {
  return expected.some((one) => one === String(status) || (one.endsWith('xx') && one[0] === String(status)[0]));
}

/** Why a check failed; `undefined` when all that it demands was so. */
export function faultOf(
  outcome: Outcome,
  target: Pick<CheckTarget, 'expectedStatus' | 'minDays' | 'tls'>,
  now: number,
): string | undefined {
  // prettier-ignore
  const { fault, status, isFound, certificate, addresses } = outcome;
  if (fault !== undefined) return fault;
  if (certificate?.fault !== undefined && target.tls.verify)
    return `the certificate is not valid: ${certificate.fault}`;
  if (certificate !== undefined && certificate.endsAt - now < target.minDays * DAY_MS)
    return `the certificate ends within ${target.minDays} days`;
  if (status !== undefined && !isExpected(status, target.expectedStatus)) return `the answer is status ${status}`;
  if (isFound === false) return 'the answer does not hold the text';
  return addresses === 0 ? 'the name has no address' : undefined;
}
