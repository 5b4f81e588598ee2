import { createHmac, timingSafeEqual } from 'node:crypto';

const mac = (secret: string, seconds: number, body: string): string =>
  createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');

/** The value of `x-outrider-signature`: HMAC-SHA256 over the time in seconds, a full stop and the body. */
export function sign(secret: string, timeMs: number, body: string): string {
  const seconds = Math.floor(timeMs / 1000);
  return `t=${seconds},v1=${mac(secret, seconds, body)}`;
}

/** What a receiver does: true when the signature fits the body and is not older than `toleranceMs`. */
export function verify(
  signature: string,
  given: { secret: string; body: string; nowMs: number; toleranceMs: number },
): boolean {
  const match = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(signature);
  if (match === null) return false;
  const seconds = Number(match[1]);
  if (Math.abs(given.nowMs - seconds * 1000) > given.toleranceMs) return false;
  const [claimed, real] = [match[2] ?? '', mac(given.secret, seconds, given.body)];
  return timingSafeEqual(Buffer.from(claimed), Buffer.from(real));
}
