import { cursorOf, fixed, lengthEnd, malformed, skip, varint, type Cursor } from './wire.ts';

/** Who is told what the lines of a `Logs` message are of. */
export interface LineVisitor {
  /** The lines that follow are of this source. */
  source(name: string): void;
  /** A line: its template's id as two halves of 32 bits, both 0 where it has none, and its time. */
  line(high: number, low: number, timeMs: number): void;
  /** A template that took others in; both as ids. */
  merged(into: bigint, from: bigint): void;
}

/** Bytes of a source's name that are read. */
const SOURCE_BYTES = 4096;
const UTF8 = new TextDecoder();

/** One line. What is said twice counts as it was said last, as in the schema's decoder. */
function line(cursor: Cursor, visitor: LineVisitor): void {
  const { view } = cursor;
  let [high, low, timeMs] = [0, 0, 0];
  while (cursor.at < cursor.end) {
    const tag = varint(cursor);
    if (tag === 0x31) {
      const at = fixed(cursor);
      low = view.getUint32(at, true);
      high = view.getUint32(at + 4, true);
    } else if (tag === 0x09) {
      const at = fixed(cursor);
      timeMs = view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
    } else skip(cursor, tag & 7);
  }
  visitor.line(high, low, timeMs);
}

function sourceOf(chunk: Cursor): string {
  const cursor = { ...chunk };
  let [from, to] = [0, 0];
  while (cursor.at < cursor.end) {
    const tag = varint(cursor);
    if (tag === 0x0a) {
      to = lengthEnd(cursor);
      from = cursor.at;
      cursor.at = to;
    } else skip(cursor, tag & 7);
  }
  return UTF8.decode(chunk.bytes.subarray(from, Math.min(to, from + SOURCE_BYTES)));
}

function chunk(cursor: Cursor, visitor: LineVisitor): void {
  visitor.source(sourceOf(cursor));
  const { end } = cursor;
  while (cursor.at < end) {
    const tag = varint(cursor);
    if (tag === 0x12) {
      cursor.end = lengthEnd(cursor);
      line(cursor, visitor);
      cursor.end = end;
    } else skip(cursor, tag & 7);
  }
}

function template(cursor: Cursor, visitor: LineVisitor): void {
  const { view } = cursor;
  let into = 0n;
  const places: number[] = [];
  while (cursor.at < cursor.end) {
    const tag = varint(cursor);
    if (tag === 0x09) into = view.getBigUint64(fixed(cursor), true);
    else if (tag === 0x19) places.push(fixed(cursor));
    else if (tag === 0x1a) {
      const end = lengthEnd(cursor);
      if ((end - cursor.at) % 8 !== 0) throw malformed();
      while (cursor.at < end) places.push(fixed(cursor));
    } else skip(cursor, tag & 7);
  }
  for (const place of places) visitor.merged(into, view.getBigUint64(place, true));
}

/**
 * Walks a `Logs` message and tells what each line is of. Texts, attributes and parameters are stepped over, so that a line costs the same however long it is.
 * The schema's own decoder is the oracle of its test. Throws where the bytes are no message; what was told until then was told.
 */
export function visitLines(bytes: Uint8Array, visitor: LineVisitor): void {
  const cursor = cursorOf(bytes);
  const { end } = cursor;
  while (cursor.at < end) {
    const tag = varint(cursor);
    if (tag !== 0x0a && tag !== 0x22) {
      skip(cursor, tag & 7);
      continue;
    }
    cursor.end = lengthEnd(cursor);
    if (tag === 0x0a) chunk(cursor, visitor);
    else template(cursor, visitor);
    cursor.end = end;
  }
}
