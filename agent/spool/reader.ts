import type { Acknowledged } from './acknowledged.ts';
import type { SpoolFiles } from './files.ts';
import { FRAME } from './frames.ts';
import {
  decodeBatch,
  decodeTable,
  LANES,
  type BatchBody,
  type BatchKey,
  type Lane,
  type LineCount,
  type Packing,
} from './records.ts';
import { openSegment, type Segment, type SegmentReader } from './segments.ts';
import { tallyBatch, totalOf, type Tally } from './sums.ts';

/** A batch on its way out. */
export interface SpooledBatch extends BatchBody, BatchKey {
  /** Lines and their bytes by source. */
  sources: Readonly<Record<string, LineCount>>;
  lines: number;
  packing: Packing;
  /** When it was put, milliseconds since 1970. */
  timeMs: number;
  /** By the monotonic clock of its run, and how far the wall clock was ahead of the hub's; where they were known. */
  monotonicMs?: number | undefined;
  skewMs?: number | undefined;
  /** Encoded `Table` messages that it uses, by id. */
  tables: ReadonlyMap<bigint, Uint8Array>;
}

/** Reads one lane of the spool from its oldest unacknowledged batch on. */
export interface SpoolReader {
  /** The next batch that is not acknowledged; undefined when all that is written has been read. */
  next(): SpooledBatch | undefined;
  close(): void;
}

/** What a reader looks at; it changes under it. */
export interface ReaderGiven {
  segments: readonly Segment[];
  files: SpoolFiles;
  acknowledged: Pick<Acknowledged, 'covers'>;
  /** True for batches that this reader is to give out. */
  isWanted(epoch: bigint, lane: Lane): boolean;
  /** Hears of each batch that is given out. */
  given(batch: SpooledBatch): void;
  /** Hears that a segment cannot be read behind some place, and what was read before it. */
  damaged(segment: Segment, read: Tally, offset: number): void;
}

interface Current {
  segment: Segment;
  reader: SegmentReader;
  tables: Map<bigint, Uint8Array>;
  read: Tally;
}

/** True for a segment with batches that are wanted and not acknowledged. */
export function hasMore(
  { epoch, lanes }: Segment,
  { acknowledged, isWanted }: Pick<ReaderGiven, 'acknowledged' | 'isWanted'>,
): boolean {
  return LANES.some((lane) => {
    const seq = lanes[lane]?.last;
    return seq !== undefined && isWanted(epoch, lane) && !acknowledged.covers({ epoch, lane, seq });
  });
}

/** Makes a reader. Memory stays within a window of 256 kB, or the largest frame. */
export function createReader(options: ReaderGiven): SpoolReader {
  const { segments, files, acknowledged, isWanted, given, damaged } = options;
  let current: Current | undefined;

  /** Moves on to the next segment with something to send; false when there is none. */
  const advance = (): boolean => {
    const after = segments.find(
      (segment) =>
        segment.number > (current?.segment.number ?? 0) && (segment === segments.at(-1) || hasMore(segment, options)),
    );
    if (after === undefined) return false;
    if (current !== undefined && current.reader.offset() < current.segment.bytes)
      damaged(current.segment, current.read, current.reader.offset());
    current?.reader.close();
    current = { segment: after, reader: openSegment(after.path, files), tables: new Map(), read: {} };
    return true;
  };
  const take = ({ tables, read }: Current, payload: Buffer): SpooledBatch | undefined => {
    const { head, body } = decodeBatch(payload);
    const { lane, sources, packing = 'gzip', timeMs, monotonicMs, skewMs } = head;
    const key = { epoch: BigInt(head.epoch), lane, seq: BigInt(head.seq) };
    tallyBatch(read, head);
    if (!isWanted(key.epoch, lane) || acknowledged.covers(key)) return undefined;
    const used = head.tables.flatMap((text) => {
      const id = BigInt(text);
      const bytes = tables.get(id);
      return bytes === undefined ? [] : [[id, bytes] as const];
    });
    const { lines } = totalOf(Object.values(sources));
    return { ...key, ...body, sources, lines, packing, timeMs, monotonicMs, skewMs, tables: new Map(used) };
  };
  return {
    next() {
      if (current === undefined && !advance()) return undefined;
      while (current !== undefined) {
        const reading = current.reader.next(current.segment.bytes);
        if (reading.state !== 'frame') {
          if (!advance()) return undefined;
        } else if (reading.kind === FRAME.table) {
          current.tables.set(...decodeTable(reading.payload));
        } else if (reading.kind === FRAME.batch) {
          const batch = take(current, reading.payload);
          if (batch === undefined) continue;
          given(batch);
          return batch;
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
