import { readSync } from 'node:fs';

/** A longer line is cut here and flagged, bytes. */
export const LINE_LIMIT = 262_144;

/** One buffer for all files: reading is synchronous, and what must last is copied by the pipeline. */
const buffer = Buffer.allocUnsafeSlow(LINE_LIMIT + 65_536);

const NEWLINE = 10;

/** Bytes of whole lines, each with its newline; or of one line that was cut, or whose file ended, without it. */
export interface Piece {
  /** Valid until the next read of any file. */
  bytes: Buffer;
  /** The one line in it was longer and its end is left out. */
  cut: boolean;
}

/** How far a file was read. */
export interface Cursor {
  offset: number;
  /** Inside a line that was cut: its rest is skipped. */
  skipping: boolean;
}

/** The bytes that the last read moved a cursor over; valid until the next one. */
export function consumed(length: number): Buffer {
  return buffer.subarray(0, length);
}

/** Skips the rest of a cut line in the first `length` bytes of the buffer; gives where the next line begins. */
function skip(cursor: Cursor, length: number): number {
  const end = buffer.subarray(0, length).indexOf(NEWLINE);
  cursor.skipping = end === -1;
  return cursor.skipping ? length : end + 1;
}

/** Reads on as far as lines are whole; undefined when none is. An unfinished line waits in the file. */
export function takeLines(file: number, cursor: Cursor): Piece | undefined {
  const got = readSync(file, buffer, 0, buffer.length, cursor.offset);
  if (got === 0) return undefined;
  const begin = cursor.skipping ? skip(cursor, got) : 0;
  const end = buffer.lastIndexOf(NEWLINE, got - 1) + 1;
  if (end > begin) {
    cursor.offset += end;
    return { bytes: buffer.subarray(begin, end), cut: false };
  }
  if (got - begin >= LINE_LIMIT) {
    cursor.offset += got;
    cursor.skipping = true;
    return { bytes: buffer.subarray(begin, begin + LINE_LIMIT), cut: true };
  }
  cursor.offset += begin;
  return begin > 0 ? { bytes: buffer.subarray(0, 0), cut: false } : undefined;
}

/** Takes the unfinished line at the end of a file that nobody writes to any more. */
export function takeRest(file: number, cursor: Cursor): Piece | undefined {
  const got = readSync(file, buffer, 0, LINE_LIMIT, cursor.offset);
  if (got === 0 || cursor.skipping) return undefined;
  cursor.offset += got;
  return { bytes: buffer.subarray(0, got), cut: false };
}
