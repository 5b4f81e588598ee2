/** What is no message of protobuf. */
export const malformed = (): Error => new Error('a message of a batch is malformed');

/** Where a reader is. Only as much of protobuf as the messages that are read by hand use. */
export interface Cursor {
  bytes: Uint8Array;
  view: DataView;
  at: number;
  end: number;
}

/** A number of at most 35 bits: a tag, a length. */
export function varint(cursor: Cursor): number {
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
export function lengthEnd(cursor: Cursor): number {
  const end = varint(cursor) + cursor.at;
  if (end > cursor.end) throw malformed();
  return end;
}

/** Steps over a field that nobody asked for. */
export function skip(cursor: Cursor, wire: number): void {
  if (wire === 0) {
    while (cursor.at < cursor.end && (cursor.bytes[cursor.at] as number) >= 0x80) cursor.at += 1;
    cursor.at += 1;
  } else if (wire === 1) cursor.at += 8;
  else if (wire === 2) cursor.at = lengthEnd(cursor);
  else if (wire === 5) cursor.at += 4;
  else throw malformed();
  if (cursor.at > cursor.end) throw malformed();
}

/** Steps over eight bytes and gives where they begin. */
export function fixed(cursor: Cursor): number {
  const at = cursor.at;
  if (at + 8 > cursor.end) throw malformed();
  cursor.at = at + 8;
  return at;
}

/** Stands at the beginning of a message. */
export const cursorOf = (bytes: Uint8Array): Cursor => ({
  bytes,
  view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  at: 0,
  end: bytes.length,
});
