import { join } from 'node:path';
import { diskFiles, type ReadableFile, type SpoolFiles } from './files.ts';
import { decodeFrame, type Reading } from './frames.ts';
import type { Lane } from './records.ts';

/** A file of the spool. */
export interface Segment {
  /** Grows by one with each segment. */
  number: number;
  path: string;
  /** Length of what was written. */
  bytes: number;
  /** Epoch of its batches. */
  epoch: bigint;
  /** The numbers that it holds of each lane. */
  lanes: Partial<Record<Lane, { first: bigint; last: bigint }>>;
}

const NAME = /^segment-(\d{10})\.spool$/;

/** The path of a segment. */
export function segmentPath(folder: string, number: number): string {
  return join(folder, `segment-${String(number).padStart(10, '0')}.spool`);
}

/** A segment as it lies in the folder. */
export interface ListedSegment extends Segment {
  /** When it was written to last, milliseconds since 1970. */
  modifiedMs: number;
}

/** The segments of a folder, oldest first. */
export function listSegments(folder: string, files: SpoolFiles = diskFiles): ListedSegment[] {
  return files
    .list(folder)
    .flatMap(({ name, bytes, modifiedMs }) => {
      const match = NAME.exec(name);
      if (match === null) return [];
      return [{ number: Number(match[1]), path: join(folder, name), bytes, modifiedMs, epoch: 0n, lanes: {} }];
    })
    .sort((a, b) => a.number - b.number);
}

/** Reads frames of one segment in order. Only what lies below `limit` is looked at. */
export interface SegmentReader {
  /** The next frame; `short` at the end of what is written, `bad` where the file is damaged or cannot be read. */
  next(limit: number): Reading;
  offset(): number;
  /** True when the disk did not give what it holds. */
  failed(): boolean;
  close(): void;
}

const WINDOW = 256 * 1024;

function openOrNot(path: string, files: SpoolFiles): ReadableFile | undefined {
  try {
    return files.openRead(path);
  } catch {
    return undefined; // Gone or unreadable: the reader says so.
  }
}

/** Opens a segment for reading; memory stays within a window, or the largest frame. */
export function openSegment(path: string, files: SpoolFiles = diskFiles, window = WINDOW): SegmentReader {
  const file = openOrNot(path, files);
  let hasFailed = file === undefined;
  let buffer = Buffer.alloc(window);
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
      const got = most <= 0 ? 0 : (file?.read(buffer.subarray(filled, filled + most), offset + filled) ?? 0);
      if (got === 0) return;
      filled += got;
    }
  };
  const look = (): Reading => decodeFrame(buffer.subarray(start, start + filled));
  const read = (limit: number): Reading => {
    let reading = look();
    // Twice: the header first, then as much as it says.
    for (let tries = 0; reading.state === 'short' && tries < 2; tries++) {
      if (offset + reading.wanted > limit) break; // Nothing that was promised: no memory for it.
      fill(reading.wanted, limit);
      reading = look();
    }
    return reading;
  };
  return {
    next(limit) {
      if (hasFailed) return { state: 'bad' };
      let reading: Reading;
      try {
        reading = read(limit);
      } catch {
        hasFailed = true; // A sector that cannot be read is as good as a damaged one.
        return { state: 'bad' };
      }
      if (reading.state !== 'frame') return reading;
      start += reading.length;
      filled -= reading.length;
      offset += reading.length;
      // The payload must survive the next call.
      return { ...reading, payload: Buffer.from(reading.payload) };
    },
    offset: () => offset,
    failed: () => hasFailed,
    close: () => file?.close(),
  };
}

/** Deletes a segment, if the disk lets it: else the next start finds it, and that it is done. */
export function removeSegment({ path }: Pick<Segment, 'path'>, files: SpoolFiles): void {
  try {
    files.remove(path);
  } catch {
    // Mounted read-only by now.
  }
}
