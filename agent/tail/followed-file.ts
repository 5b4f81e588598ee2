import { closeSync, fstatSync, openSync, type Stats } from 'node:fs';
import type { FileCheckpoint } from '../spool/index.ts';
import { consumed, endOf, takeLines, takeRest, type Cursor, type Piece } from './cursor.ts';
import { findCopies, type Sibling } from './rotated.ts';
import { beginningOf, bytesAt, createTrace, holds } from './trace.ts';
import type { TextEncoding } from '../lines/index.ts';

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
  checkpoint(): FileCheckpoint;
  /** True when a path leads to a copy of what was read of this file, perhaps one that is being made. */
  isCopiedAt(test: (file: number, offset: number) => boolean): boolean;
  /** The same, and what its text begins with even if nothing of it was read yet. */
  placeToPark(): FileCheckpoint;
  /** True when its text begins so, read or not. */
  beginsWith(head: Buffer): boolean;
  /** True when no name leads to it any more. */
  isDeleted(): boolean;
  /** True when it is as it was when it was read to its end; an unfinished line may be left. */
  isAsRead(): boolean;
  /** Its size and time of change now. */
  now(): { size: number; mtimeMs: number };
  close(): void;
}

/** What becomes of a file that was truncated. */
export interface TruncatedFile {
  /** Where it was read to before. */
  place: FileCheckpoint;
  /** Copies that hold the rest, the longest first; it is read next. */
  copies: readonly Sibling[];
  /** Bytes that were seen and not read. */
  unread: number;
  /** When those were written at the latest, milliseconds since 1970. */
  seenMs: number;
}

/** How an open file is followed. */
export interface FollowOptions {
  /** The name under which its lines are known. */
  path: string;
  /** A checkpoint counts if the file is still the one that was read; else its copy is looked for, and it is read from the beginning. */
  start: 'end' | 'beginning' | FileCheckpoint;
  /** When it was last seen to be as the checkpoint says. */
  seenMs?: number | undefined;
  /** What the settings say; by its byte order mark unless given. */
  encoding?: TextEncoding | undefined;
  /** Called when a file turns out to be truncated or written anew, before anything more is read. */
  truncated?(what: TruncatedFile): void;
  /** Called when a copy was read to its end and the file itself comes next. */
  endedCopy?(madeMs: number): void;
}

/** Size and time of change when nothing but an unfinished line was left: a size alone may come again. */
const NEVER_IDLE = { size: -1, mtimeMs: 0 };

/** A text that is read on, in whatever file it lies. */
function createText(encoding: TextEncoding | undefined) {
  const cursor: Cursor = { offset: 0, skipping: false, encoding };
  const trace = createTrace();
  return {
    cursor,
    trace,
    /** Where it was read to. */
    place() {
      const { offset, skipping } = cursor;
      return { ...trace.trait(), offset, ...(skipping ? { skipping } : {}) };
    },
    startAtEnd(file: number, size: number): void {
      cursor.offset = endOf(file, size, cursor);
      trace.learn(file, cursor.offset);
    },
    /** Goes on at a place; false when the file holds another text by now. */
    goOnAt(file: number, size: number, place: FileCheckpoint): boolean {
      Object.assign(cursor, { offset: place.offset, skipping: place.skipping ?? false });
      const isIts = size >= place.offset && holds(file, place);
      if (isIts) trace.learn(file, place.offset);
      return isIts;
    },
    restart() {
      Object.assign(cursor, { offset: 0, skipping: false });
      trace.clear();
    },
    /** Takes from a file and remembers what was taken; undefined when nothing is there. Says when the file turns out to hold another text. */
    take(from: number, how: typeof takeLines): Piece | undefined | 'changed' {
      const before = { ...cursor };
      const piece = how(from, cursor);
      // Only now: a file that is written anew before this look is noticed, and one that is later cannot harm what was read.
      if (!trace.isIn(from)) {
        Object.assign(cursor, before);
        return 'changed';
      }
      if (cursor.offset > before.offset) trace.add(consumed(cursor.offset - before.offset), cursor.offset);
      return piece;
    },
  };
}

/** Follows an open file and closes it at the end. */
export function followFile(
  file: number,
  { path, start, seenMs = 0, encoding, truncated, endedCopy }: FollowOptions,
): FollowedFile {
  const { dev: device, ino: inode, birthtimeMs, size } = fstatSync(file);
  const born = birthtimeMs > 0 ? { bornMs: birthtimeMs } : {};
  const { cursor, trace, ...text } = createText(encoding);
  let seen = { size: 0, mtimeMs: seenMs };
  let idle = NEVER_IDLE;
  /** The copy whose end is read before the truncated file's beginning. */
  let copy: { file: number; madeMs: number } | undefined;
  let isClosed = false;

  const checkpoint = (): FileCheckpoint => ({ path, device, inode, ...born, ...text.place() });
  const restart = (): void => {
    text.restart();
    seen = { size: 0, mtimeMs: 0 };
    idle = NEVER_IDLE;
  };
  const recover = (place: FileCheckpoint): void => {
    const copies = findCopies(place);
    truncated?.({ place, copies, unread: Math.max(0, seen.size - place.offset), seenMs: seen.mtimeMs });
    const [longest] = copies;
    if (longest === undefined) return restart();
    copy = { file: openSync(longest.path, 'r'), madeMs: longest.stat.mtimeMs };
    trace.learn(copy.file, place.offset);
  };
  if (start === 'end') text.startAtEnd(file, size);
  else if (start !== 'beginning' && !text.goOnAt(file, size, start)) recover(start);

  const readCopy = (from: { file: number; madeMs: number }): Piece | undefined => {
    const lines = text.take(from.file, takeLines);
    const piece = lines ?? text.take(from.file, takeRest);
    if (piece !== undefined && piece !== 'changed') return piece;
    closeSync(from.file);
    copy = undefined;
    restart();
    endedCopy?.(from.madeMs);
    return undefined;
  };
  const isAsIdle = ({ size: now, mtimeMs }: Stats): boolean => now === idle.size && mtimeMs === idle.mtimeMs;
  const read = (): Piece | undefined => {
    const copied = copy === undefined ? undefined : readCopy(copy);
    if (copied !== undefined || isClosed) return copied; // Closed to make room for another copy.
    // Our own place first: a file that shrinks between the two looks is seen as cut, never as grown.
    const before = cursor.offset;
    const stat = fstatSync(file);
    if (isAsIdle(stat)) return undefined;
    const piece = stat.size < before ? 'changed' : text.take(file, takeLines);
    if (piece === 'changed') {
      recover(checkpoint());
      return copy === undefined ? undefined : read();
    }
    seen = { size: stat.size, mtimeMs: stat.mtimeMs };
    if (piece === undefined) idle = seen;
    return piece;
  };

  return {
    ...{ path, device, inode, read, checkpoint },
    finish() {
      const piece = copy === undefined ? text.take(file, takeRest) : undefined;
      return piece === 'changed' ? undefined : piece;
    },
    placeToPark() {
      const place = checkpoint();
      return place.fingerprintLength > 0 ? place : { ...place, ...beginningOf(copy?.file ?? file) };
    },
    isCopiedAt: (test) => copy === undefined && test(file, cursor.offset),
    beginsWith: (head) => head.length > 0 && bytesAt(file, 0, head.length).equals(head),
    isDeleted: () => fstatSync(file).nlink === 0,
    isAsRead: () => copy === undefined && isAsIdle(fstatSync(file)),
    now: () => fstatSync(file),
    close() {
      isClosed = true;
      for (const open of [file, copy?.file]) if (open !== undefined) closeSync(open);
      copy = undefined;
    },
  };
}
