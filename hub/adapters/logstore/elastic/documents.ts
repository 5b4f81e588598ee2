import { createHash } from 'node:crypto';
import type { LogAttributes, LogLineWrite, LogWrite, StoredLine } from '../../../ports/logstore.ts';

/** A batch and whose it is. */
export interface OrgWrite extends LogWrite {
  org: string;
}

/** A line as it lies in an index. `n` rises in the order of storing, some millionths of a second since 1970. */
export interface LineDocument extends Omit<LogLineWrite, 'timeMs'> {
  '@timestamp': number;
  n: number;
  org: string;
  resource: string;
}

/** A document that a bulk sends: what to do and with what, a line of JSON each. */
export interface Operation {
  action: string;
  document: string;
}

/** Times beyond are no dates. */
const LATEST_MS = 8.64e15;
/** As base64url without padding, which Elasticsearch packs: 20 characters. */
const HASH_BYTES = 15;

/** A time that is a date. */
export const bounded = (ms: number): number => Math.min(LATEST_MS, Math.max(-LATEST_MS, Math.ceil(ms)));

/** Half characters, which no encoding can carry, become U+FFFD. */
export const encodable = (text: string): string => Buffer.from(text).toString();

/** Names and values that the server takes: none is without characters, none has a zero byte. */
function encodableAttributes(attributes: LogAttributes): LogAttributes {
  const whole = (text: string): string => encodable(text).replaceAll('\0', '\uFFFD');
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) => (name === '' ? [] : [[whole(name), whole(value)]])),
  );
}

function hashOf(parts: readonly unknown[]): string {
  const bytes = createHash('sha256')
    .update(JSON.stringify(parts.map(String)))
    .digest();
  return bytes.subarray(0, HASH_BYTES).toString('base64url');
}

/** The id of the key of a lane. */
export function laneId(org: string, agent: string, epoch: bigint, lane: number): string {
  return hashOf([org, agent, epoch, lane]);
}

/**
 * The lines of a batch. Each has the id that any resend of it has: the hash of the batch's key, and its place therein. So `create` stores it once,
 * and ids of one batch share their beginning, which packs well.
 */
export function linesOf(
  { org, resource, key, lines }: OrgWrite,
  given: { indexOf(timeMs: number): string; nextN(): number },
): (Operation & { index: string })[] {
  const batch = hashOf([org, key.agent, key.epoch, key.lane, key.seq]);
  const place = Buffer.alloc(3);
  return lines.map(({ timeMs, level, source, text, truncated, attributes, template, parameters }, number) => {
    place.writeUIntBE(number, 0, 3);
    const at = bounded(timeMs);
    const index = given.indexOf(at);
    const document: LineDocument = {
      '@timestamp': at,
      n: given.nextN(),
      org,
      resource,
      source: encodable(source),
      level,
      text: encodable(text),
      truncated,
      ...(attributes === undefined ? {} : { attributes: encodableAttributes(attributes) }),
      ...(template === undefined ? {} : { template }),
      ...(parameters === undefined ? {} : { parameters: parameters.map(encodable) }),
    };
    const create = { _index: index, _id: `${batch}${place.toString('base64url')}` };
    return { index, action: JSON.stringify({ create }), document: JSON.stringify(document) };
  });
}

/** The key of a batch. Its seq is the version of the document, so that only a newer one replaces it. */
export function keyOf({ org, key: { agent, epoch, lane, seq } }: OrgWrite, index: string): Operation {
  const id = laneId(org, agent, epoch, lane);
  return {
    action: `{"index":{"_index":${JSON.stringify(index)},"_id":"${id}","version":${seq},"version_type":"external"}}`,
    document: JSON.stringify({ org, agent, epoch: String(epoch), lane, seq: String(seq) }),
  };
}

/** What names a line to callers: its number first, so that texts sort as lines were stored, then where it lies. */
export function storedLine(id: string, document: LineDocument): StoredLine {
  const {
    '@timestamp': timeMs,
    n,
    resource,
    source,
    level,
    text,
    truncated,
    attributes,
    template,
    parameters,
  } = document;
  const name = `${String(n).padStart(16, '0')}-${timeMs}-${id}`;
  const said = {
    ...(attributes === undefined ? {} : { attributes }),
    ...(template === undefined ? {} : { template }),
    ...(parameters === undefined ? {} : { parameters }),
  };
  return { id: name, timeMs, resource, source, level, text, truncated, ...said };
}

/** Where a line lies by its id; undefined when it is none. */
export function placeOf(id: string): { n: number; timeMs: number; document: string } | undefined {
  const [, n, timeMs, document] = /^(\d{16})-(-?\d{1,16})-([\w-]{24})$/.exec(id) ?? [];
  return document === undefined ? undefined : { n: Number(n), timeMs: Number(timeMs), document };
}
