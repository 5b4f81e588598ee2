/** One run of one collector, as `Metrics.blocks` carries it. `values` has a copy of its own. */
export interface DecodedBlock {
  table: bigint;
  timeMs: number;
  values: Float64Array;
}

const malformed = (): Error => new Error('the metrics of a batch are malformed');

/** Where the reader is. Only as much of protobuf as these two messages use. */
interface Cursor {
  bytes: Uint8Array;
  view: DataView;
  at: number;
  end: number;
}

function varint(cursor: Cursor): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    if (cursor.at >= cursor.end) throw malformed();
    const byte = cursor.bytes[cursor.at++] as number;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  throw malformed();
}

/** Takes a length and gives where that many bytes end. */
function lengthEnd(cursor: Cursor): number {
  const end = varint(cursor) + cursor.at;
  if (end > cursor.end) throw malformed();
  return end;
}

function skip(cursor: Cursor, wire: number): void {
  if (wire === 0) {
    while (cursor.at < cursor.end && (cursor.bytes[cursor.at] as number) >= 0x80) cursor.at += 1;
    cursor.at += 1;
  } else if (wire === 1) cursor.at += 8;
  else if (wire === 2) cursor.at = lengthEnd(cursor);
  else if (wire === 5) cursor.at += 4;
  else throw malformed();
  if (cursor.at > cursor.end) throw malformed();
}

function fixed(cursor: Cursor): number {
  const at = cursor.at;
  if (at + 8 > cursor.end) throw malformed();
  cursor.at = at + 8;
  return at;
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
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const cursor: Cursor = { bytes, view, at: 0, end: bytes.length };
  const blocks: DecodedBlock[] = [];
  while (cursor.at < cursor.end) {
    const tag = varint(cursor);
    if (tag !== 0x0a) {
      skip(cursor, tag & 7);
      continue;
    }
    const end = lengthEnd(cursor);
    blocks.push(block({ bytes, view, at: cursor.at, end }));
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
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const cursor: Cursor = { bytes, view, at: 0, end: bytes.length };
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
