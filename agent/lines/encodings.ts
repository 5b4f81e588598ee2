import { isUtf8 } from 'node:buffer';

/** How the bytes of a file become text. */
export const ENCODINGS = ['auto', 'utf-8', 'utf-16le', 'utf-16be', 'latin1'] as const;
export type TextEncoding = (typeof ENCODINGS)[number];

const NEWLINE = 10;
const MARK = Buffer.from('\uFEFF');

/** True where lines end in two bytes. */
export function isWide(encoding: TextEncoding): encoding is 'utf-16le' | 'utf-16be' {
  return encoding === 'utf-16le' || encoding === 'utf-16be';
}

/** Bytes that tell a byte order mark from bytes that only look so. */
export const MARK_BYTES = 4;

/** What the first bytes of a file say: a byte order mark of UTF-16, and a first character that is of ASCII or latin1. */
export function encodingOfMark([first, second, third, fourth]: Uint8Array): TextEncoding | undefined {
  if (first === 0xff && second === 0xfe && fourth === 0) return 'utf-16le';
  return first === 0xfe && second === 0xff && third === 0 ? 'utf-16be' : undefined;
}

function withoutMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes.subarray(0, 3).equals(MARK) ? bytes.subarray(3) : bytes;
}

/** Gives bytes as UTF-8; what cannot be read becomes the replacement character. UTF-8 itself is not copied. */
export function toUtf8(bytes: Buffer, encoding: TextEncoding): Buffer {
  if (encoding === 'latin1') return Buffer.from(bytes.toString('latin1'));
  if (isWide(encoding)) {
    const even = bytes.subarray(0, bytes.length - (bytes.length % 2));
    const little = encoding === 'utf-16le' ? even : Buffer.from(even).swap16();
    return withoutMark(Buffer.from(little.toString('utf16le')));
  }
  return isUtf8(bytes) ? withoutMark(bytes) : withoutMark(Buffer.from(bytes.toString('utf8')));
}

/** How many bytes of the file its last lines took, given what they became; each has its newline. */
export function sizeOfLines(bytes: Buffer, encoding: TextEncoding, lines: Buffer): number {
  if (isWide(encoding)) return 2 * lines.toString('utf8').length;
  let begin = bytes.length;
  for (let at = lines.indexOf(NEWLINE); at !== -1; at = lines.indexOf(NEWLINE, at + 1))
    begin = begin < 2 ? 0 : bytes.lastIndexOf(NEWLINE, begin - 2) + 1;
  return bytes.length - begin;
}
