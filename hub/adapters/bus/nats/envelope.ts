import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { withTrace } from '../../../tracing.ts';

const pack = promisify(gzip);
const unpack = promisify(gunzip);

/** The header that says whose message it is. */
export const ORG = 'outrider-org';
/** The header that says why a message was put aside. */
export const REASON = 'outrider-reason';
const ENCODING = 'outrider-encoding';
/** Smaller messages are sent as they are. Bytes. */
const SMALL = 4_096;
const UNPACKED_LIMIT = 64 * 1024 * 1024;

/** A message as it travels: its bytes, and headers with its org and its trace. */
export async function seal(org: string, data: Uint8Array): Promise<{ data: Uint8Array; headers: MsgHdrs }> {
  const about = headers();
  for (const [key, value] of Object.entries(withTrace({ [ORG]: org }))) about.set(key, value);
  if (data.length < SMALL) return { data, headers: about };
  about.set(ENCODING, 'gzip');
  return { data: await pack(data, { level: 1 }), headers: about };
}

/** The bytes of a message. */
export async function textOf(message: { data: Uint8Array; headers?: MsgHdrs }): Promise<Uint8Array> {
  if (message.headers?.get(ENCODING) !== 'gzip') return message.data;
  return unpack(message.data, { maxOutputLength: UNPACKED_LIMIT });
}
