import { closeSync, fsyncSync, ftruncateSync, openSync, readdirSync, readSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { decodeFrame, type Reading } from './frames.ts';

/** A file of the spool. */
export interface Segment {
  /** Grows by one with each segment. */
  number: number;
  path: string;
  bytes: number;
  /** Epoch of its batches; undefined while that is not known. */
  epoch: bigint | undefined;
  /** Newest seq in it; undefined while that is not known. */
  last: bigint | undefined;
  /** True once what is damaged in it was counted: a reader may come by more than once. */
  isCounted?: boolean;
}

const NAME = /^segment-(\d{10})\.spool$/;

/** The path of a segment. */
export function segmentPath(folder: string, number: number): string {
  return join(folder, `segment-${String(number).padStart(10, '0')}.spool`);
}

/** The segments of a folder, oldest first. */
export function listSegments(folder: string): Segment[] {
  return readdirSync(folder)
    .flatMap((name) => {
      const match = NAME.exec(name);
      if (match === null) return [];
      const path = join(folder, name);
      return [{ number: Number(match[1]), path, bytes: statSync(path).size, epoch: undefined, last: undefined }];
    })
    .sort((a, b) => a.number - b.number);
}

/** Makes a change of a folder's names durable. */
export function fsyncFolder(folder: string): void {
  if (process.platform === 'win32') return; // A folder cannot be opened there.
  const file = openSync(folder, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Reads frames of one segment in order. Only what lies below `limit` is looked at. */
export interface SegmentReader {
  /** The next frame; `short` at the end of what is written, `bad` where the file is damaged. */
  next(limit: number): Reading;
  offset(): number;
  close(): void;
}

const WINDOW = 256 * 1024;

/** Opens a segment for reading; memory stays within a window, or the largest frame. */
export function openSegment(path: string): SegmentReader {
  const file = openSync(path, 'r');
  let buffer = Buffer.alloc(WINDOW);
  let start = 0;
  let filled = 0;
  let offset = 0;
  const fill = (wanted: number, limit: number): void => {
    if (start > 0) {
      buffer.copyWithin(0, start, start + filled);
      start = 0;
    }
    if (wanted > buffer.length) {
      const larger = Buffer.alloc(wanted);
      buffer.copy(larger, 0, 0, filled);
      buffer = larger;
    }
    for (;;) {
      const most = Math.min(buffer.length - filled, limit - offset - filled);
      const got = most <= 0 ? 0 : readSync(file, buffer, filled, most, offset + filled);
      if (got === 0) return;
      filled += got;
    }
  };
  return {
    next(limit) {
      const look = (): Reading => decodeFrame(buffer.subarray(start, start + filled));
      let reading = look();
      // Twice: the header first, then as much as it says.
      for (let tries = 0; reading.state === 'short' && tries < 2; tries++) {
        fill(reading.wanted, limit);
        reading = look();
      }
      if (reading.state !== 'frame') return reading;
      start += reading.length;
      filled -= reading.length;
      offset += reading.length;
      // The payload must survive the next call.
      return { ...reading, payload: Buffer.from(reading.payload) };
    },
    offset: () => offset,
    close: () => closeSync(file),
  };
}

/** Cuts a segment's damaged end off. */
export function truncateSegment(path: string, length: number): void {
  const file = openSync(path, 'r+');
  try {
    ftruncateSync(file, length);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Deletes a segment. */
export function removeSegment({ path }: Segment): void {
  rmSync(path, { force: true });
}
