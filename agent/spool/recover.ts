import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { FRAME } from './frames.ts';
import { decodeBatch, sourceOf, type Checkpoint, type Snapshot } from './records.ts';
import { fsyncFolder, listSegments, openSegment, removeSegment, truncateSegment, type Segment } from './segments.ts';

/** What a start finds in the spool's folder. */
export interface Recovered {
  segments: Segment[];
  /** Lines that went into the spool so far. */
  total: number;
  checkpoints: Map<string, Checkpoint>;
  /** Bytes that were damaged and cut off. */
  lostBytes: number;
  /** They are no more than the beginning of a frame: the last run ended while it wrote. */
  isTorn: boolean;
  /** When the last run wrote, milliseconds since 1970; undefined before the first. */
  lastRunMs: number | undefined;
}

/** A random epoch; never zero, which means none. */
export function newEpoch(): bigint {
  return randomBytes(8).readBigUInt64LE() || 1n;
}

const snapshotOf = (payload: Buffer): Snapshot => JSON.parse(payload.toString('utf8')) as Snapshot;

/** Reads a segment's first frame, so that all but the newest need not be read to know where they end. */
function readBeginning(segment: Segment): Snapshot | undefined {
  const reader = openSegment(segment.path);
  try {
    const reading = reader.next(segment.bytes);
    if (reading.state !== 'frame' || reading.kind !== FRAME.snapshot) return undefined;
    const snapshot = snapshotOf(reading.payload);
    segment.epoch = BigInt(snapshot.epoch);
    return snapshot;
  } finally {
    reader.close();
  }
}

interface Scan {
  next?: bigint;
  total: number;
  checkpoints: Map<string, Checkpoint>;
  /** Length up to which every frame is whole. */
  good: number;
  /** What follows is the beginning of a frame, or nothing. */
  isTorn: boolean;
}

function scan(segment: Segment): Scan {
  const found: Scan = { checkpoints: new Map(), good: 0, total: 0, isTorn: false };
  const reader = openSegment(segment.path);
  try {
    for (;;) {
      const reading = reader.next(segment.bytes);
      if (reading.state !== 'frame') return { ...found, isTorn: reading.state === 'short' };
      found.good = reader.offset();
      if (reading.kind === FRAME.snapshot) {
        const snapshot = snapshotOf(reading.payload);
        segment.epoch = BigInt(snapshot.epoch);
        found.next = BigInt(snapshot.next);
        found.total = snapshot.total;
        for (const checkpoint of snapshot.checkpoints) found.checkpoints.set(sourceOf(checkpoint), checkpoint);
      } else if (reading.kind === FRAME.batch) {
        const { head } = decodeBatch(reading.payload);
        found.next = BigInt(head.seq) + 1n;
        found.total = head.total;
        for (const checkpoint of head.checkpoints) found.checkpoints.set(sourceOf(checkpoint), checkpoint);
      }
    }
  } finally {
    reader.close();
  }
}

/** Fills in where each segment ends, from what the next one says. */
function linkSegments(segments: readonly Segment[]): void {
  segments.forEach((segment, index) => {
    const begins = readBeginning(segment);
    const ended = segments[index - 1];
    if (ended?.number === segment.number - 1 && begins?.before !== undefined) ended.last = BigInt(begins.before);
  });
}

/** Reads where each source was read to, from a spool that may be in use; nothing is changed. */
export function readPlaces(folder: string): ReadonlyMap<string, Checkpoint> {
  if (!existsSync(folder)) return new Map();
  const newest = listSegments(folder).findLast((segment) => readBeginning(segment) !== undefined);
  return newest === undefined ? new Map() : scan(newest).checkpoints;
}

/**
 * Reads the newest segment and the first frame of the others, so that a start takes the same memory whatever the
 * backlog. What cannot be read at the end is cut off: its lines' checkpoints go with it, so that they are read again.
 */
export function recoverSpool(folder: string): Recovered {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const segments = listSegments(folder);
  const newestPath = segments.at(-1)?.path;
  const lastRunMs = newestPath === undefined ? undefined : statSync(newestPath).mtimeMs;
  let lostBytes = 0;
  let torn = true;
  for (let newest = segments.at(-1); newest !== undefined; newest = segments.at(-1)) {
    const { good, next, checkpoints, total, isTorn } = scan(newest);
    if (newest.bytes > good) {
      lostBytes += newest.bytes - good;
      torn &&= isTorn;
      truncateSegment(newest.path, good);
      newest.bytes = good;
    }
    if (newest.epoch !== undefined && next !== undefined) {
      linkSegments(segments);
      newest.last = next - 1n;
      return { segments, total, checkpoints, lostBytes, isTorn: torn, lastRunMs };
    }
    // Not even its beginning can be read: the segment before it knows where things were.
    removeSegment(newest);
    segments.pop();
  }
  fsyncFolder(folder);
  return { segments: [], total: 0, checkpoints: new Map(), lostBytes, isTorn: torn, lastRunMs };
}
