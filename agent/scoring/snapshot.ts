import { crc32 } from 'node:zlib';
import { problems } from '../errors.ts';
import { BYTES, COUNTS, emptyMemory, FLOATS, LEVEL_TRAIL, LEVELS, TRAIL, type Memory } from './layout.ts';

/** First bytes of a snapshot, and the version of what follows; another version is not read. */
const MAGIC = 0x4f52_5344;
const VERSION = 4;
/** magic, version, floats, counts and bytes of one metric (2 each), metrics, CRC32 of all that follows. */
const HEAD = 4 + 2 + 6 + 4 + 4;
const ONE = 1 + FLOATS * 8 + COUNTS * 4 + BYTES;
/** More metrics than this were never written. */
const MOST_METRICS = 100_000;

/** All that a detector knows, as bytes: about 4 kB a metric. Numbers are little-endian; places stay what they were. */
export function snapshotOf(memory: Memory): Uint8Array {
  const metrics = memory.kinds.length;
  const bytes = new Uint8Array(HEAD + metrics * ONE);
  const view = new DataView(bytes.buffer);
  let at = HEAD;
  bytes.set(memory.kinds, at);
  at += metrics;
  for (const value of memory.floats) at = (view.setFloat64(at, value, true), at + 8);
  for (const value of memory.counts) at = (view.setFloat32(at, value, true), at + 4);
  bytes.set(memory.bytes, at);
  view.setUint32(0, MAGIC);
  view.setUint16(4, VERSION);
  [FLOATS, COUNTS, BYTES].forEach((size, n) => view.setUint16(6 + 2 * n, size));
  view.setUint32(12, metrics);
  view.setUint32(16, crc32(bytes.subarray(HEAD)));
  return bytes;
}

const damaged = (what: string): Error =>
  problems.damagedScores(`What was known of metrics cannot be used: ${what}. They are learnt anew.`);

/** Nothing may be where it would lead the detector out of its own arrays or make it answer no number. */
function isSound({ floats, counts, bytes, kinds }: Memory): boolean {
  if (kinds.some((kind) => kind > 2)) return false;
  if (!floats.every(Number.isFinite) || !counts.every((count) => count >= 0 && Number.isFinite(count))) return false;
  return bytes.every((byte, n) => n % BYTES < LEVEL_TRAIL || n % BYTES >= LEVEL_TRAIL + TRAIL || byte < LEVELS);
}

/** What `snapshotOf` wrote. Throws `agent.damaged-scores` for bytes of another version, cut short, changed, or never written by it. */
export function memoryOf(bytes: Uint8Array): Memory {
  if (bytes.length < HEAD) throw damaged('it is cut short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== MAGIC) throw damaged('it is none of it');
  const sizes = [FLOATS, COUNTS, BYTES];
  if (view.getUint16(4) !== VERSION || sizes.some((size, n) => view.getUint16(6 + 2 * n) !== size))
    throw damaged('another version wrote it');
  const metrics = view.getUint32(12);
  if (metrics > MOST_METRICS || bytes.length !== HEAD + metrics * ONE) throw damaged('its length is wrong');
  if (view.getUint32(16) !== crc32(bytes.subarray(HEAD))) throw damaged('its checksum is wrong');
  const memory = emptyMemory(metrics);
  let at = HEAD;
  memory.kinds.set(bytes.subarray(at, at + metrics));
  at += metrics;
  for (let n = 0; n < memory.floats.length; n++, at += 8) memory.floats[n] = view.getFloat64(at, true);
  for (let n = 0; n < memory.counts.length; n++, at += 4) memory.counts[n] = view.getFloat32(at, true);
  memory.bytes.set(bytes.subarray(at));
  if (!isSound(memory)) throw damaged('it holds what no detector writes');
  return memory;
}
