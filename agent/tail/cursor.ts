import { readSync } from 'node:fs';
import { encodingOfMark, isWide, MARK_BYTES, type TextEncoding } from '../lines/index.ts';

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
  /** What the file's byte order mark says. */
  encoding?: TextEncoding;
}

/** How far a file was read. */
export interface Cursor {
  offset: number;
  /** Inside a line that was cut: its rest is skipped. */
  skipping: boolean;
  /** What the settings say; `auto` asks the file's byte order mark. */
  encoding?: TextEncoding | undefined;
  /** What it was found to be. */
  found?: TextEncoding | undefined;
}

const mark = Buffer.alloc(MARK_BYTES);

/** How the file is encoded; looked up again whenever it is read from its beginning. */
function encodingOf(file: number, cursor: Cursor): TextEncoding {
  if (cursor.encoding !== undefined && cursor.encoding !== 'auto') return cursor.encoding;
  if (cursor.found === undefined || cursor.offset === 0)
    cursor.found = readSync(file, mark, 0, MARK_BYTES, 0) === MARK_BYTES ? encodingOfMark(mark) : undefined;
  return (cursor.found ??= 'auto');
}

const WIDE_NEWLINES = { 'utf-16le': Buffer.from('\n', 'utf16le'), 'utf-16be': Buffer.from([0, NEWLINE]) };

/** Where the first line in the first `length` bytes of the buffer ends, newline and all; 0 when none does. */
function firstEnd(length: number, encoding: TextEncoding): number {
  const got = buffer.subarray(0, length);
  if (!isWide(encoding)) return got.indexOf(NEWLINE) + 1;
  const newline = WIDE_NEWLINES[encoding];
  let at = got.indexOf(newline);
  // Two bytes that look like a newline may be halves of two characters.
  while (at % 2 === 1) at = got.indexOf(newline, at + 1);
  return at === -1 ? 0 : at + 2;
}

/** Where the last one ends. */
function lastEnd(length: number, encoding: TextEncoding): number {
  if (!isWide(encoding)) return buffer.lastIndexOf(NEWLINE, length - 1) + 1;
  const got = buffer.subarray(0, length);
  const newline = WIDE_NEWLINES[encoding];
  let at = got.lastIndexOf(newline);
  while (at % 2 === 1) at = got.lastIndexOf(newline, at - 1);
  return at === -1 ? 0 : at + 2;
}

/** Where a file of a size is read on from whose content is left out: characters of two bytes begin at even places. */
export function endOf(file: number, size: number, cursor: Cursor): number {
  return isWide(encodingOf(file, cursor)) ? size - (size % 2) : size;
}

/** The bytes that the last read moved a cursor over; valid until the next one. */
export function consumed(length: number): Buffer {
  return buffer.subarray(0, length);
}

/** Skips the rest of a cut line in the first `length` bytes of the buffer; gives where the next line begins. */
function skip(cursor: Cursor, length: number, encoding: TextEncoding): number {
  const end = firstEnd(length, encoding);
  cursor.skipping = end === 0;
  return cursor.skipping ? length : end;
}

/** Reads on as far as lines are whole; undefined when none is. An unfinished line waits in the file. */
export function takeLines(file: number, cursor: Cursor): Piece | undefined {
  const encoding = encodingOf(file, cursor);
  const read = readSync(file, buffer, 0, buffer.length, cursor.offset);
  const got = isWide(encoding) ? read - (read % 2) : read;
  if (got === 0) return undefined;
  const begin = cursor.skipping ? skip(cursor, got, encoding) : 0;
  const end = lastEnd(got, encoding);
  if (end > begin) {
    cursor.offset += end;
    return { bytes: buffer.subarray(begin, end), cut: false, encoding };
  }
  if (got - begin >= LINE_LIMIT) {
    cursor.offset += got;
    cursor.skipping = true;
    return { bytes: buffer.subarray(begin, begin + LINE_LIMIT), cut: true, encoding };
  }
  cursor.offset += begin;
  return begin > 0 ? { bytes: buffer.subarray(0, 0), cut: false, encoding } : undefined;
}

/** Takes the unfinished line at the end of a file that nobody writes to any more. */
export function takeRest(file: number, cursor: Cursor): Piece | undefined {
  const encoding = encodingOf(file, cursor);
  const read = readSync(file, buffer, 0, LINE_LIMIT, cursor.offset);
  const got = isWide(encoding) ? read - (read % 2) : read;
  if (got === 0 || cursor.skipping) return undefined;
  cursor.offset += got;
  return { bytes: buffer.subarray(0, got), cut: false, encoding };
}
