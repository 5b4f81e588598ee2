import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { TailedLines } from '../pipeline/pipeline.ts';
import type { Checkpoint } from '../spool/index.ts';
import { createLineSplitter } from './line-splitter.ts';

/** A file is known by its first bytes too: an inode alone is used again. */
const FINGERPRINT = 1024;
const CHUNK = 256 * 1024;

/** One buffer for all files: reading is synchronous, and what must last is copied. */
const buffer = Buffer.alloc(CHUNK);

/** An open file that is read on and on. */
export interface FollowedFile {
  path: string;
  device: number;
  inode: number;
  /** Reads the next lines; undefined when nothing new is there. */
  read(): TailedLines | undefined;
  /** Where a restart would go on. */
  checkpoint(): Checkpoint;
  /** True when everything up to the file's end has been read, but for an unfinished line. */
  isAtEnd(): boolean;
  close(): void;
}

function fingerprintOf(file: number, length: number): string | undefined {
  const head = Buffer.alloc(length);
  const got = length === 0 ? 0 : readSync(file, head, 0, length, 0);
  return got < length ? undefined : createHash('sha256').update(head).digest('hex');
}

/** True when the file still begins as it did when the checkpoint was made, and is at least as long. */
function isSame(file: number, checkpoint: Checkpoint): boolean {
  return (
    fstatSync(file).size >= checkpoint.offset &&
    fingerprintOf(file, checkpoint.fingerprintLength) === checkpoint.fingerprint
  );
}

/** Opens a file at its end, its beginning, or where a checkpoint says, if the file is still the same. */
export function followFile(path: string, start: 'end' | 'beginning' | Checkpoint): FollowedFile {
  const file = openSync(path, 'r');
  const { dev: device, ino: inode, size } = fstatSync(file);
  const splitter = createLineSplitter();
  let offset = 0;
  if (start === 'end') offset = size;
  else if (start !== 'beginning') offset = isSame(file, start) ? start.offset : 0;
  let known = { fingerprint: fingerprintOf(file, 0) ?? '', length: 0 };

  const checkpoint = (): Checkpoint => {
    const length = Math.min(FINGERPRINT, offset);
    if (length > known.length) known = { fingerprint: fingerprintOf(file, length) ?? known.fingerprint, length };
    return {
      path,
      device,
      inode,
      fingerprint: known.fingerprint,
      fingerprintLength: known.length,
      offset: offset - splitter.pending(),
    };
  };
  const restart = (): void => {
    offset = 0;
    splitter.reset();
    known = { fingerprint: fingerprintOf(file, 0) ?? '', length: 0 };
  };
  return {
    path,
    device,
    inode,
    read() {
      // Our own place first: a file that shrinks between the two looks is seen as cut, never as grown.
      const before = offset;
      if (fstatSync(file).size < before) restart();
      const got = readSync(file, buffer, 0, CHUNK, offset);
      if (got === 0) return undefined;
      offset += got;
      const lines = splitter.push(buffer.subarray(0, got));
      return { path, lines, bytes: got, checkpoint: checkpoint() };
    },
    checkpoint,
    isAtEnd: () => fstatSync(file).size <= offset,
    close: () => closeSync(file),
  };
}
