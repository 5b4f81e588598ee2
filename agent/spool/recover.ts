import { randomBytes } from 'node:crypto';
import { mkdirSync, statSync } from 'node:fs';
import { FRAME } from './frames.ts';
import { decodeBatch, sourceOf, type Checkpoint, type Snapshot } from './records.ts';
import { fsyncFolder, listSegments, openSegment, removeSegment, truncateSegment, type Segment } from './segments.ts';

/** What a start finds in the spool's folder. */
export interface Recovered {
  segments: Segment[];
  epoch: bigint;
  /** Seq of the next batch. */
  next: bigint;
  checkpoints: Map<string, Checkpoint>;
  /** Bytes that were damaged and cut off. */
  lostBytes: number;
  /** When the last run wrote, milliseconds since 1970; undefined before the first. */
  lastRunMs: number | undefined;
}

/** A random epoch; never zero, which means none. */
export function newEpoch(): bigint {
  return randomBytes(8).readBigUInt64LE() || 1n;
}

const snapshotOf = (payload: Buffer): Snapshot => JSON.parse(payload.toString('utf8')) as Snapshot;

/** Reads a segment's first frame, so that all but the newest need not be read to know where they end. */
function readBeginning(segment: Segment): bigint | undefined {
  const reader = openSegment(segment.path);
  try {
    const reading = reader.next(segment.bytes);
    if (reading.state !== 'frame' || reading.kind !== FRAME.snapshot) return undefined;
    const { epoch, next } = snapshotOf(reading.payload);
    segment.epoch = BigInt(epoch);
    return BigInt(next);
  } finally {
    reader.close();
  }
}

interface Scan {
  next?: bigint;
  checkpoints: Map<string, Checkpoint>;
  /** Length up to which every frame is whole. */
  good: number;
}

function scan(segment: Segment): Scan {
  const found: Scan = { checkpoints: new Map(), good: 0 };
  const reader = openSegment(segment.path);
  try {
    for (;;) {
      const reading = reader.next(segment.bytes);
      if (reading.state !== 'frame') return found;
      found.good = reader.offset();
      if (reading.kind === FRAME.snapshot) {
        const snapshot = snapshotOf(reading.payload);
        segment.epoch = BigInt(snapshot.epoch);
        found.next = BigInt(snapshot.next);
        for (const checkpoint of snapshot.checkpoints) found.checkpoints.set(sourceOf(checkpoint), checkpoint);
      } else if (reading.kind === FRAME.batch) {
        const { head } = decodeBatch(reading.payload);
        found.next = BigInt(head.seq) + 1n;
        for (const checkpoint of head.checkpoints) found.checkpoints.set(sourceOf(checkpoint), checkpoint);
      }
    }
  } finally {
    reader.close();
  }
}

/** Fills in where each segment ends, from where the next one of its epoch begins. */
function linkSegments(segments: readonly Segment[]): void {
  segments.forEach((segment, index) => {
    const begins = readBeginning(segment);
    const before = segments[index - 1];
    if (begins !== undefined && before !== undefined && before.epoch === segment.epoch) before.last = begins - 1n;
  });
}

/**
 * Reads the newest segment and the first frame of the others, so that a start takes the same memory whatever the
 * backlog. What cannot be read at the end is cut off. It may have been sent before it was damaged, so that what follows
 * gets a new epoch and is never taken for a resend.
 */
export function recoverSpool(folder: string): Recovered {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const segments = listSegments(folder);
  const newestPath = segments.at(-1)?.path;
  const lastRunMs = newestPath === undefined ? undefined : statSync(newestPath).mtimeMs;
  let lostBytes = 0;
  for (let newest = segments.at(-1); newest !== undefined; newest = segments.at(-1)) {
    const { good, next, checkpoints } = scan(newest);
    if (newest.bytes > good) {
      lostBytes += newest.bytes - good;
      truncateSegment(newest.path, good);
      newest.bytes = good;
    }
    if (newest.epoch !== undefined && next !== undefined) {
      linkSegments(segments);
      newest.last = next - 1n;
      const fresh = lostBytes > 0;
      const epoch = fresh ? newEpoch() : newest.epoch;
      return { segments, epoch, next: fresh ? 1n : next, checkpoints, lostBytes, lastRunMs };
    }
    // Not even its beginning can be read: the segment before it knows where things were.
    removeSegment(newest);
    segments.pop();
  }
  fsyncFolder(folder);
  return { segments: [], epoch: newEpoch(), next: 1n, checkpoints: new Map(), lostBytes, lastRunMs };
}
