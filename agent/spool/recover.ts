import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
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
}

/** A random epoch; never zero, which means none. */
export function newEpoch(): bigint {
  return randomBytes(8).readBigUInt64LE() || 1n;
}

interface Scan {
  epoch?: bigint;
  next?: bigint;
  checkpoints: Map<string, Checkpoint>;
  /** Length up to which every frame is whole. */
  good: number;
  /** True when what follows is no mere unfinished write. */
  damaged: boolean;
}

function scan({ path, bytes }: Segment): Scan {
  const found: Scan = { checkpoints: new Map(), good: 0, damaged: false };
  const reader = openSegment(path);
  try {
    for (;;) {
      const reading = reader.next(bytes);
      if (reading.state !== 'frame') {
        found.damaged = reading.state === 'bad';
        return found;
      }
      found.good = reader.offset();
      if (reading.kind === FRAME.snapshot) {
        const snapshot = JSON.parse(reading.payload.toString('utf8')) as Snapshot;
        found.epoch = BigInt(snapshot.epoch);
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

/**
 * Looks at the newest segment only, so that a start costs the same whatever the backlog. Its unfinished end was never promised to anyone and is cut
 * off; a damaged one may have been sent, so that what follows gets a new epoch and is never taken for a resend.
 */
export function recoverSpool(folder: string): Recovered {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const segments = listSegments(folder);
  let lostBytes = 0;
  for (let newest = segments.at(-1); newest !== undefined; newest = segments.at(-1)) {
    const found = scan(newest);
    if (newest.bytes > found.good) {
      if (found.damaged) lostBytes += newest.bytes - found.good;
      truncateSegment(newest.path, found.good);
      newest.bytes = found.good;
    }
    if (found.epoch !== undefined && found.next !== undefined) {
      newest.last = found.next - 1n;
      const epoch = lostBytes > 0 ? newEpoch() : found.epoch;
      return { segments, epoch, next: found.next, checkpoints: found.checkpoints, lostBytes };
    }
    // Not even its beginning can be read: the segment before it knows where things were.
    lostBytes += newest.bytes;
    removeSegment(newest);
    segments.pop();
  }
  fsyncFolder(folder);
  return { segments: [], epoch: newEpoch(), next: 1n, checkpoints: new Map(), lostBytes };
}
