import type { Logger } from '#sdk';
import { FRAME } from './frames.ts';
import { decodeBatch, type BatchBody } from './records.ts';
import { openSegment, type Segment, type SegmentReader } from './segments.ts';

/** A batch on its way out. */
export interface SpooledBatch extends BatchBody {
  epoch: bigint;
  seq: bigint;
  lines: number;
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
  /** Batches that are damaged and lost. */
  lost(batches: number): void;
  log: Logger;
}

interface Current {
  segment: Segment;
  reader: SegmentReader;
  tables: Map<bigint, Uint8Array>;
  /** Newest seq that was read in it. */
  newest: bigint | undefined;
}

const isDone = ({ epoch, last }: Segment, isAcknowledged: ReaderGiven['isAcknowledged']): boolean =>
  epoch !== undefined && last !== undefined && isAcknowledged(epoch, last);

/** Makes a reader. Memory stays within a window of 256 kB, or the largest frame. */
export function createReader({ segments, isAcknowledged, lost, log }: ReaderGiven): SpoolReader {
  let current: Current | undefined;

  /** Says what was damaged in a segment that ends before its last batch, and where one of an old epoch ends. */
  const leave = ({ segment, newest, reader }: Current, isDamaged: boolean): void => {
    if (segment.last === undefined) {
      segment.epoch ??= 0n;
      segment.last = newest ?? 0n;
    } else if (newest !== undefined && newest < segment.last) lost(Number(segment.last - newest));
    if (!isDamaged) return;
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
    current = { segment: after, reader: openSegment(after.path), tables: new Map(), newest: undefined };
    return true;
  };
  const take = (from: Current, payload: Buffer): SpooledBatch | undefined => {
    const { head, body } = decodeBatch(payload);
    const epoch = BigInt(head.epoch);
    const seq = BigInt(head.seq);
    from.newest = seq;
    if (isAcknowledged(epoch, seq)) return undefined;
    const used = head.tables.flatMap((text) => {
      const id = BigInt(text);
      const bytes = from.tables.get(id);
      return bytes === undefined ? [] : [[id, bytes] as const];
    });
    return { ...body, epoch, seq, lines: head.lines, tables: new Map(used) };
  };
  return {
    next() {
      if (current === undefined && !advance(false)) return undefined;
      while (current !== undefined) {
        const reading = current.reader.next(current.segment.bytes);
        if (reading.state !== 'frame') {
          const isDamaged = reading.state === 'bad' || current.reader.offset() < current.segment.bytes;
          if (!advance(isDamaged)) return undefined;
        } else if (reading.kind === FRAME.table) {
          current.tables.set(reading.payload.readBigUInt64LE(0), reading.payload.subarray(8));
        } else if (reading.kind === FRAME.batch) {
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
