import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Acknowledged } from './acknowledged.ts';
import { linesBetween, readContents, readSnapshot } from './contents.ts';
import { diskFiles, type SpoolFiles } from './files.ts';
import { LANES, sourceOf, type Checkpoint, type SegmentSummary } from './records.ts';
import { listSegments, removeSegment, type Segment } from './segments.ts';
import { addTo, summaryOf, type Sums, type Tally } from './sums.ts';

/** What a start finds in the spool's folder. */
export interface Recovered {
  segments: Segment[];
  /** What the newest of them holds. */
  newest: SegmentSummary | undefined;
  /** Lines that wait, by source. */
  waiting: Sums;
  checkpoints: Map<string, Checkpoint>;
  /** Batches of the quarantine that were put back and may still lie in it. */
  replayed: Set<string>;
  /** Number of the newest file, readable or not. */
  lastNumber: number;
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

/** The numbers of each lane. */
export function rangesOf(lanes: SegmentSummary['lanes'] | Tally): Segment['lanes'] {
  const ranges: Segment['lanes'] = {};
  for (const lane of LANES) {
    const of = lanes[lane];
    if (of !== undefined) ranges[lane] = { first: BigInt(of.first), last: BigInt(of.last) };
  }
  return ranges;
}

/** What a recovery looks at. */
interface RecoverGiven {
  folder: string;
  files: SpoolFiles;
  acknowledged: Acknowledged;
}

/** Adds to `waiting` what of one segment is not acknowledged. */
function addWaiting(
  waiting: Sums,
  segment: Segment,
  summary: SegmentSummary | undefined,
  { files, acknowledged }: RecoverGiven,
): void {
  for (const lane of LANES) {
    const last = segment.lanes[lane]?.last ?? 0n;
    const from = acknowledged.newest(segment.epoch, lane);
    if (from < last) addTo(waiting, linesBetween(segment, lane, { from, to: last }, { summary, files }));
  }
}

/**
 * Learns of all segments but the newest what they hold, newest first: from their successor, else by reading them.
 * Returns the bytes of those of which nothing can be read.
 */
function learn(segments: Segment[], waiting: Sums, given: RecoverGiven): number {
  const { files, acknowledged } = given;
  let lostBytes = 0;
  const newest = segments.pop();
  let before = newest && readSnapshot(newest, files)?.before;
  const known: Segment[] = newest === undefined ? [] : [newest];
  for (let segment = segments.pop(); segment !== undefined; segment = segments.pop()) {
    const isKnown = before?.number === segment.number && !acknowledged.damaged.has(segment.number);
    const summary = isKnown ? before : undefined;
    const contents = isKnown ? undefined : readContents(segment, files);
    const snapshot = isKnown ? readSnapshot(segment, files) : contents?.snapshot;
    if (summary === undefined && snapshot === undefined) {
      // A beginning that the disk did not take is no loss; what the successor says is of the one before.
      const isLoss = contents?.isTorn !== true && !acknowledged.damaged.has(segment.number);
      if (isLoss) lostBytes += segment.bytes;
      removeSegment(segment, files);
      continue;
    }
    before = snapshot?.before;
    segment.epoch = BigInt(summary?.epoch ?? snapshot?.epoch ?? 0);
    segment.bytes = summary?.bytes ?? segment.bytes;
    segment.lanes = rangesOf(summary?.lanes ?? contents?.tally ?? {});
    addWaiting(waiting, segment, summary, given);
    known.unshift(segment);
  }
  segments.push(...known);
  return lostBytes;
}

function cut({ path }: Segment, length: number, files: SpoolFiles): void {
  try {
    files.truncate(path, length);
  } catch {
    // It stays as it is: the next segment says how much of this one counts.
  }
}

/** Reads where each source was read to, from a spool that may be in use; nothing is changed. */
export function readPlaces(folder: string, files: SpoolFiles = diskFiles): ReadonlyMap<string, Checkpoint> {
  const places = new Map<string, Checkpoint>();
  if (!existsSync(folder)) return places;
  const newest = listSegments(folder, files).findLast((segment) => readSnapshot(segment, files) !== undefined);
  if (newest === undefined) return places;
  const put = (checkpoint: Checkpoint): void => void places.set(sourceOf(checkpoint), checkpoint);
  readSnapshot(newest, files)?.checkpoints.forEach(put);
  readContents(newest, files, ({ checkpoints }) => checkpoints.forEach(put));
  return places;
}

/**
 * Reads the newest segment and the first frame of the others, so that a start takes the same memory whatever the
 * backlog. What cannot be read at the end is cut off: its lines' checkpoints go with it, so that they are read again.
 */
export function recoverSpool(given: RecoverGiven): Recovered {
  const { folder, files } = given;
  files.makeFolder(folder);
  const segments = listSegments(folder, files);
  const { number: lastNumber = 0, modifiedMs: lastRunMs } = segments.at(-1) ?? {};
  const checkpoints = new Map<string, Checkpoint>();
  const replayed = new Set<string>();
  const waiting: Sums = new Map();
  const found = { segments, waiting, checkpoints, replayed, lastNumber, lastRunMs, lostBytes: 0, isTorn: true };
  for (let newest = segments.at(-1); newest !== undefined; newest = segments.at(-1)) {
    const moved = new Map<string, Checkpoint>();
    const { snapshot, tally, good, isTorn, hasFailed } = readContents(newest, files, (head) => {
      for (const checkpoint of head.checkpoints) moved.set(sourceOf(checkpoint), checkpoint);
      if (head.replayed !== undefined) replayed.add(head.replayed);
    });
    if (newest.bytes > good) {
      found.lostBytes += newest.bytes - good;
      found.isTorn &&= isTorn;
    }
    if (snapshot !== undefined) {
      if (newest.bytes > good && !hasFailed) cut(newest, good, files);
      for (const checkpoint of [...snapshot.checkpoints, ...moved.values()])
        checkpoints.set(sourceOf(checkpoint), checkpoint);
      for (const id of snapshot.replayed ?? []) replayed.add(id);
      Object.assign(newest, { bytes: good, epoch: BigInt(snapshot.epoch), lanes: rangesOf(tally) });
      const { number, bytes } = newest;
      const summary = { number, epoch: snapshot.epoch, bytes, lanes: summaryOf(tally) };
      addWaiting(waiting, newest, summary, given);
      const more = learn(segments, waiting, given);
      return { ...found, newest: summary, lostBytes: found.lostBytes + more, isTorn: found.isTorn && more === 0 };
    }
    // Not even its beginning can be read: the segment before it knows where things were.
    if (!hasFailed) removeSegment(newest, files);
    segments.pop();
  }
  return { ...found, newest: undefined };
}
