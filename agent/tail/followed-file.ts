import { closeSync, fstatSync, openSync } from 'node:fs';
import type { FileCheckpoint } from '../spool/index.ts';
import { takeLines, takeRest, type Cursor, type Piece } from './cursor.ts';
import { bornMs, createBeginning, findCopy, NOTHING } from './fingerprint.ts';

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
  /** True when no name leads to it any more. */
  isDeleted(): boolean;
  close(): void;
}

/** How an open file is followed. */
export interface FollowOptions {
  /** The name under which its lines are known. */
  path: string;
  /** A checkpoint counts if the file still begins as it did; else its copy is looked for, and it is read from the beginning. */
  start: 'end' | 'beginning' | FileCheckpoint;
  /** Called when a file was truncated before it was read to its end, and no copy has the rest, with the time of its last change that was seen. */
  lost?(bytes: number, fromMs: number): void;
  /** Called when a copy was found that holds the rest of a truncated file, with the time when it was made; before any of it is read. */
  foundCopy?(atMs: number): void;
}

/** Size and time of change when nothing but an unfinished line was left: a size alone may come again. */
const NEVER_IDLE = { size: -1, mtimeMs: 0 };

/** Follows an open file and closes it at the end. */
export function followFile(file: number, { path, start, lost, foundCopy }: FollowOptions): FollowedFile {
  const { dev: device, ino: inode, size } = fstatSync(file);
  const cursor: Cursor = { offset: 0, skipping: false };
  const beginning = createBeginning(file);
  let seen = { size: 0, mtimeMs: 0 };
  let idle = NEVER_IDLE;
  /** The copy whose end is read before the truncated file's beginning. */
  let copy: number | undefined;

  const checkpoint = (): FileCheckpoint => {
    const { offset, skipping } = cursor;
    if (copy === undefined) beginning.learn(offset);
    return { path, device, inode, ...beginning.known(), offset, ...(skipping ? { skipping } : {}) };
  };
  const restart = (): void => {
    Object.assign(cursor, { offset: 0, skipping: false });
    beginning.become(NOTHING);
    seen = { size: 0, mtimeMs: 0 };
    idle = NEVER_IDLE;
  };
  const recover = (): void => {
    const place = checkpoint();
    const found = findCopy(place);
    if (found !== undefined) {
      copy = openSync(found, 'r');
      foundCopy?.(bornMs(fstatSync(copy)));
      return;
    }
    if (seen.size > place.offset) lost?.(seen.size - place.offset, seen.mtimeMs);
    restart();
  };
  if (start === 'end') {
    cursor.offset = size;
    checkpoint();
  } else if (start !== 'beginning') {
    Object.assign(cursor, { offset: start.offset, skipping: start.skipping ?? false });
    beginning.become(start);
    if (size < start.offset || !beginning.holds()) recover();
  }

  const readCopy = (from: number): Piece | undefined => {
    const piece = takeLines(from, cursor) ?? takeRest(from, cursor);
    if (piece === undefined) {
      closeSync(from);
      copy = undefined;
      restart();
    }
    return piece;
  };
  const read = (): Piece | undefined => {
    const copied = copy === undefined ? undefined : readCopy(copy);
    if (copied !== undefined) return copied;
    // Our own place first: a file that shrinks between the two looks is seen as cut, never as grown.
    const before = cursor.offset;
    const { size: now, mtimeMs } = fstatSync(file);
    if (now === idle.size && mtimeMs === idle.mtimeMs) return undefined;
    if (now < before || !beginning.holds()) {
      recover();
      return read();
    }
    seen = { size: now, mtimeMs };
    const piece = takeLines(file, cursor);
    if (piece === undefined) idle = seen;
    return piece;
  };

  return {
    path,
    device,
    inode,
    read,
    finish: () => (copy === undefined ? takeRest(file, cursor) : undefined),
    checkpoint,
    isDeleted: () => fstatSync(file).nlink === 0,
    close() {
      for (const open of [file, copy]) if (open !== undefined) closeSync(open);
      copy = undefined;
    },
  };
}
