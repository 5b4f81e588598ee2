import type { Logger } from '#sdk';
import { FRAME } from './frames.ts';
import { decodeBatch, type BatchBody, type Snapshot } from './records.ts';
import { openSegment, type Segment, type SegmentReader } from './segments.ts';

/** A batch on its way out. */
export interface SpooledBatch extends BatchBody {
  epoch: bigint;
  seq: bigint;
  lines: number;
  /** Lines that went into the spool up to its end, from its very beginning. */
  total: number;
  /** Encoded `Table` messages that it uses, by id. */
  tables: ReadonlyMap<bigint, Uint8Array>;
}

/** Reads the spool from its oldest unacknowledged batch on. Only one at a time. */
export interface SpoolReader {
  /** The next batch that is not acknowledged; undefined when all that is written has been read. */
  next(): SpooledBatch | undefined;
  close(): void;
}

/** What a reader looks at; both change under it. */
export interface ReaderGiven {
  segments: readonly Segment[];
  isAcknowledged(epoch: bigint, seq: bigint): boolean;
  /** Batches that are damaged and lost, and the lines in them; told once, however many readers come by. */
  lost(batches: number, lines: number): void;
  log: Logger;
}

interface Current {
  segment: Segment;
  reader: SegmentReader;
  tables: Map<bigint, Uint8Array>;
  /** Newest seq that was read in it. */
  newest: bigint | undefined;
  /** Lines of the spool up to there. */
  total: number | undefined;
  /** The segment before, if this reader has read it. */
  left: { segment: Segment; total: number | undefined; newest: bigint | undefined } | undefined;
}

const isDone = ({ epoch, last }: Segment, isAcknowledged: ReaderGiven['isAcknowledged']): boolean =>
  epoch !== undefined && last !== undefined && isAcknowledged(epoch, last);

/** Makes a reader. Memory stays within a window of 256 kB, or the largest frame. */
export function createReader({ segments, isAcknowledged, lost, log }: ReaderGiven): SpoolReader {
  let current: Current | undefined;

  /** Counts what was damaged in the segment before, now that its successor says how far it went. */
  const count = ({ left }: Current, { before, total }: Snapshot): void => {
    if (left === undefined || left.segment.isCounted === true) return;
    left.segment.isCounted = true;
    const batches = before === undefined || left.newest === undefined ? 0 : Number(BigInt(before) - left.newest);
    const lines = left.total === undefined ? 0 : total - left.total;
    if (batches > 0 || lines > 0) lost(Math.max(0, batches), Math.max(0, lines));
  };
  /** Says that a segment is damaged, and where one of an old epoch ends. */
  const leave = ({ segment, newest, reader }: Current, isDamaged: boolean): void => {
    segment.epoch ??= 0n;
    segment.last ??= newest ?? 0n;
    if (!isDamaged || segment.isCounted === true) return;
    const facts = { segment: segment.number, bytes: segment.bytes - reader.offset() };
    log.error('a segment of the spool is damaged; the rest of it is lost', facts);
  };
  /** Moves on to the next segment with something to send; false when there is none. */
  const advance = (isDamaged: boolean): boolean => {
    const after = segments.find(
      (segment) =>
        segment.number > (current?.segment.number ?? 0) &&
        (segment === segments.at(-1) || !isDone(segment, isAcknowledged)),
    );
    if (after === undefined) return false;
    if (current !== undefined) leave(current, isDamaged);
    current?.reader.close();
    const left = current?.segment.number === after.number - 1 ? current : undefined;
    const from = left && { segment: left.segment, total: left.total ?? left.left?.total, newest: left.newest };
    const reader = openSegment(after.path);
    current = { segment: after, reader, tables: new Map(), newest: undefined, total: undefined, left: from };
    return true;
  };
  const take = (from: Current, payload: Buffer): SpooledBatch | undefined => {
    const { head, body } = decodeBatch(payload);
    const epoch = BigInt(head.epoch);
    const seq = BigInt(head.seq);
    from.newest = seq;
    from.total = head.total;
    if (isAcknowledged(epoch, seq)) return undefined;
    const used = head.tables.flatMap((text) => {
      const id = BigInt(text);
      const bytes = from.tables.get(id);
      return bytes === undefined ? [] : [[id, bytes] as const];
    });
    return { ...body, epoch, seq, lines: head.lines, total: head.total, tables: new Map(used) };
  };
  const begin = (at: Current, payload: Buffer): void => {
    const snapshot = JSON.parse(payload.toString('utf8')) as Snapshot;
    at.newest = BigInt(snapshot.next) - 1n;
    at.total = snapshot.total;
    count(at, snapshot);
  };
  return {
    next() {
      if (current === undefined && !advance(false)) return undefined;
      while (current !== undefined) {
        const reading = current.reader.next(current.segment.bytes);
        if (reading.state !== 'frame') {
          const isDamaged = reading.state === 'bad' || current.reader.offset() < current.segment.bytes;
          if (!advance(isDamaged)) return undefined;
        } else if (reading.kind === FRAME.snapshot) {
          begin(current, reading.payload);
        } else if (reading.kind === FRAME.table) {
          current.tables.set(reading.payload.readBigUInt64LE(0), reading.payload.subarray(8));
        } else {
          const batch = take(current, reading.payload);
          if (batch !== undefined) return batch;
        }
      }
      return undefined;
    },
    close() {
      current?.reader.close();
      current = undefined;
    },
  };
}
