import { cursorOf, fixed, lengthEnd, malformed, skip, varint, type Cursor } from './wire.ts';

/** One run of one collector, as `Metrics.blocks` carries it. `values` has a copy of its own. */
export interface DecodedBlock {
  table: bigint;
  timeMs: number;
  values: Float64Array;
}

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function packedDoubles(cursor: Cursor, before: Float64Array): Float64Array {
  const end = lengthEnd(cursor);
  const length = end - cursor.at;
  if (length % 8 !== 0) throw malformed();
  const added = new Float64Array(length / 8);
  if (LITTLE_ENDIAN) new Uint8Array(added.buffer).set(cursor.bytes.subarray(cursor.at, end));
  else
    for (let index = 0; index < added.length; index++)
      added[index] = cursor.view.getFloat64(cursor.at + index * 8, true);
  cursor.at = end;
  if (before.length === 0) return added;
  const joined = new Float64Array(before.length + added.length);
  joined.set(before);
  joined.set(added, before.length);
  return joined;
}

function block(cursor: Cursor): DecodedBlock {
  let table = 0n;
  let timeMs = 0;
  let values: Float64Array = new Float64Array(0);
  while (cursor.at < cursor.end) {
    const tag = varint(cursor);
    if (tag === 0x09) table = cursor.view.getBigUint64(fixed(cursor), true);
    else if (tag === 0x11) timeMs = Number(cursor.view.getBigInt64(fixed(cursor), true));
    else if (tag === 0x1a) values = packedDoubles(cursor, values);
    else if (tag === 0x19) values = Float64Array.of(...values, cursor.view.getFloat64(fixed(cursor), true));
    else skip(cursor, tag & 7);
  }
  return { table, timeMs, values };
}

/**
 * Decodes a `Metrics` message. The schema's own decoder reads each double by itself; this one copies a block's values in one piece.
 * The schema is the oracle of its test.
 */
export function decodeBlocks(bytes: Uint8Array): DecodedBlock[] {
  const cursor = cursorOf(bytes);
  const blocks: DecodedBlock[] = [];
  while (cursor.at < cursor.end) {
    const tag = varint(cursor);
    if (tag !== 0x0a) {
      skip(cursor, tag & 7);
      continue;
    }
    const end = lengthEnd(cursor);
    blocks.push(block({ ...cursor, end }));
    cursor.at = end;
  }
  return blocks;
}

/**
 * The events of a `Metrics` message, each still encoded, without a look at its blocks. Those beyond `most` and those of more than `mostBytes` are left out,
 * and counted.
 */
export function sliceAnomalies(
  bytes: Uint8Array,
  { most, mostBytes }: { most: number; mostBytes: number },
): { events: Uint8Array[]; leftOut: number } {
  const cursor = cursorOf(bytes);
  const events: Uint8Array[] = [];
  let leftOut = 0;
  while (cursor.at < cursor.end) {
    const tag = varint(cursor);
    if (tag !== 0x12) {
      skip(cursor, tag & 7);
      continue;
    }
    const end = lengthEnd(cursor);
    if (events.length < most && end - cursor.at <= mostBytes) events.push(bytes.subarray(cursor.at, end));
    else leftOut += 1;
    cursor.at = end;
  }
  return { events, leftOut };
}
