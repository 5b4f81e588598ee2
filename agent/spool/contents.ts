import type { SpoolFiles } from './files.ts';
import { FRAME } from './frames.ts';
import {
  decodeBatch,
  decodeSnapshot,
  type BatchHead,
  type Lane,
  type SegmentSummary,
  type Snapshot,
} from './records.ts';
import { openSegment, type Segment } from './segments.ts';
import { addTo, tallyBatch, type Sums, type Tally } from './sums.ts';

/** What reading a segment from its beginning gave. */
export interface Contents {
  snapshot: Snapshot | undefined;
  tally: Tally;
  /** Length up to which every frame is whole. */
  good: number;
  /** What follows is the beginning of a frame, or nothing. */
  isTorn: boolean;
  /** The disk did not give what it holds. */
  hasFailed: boolean;
}

/** Reads a whole segment, up to the first frame that is damaged. */
export function readContents(
  segment: Segment,
  files: SpoolFiles,
  each: (head: BatchHead) => void = () => undefined,
): Contents {
  const found: Contents = { snapshot: undefined, tally: {}, good: 0, isTorn: false, hasFailed: false };
  const reader = openSegment(segment.path, files);
  try {
    for (;;) {
      const reading = reader.next(segment.bytes);
      if (reading.state !== 'frame') return { ...found, isTorn: reading.state === 'short', hasFailed: reader.failed() };
      if (reading.kind === FRAME.snapshot) found.snapshot = decodeSnapshot(reading.payload);
      else if (reading.kind === FRAME.batch) {
        const { head } = decodeBatch(reading.payload);
        tallyBatch(found.tally, head);
        each(head);
      }
      found.good = reader.offset();
    }
  } finally {
    reader.close();
  }
}

/** Of most segments a start reads the first frame only: a full window of each would be what it needs most memory for. */
const SNAPSHOT_WINDOW = 16_384;

/** Reads a segment's first frame only; undefined when that is damaged. */
export function readSnapshot(segment: Segment, files: SpoolFiles): Snapshot | undefined {
  const reader = openSegment(segment.path, files, SNAPSHOT_WINDOW);
  try {
    const reading = reader.next(segment.bytes);
    return reading.state === 'frame' && reading.kind === FRAME.snapshot ? decodeSnapshot(reading.payload) : undefined;
  } finally {
    reader.close();
  }
}

/** What the successor of a segment says of it; undefined when there is none that does. */
export function summaryFor(
  segment: Segment,
  segments: readonly Segment[],
  files: SpoolFiles,
): SegmentSummary | undefined {
  const after = segments.find(({ number }) => number > segment.number);
  const before = after && readSnapshot(after, files)?.before;
  return before?.number === segment.number ? before : undefined;
}

/**
 * Lines of one lane's batches after `from` up to `to`. Batches that can no longer be read are taken to be the last of
 * them: they count when `to` is behind them.
 */
export function linesBetween(
  segment: Segment,
  lane: Lane,
  { from, to }: { from: bigint; to: bigint },
  { summary, files }: { summary: SegmentSummary | undefined; files: SpoolFiles },
): Sums {
  const whole = summary?.lanes[lane];
  if (whole !== undefined && from < BigInt(whole.first) && to >= BigInt(whole.last))
    return addTo(new Map(), Object.entries(whole.sources));
  const sums: Sums = new Map();
  const { tally } = readContents(segment, files, ({ lane: of, seq, sources }) => {
    if (of === lane && BigInt(seq) > from && BigInt(seq) <= to) addTo(sums, Object.entries(sources));
  });
  if (whole === undefined || to < BigInt(whole.last)) return sums;
  return addTo(addTo(sums, Object.entries(whole.sources)), tally[lane]?.sources ?? [], -1);
}

/** Lines of a segment that its summary knows and nobody can read. */
export function missingLines(summary: SegmentSummary, lane: Lane, read: Tally): Sums {
  const sums = addTo(new Map(), Object.entries(summary.lanes[lane]?.sources ?? {}));
  return addTo(sums, read[lane]?.sources ?? [], -1);
}
