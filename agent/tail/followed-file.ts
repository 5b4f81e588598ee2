import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Checkpoint } from '../spool/index.ts';
import { beginsAs, findCopy, FINGERPRINT_BYTES, fingerprintOf, type Fingerprint } from './fingerprint.ts';

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

/** An open file that is read on and on. */
export interface FollowedFile {
  /** The name under which its lines are known. */
  readonly path: string;
  readonly device: number;
  readonly inode: number;
  /** Reads on; undefined when nothing new is there. An unfinished line waits in the file. */
  read(): Piece | undefined;
  /** The unfinished line at the end, for a file that nobody writes to any more. */
  finish(): Piece | undefined;
  /** Where a restart would go on. */
  checkpoint(): Checkpoint;
  /** True when no name leads to it any more. */
  isDeleted(): boolean;
  close(): void;
}

/** How a file is opened. */
export interface FollowOptions {
  /** The name under which its lines are known. */
  path: string;
  /** Where it lies now, if it was renamed. */
  at?: string;
  /** A checkpoint counts if the file still begins as it did; else its copy is looked for, and it is read from the beginning. */
  start: 'end' | 'beginning' | Checkpoint;
  /** Called when a file was truncated before it was read to its end, and no copy has the rest. */
  lost?(bytes: number): void;
}

const NOTHING: Fingerprint = { fingerprint: '', fingerprintLength: 0 };

/** Opens a file for following. */
export function followFile({ path, at = path, start, lost }: FollowOptions): FollowedFile {
  const file = openSync(at, 'r');
  const { dev: device, ino: inode, size } = fstatSync(file);
  let offset = 0;
  /** Inside a line that was cut: its rest is skipped. */
  let skipping = false;
  let known = NOTHING;
  let seenSize = 0;
  /** Size and time of change when nothing but an unfinished line was left: a size alone may come again. */
  let idle = { size: -1, mtimeMs: 0 };
  /** The copy whose end is read before the truncated file's beginning. */
  let copy: number | undefined;

  const checkpoint = (): Checkpoint => {
    const length = Math.min(FINGERPRINT_BYTES, offset);
    if (length > known.fingerprintLength && copy === undefined) known = fingerprintOf(file, length) ?? known;
    return { path, device, inode, ...known, offset, ...(skipping ? { skipping } : {}) };
  };
  const restart = (): void => {
    offset = 0;
    skipping = false;
    known = NOTHING;
    seenSize = 0;
    idle = { size: -1, mtimeMs: 0 };
  };
  const recover = (): void => {
    const place = checkpoint();
    const found = findCopy(place);
    if (found !== undefined) copy = openSync(found, 'r');
    else {
      if (seenSize > place.offset) lost?.(seenSize - place.offset);
      restart();
    }
  };
  if (start === 'end') {
    offset = size;
    checkpoint();
  } else if (start !== 'beginning') {
    offset = start.offset;
    skipping = start.skipping ?? false;
    known = { fingerprint: start.fingerprint, fingerprintLength: start.fingerprintLength };
    if (size < offset || !beginsAs(file, known)) recover();
  }

  /** Skips the rest of a cut line in the first `length` bytes; gives where the next line begins. */
  const skip = (length: number): number => {
    const end = buffer.subarray(0, length).indexOf(NEWLINE);
    skipping = end === -1;
    return skipping ? length : end + 1;
  };
  const take = (from: number): Piece | undefined => {
    const got = readSync(from, buffer, 0, buffer.length, offset);
    if (got === 0) return undefined;
    const begin = skipping ? skip(got) : 0;
    const end = buffer.lastIndexOf(NEWLINE, got - 1) + 1;
    if (end > begin) {
      offset += end;
      return { bytes: buffer.subarray(begin, end), cut: false };
    }
    if (got - begin >= LINE_LIMIT) {
      offset += got;
      skipping = true;
      return { bytes: buffer.subarray(begin, begin + LINE_LIMIT), cut: true };
    }
    offset += begin;
    return begin > 0 ? { bytes: buffer.subarray(0, 0), cut: false } : undefined;
  };
  const rest = (from: number): Piece | undefined => {
    const got = readSync(from, buffer, 0, LINE_LIMIT, offset);
    if (got === 0 || skipping) return undefined;
    offset += got;
    return { bytes: buffer.subarray(0, got), cut: false };
  };
  const readCopy = (from: number): Piece | undefined => {
    const piece = take(from) ?? rest(from);
    if (piece !== undefined) return piece;
    closeSync(from);
    copy = undefined;
    restart();
    return undefined;
  };

  const read = (): Piece | undefined => {
    if (copy !== undefined) {
      const piece = readCopy(copy);
      if (piece !== undefined) return piece;
    }
    // Our own place first: a file that shrinks between the two looks is seen as cut, never as grown.
    const before = offset;
    const { size: now, mtimeMs } = fstatSync(file);
    if (now === idle.size && mtimeMs === idle.mtimeMs) return undefined;
    if (now < before || !beginsAs(file, known)) {
      recover();
      return read();
    }
    seenSize = now;
    const piece = take(file);
    if (piece === undefined) idle = { size: now, mtimeMs };
    return piece;
  };

  return {
    path,
    device,
    inode,
    read,
    finish: () => (copy === undefined ? rest(file) : undefined),
    checkpoint,
    isDeleted: () => fstatSync(file).nlink === 0,
    close() {
      closeSync(file);
      if (copy !== undefined) closeSync(copy);
      copy = undefined;
    },
  };
}
