import { reasonOf, type Logger } from '#sdk';
import { problems } from '../errors.ts';
import { openAcknowledged } from './acknowledged.ts';
import { createReader, type SpooledBatch, type SpoolReader } from './reader.ts';
import type { Checkpoint } from './records.ts';
import { recoverSpool } from './recover.ts';
import { removeSegment, type Segment } from './segments.ts';
import { openWriter, type SpoolEntry, type SpoolWriter, type WriterGiven } from './writer.ts';

/** What became of lines since a spool was opened: carried + put = waiting + acknowledged + lost. */
export interface SpoolLines {
  /** Those that an earlier run left. */
  carried: number;
  put: number;
  waiting: number;
  acknowledged: number;
  /** In batches that were damaged on the disk. */
  lost: number;
}

/** Batches on disk between collecting and sending. */
export interface Spool {
  /** Resolves with the batch's seq once it is durable. Rejects when the disk does not take it; nothing is stored then. */
  append(entry: SpoolEntry): Promise<bigint>;
  /**
   * Everything of `epoch` (the current one unless given) up to `seq` is safe at the hub. `total` is that of the batch,
   * if it is at hand: without it, its lines are counted with a later one's.
   */
  acknowledge(seq: bigint, epoch?: bigint, total?: number): void;
  /** Counts a batch as lost, and goes on behind it as if it were acknowledged. */
  giveUp(batch: Pick<SpooledBatch, 'epoch' | 'seq' | 'lines' | 'total'>): void;
  reader(): SpoolReader;
  checkpoints(): ReadonlyMap<string, Checkpoint>;
  /** Leaves a source out of the next segment's beginning: it is gone for good. */
  forget(source: string): void;
  /** Bytes on disk. */
  bytes(): number;
  lines(): SpoolLines;
  /** True while nothing more may be added. */
  isFull(): boolean;
  /** Resolves when something was appended after this call. */
  appended(): Promise<void>;
  /** Epoch of new batches: another one after each start. */
  readonly epoch: bigint;
  /** Damaged bytes that were cut off at the start. */
  readonly lostBytes: number;
  /** Batches that were damaged later than that, or given up. */
  readonly lostBatches: number;
  /** When the last run wrote, milliseconds since 1970; undefined before the first. */
  readonly lastRunMs: number | undefined;
  close(): Promise<void>;
}

/** How a spool is opened. */
export interface SpoolOptions {
  folder: string;
  /** Bytes on disk over which nothing more is added; honoured to one segment. */
  limit: number;
  log: Logger;
  /** Bytes after which a segment ends. */
  segmentBytes?: number;
}

const SEGMENT_BYTES = 8 * 1024 * 1024;

async function openWriterOrSay(given: WriterGiven): Promise<SpoolWriter> {
  try {
    return await openWriter(given);
  } catch (error) {
    throw problems.spoolNotWritable(
      `${given.folder} takes nothing (${reasonOf(error)}). Make room or make it writable, then start the agent again.`,
      { cause: error },
    );
  }
}

/** Deletes segments whose batches are all acknowledged, oldest first. */
function freeSegments(segments: Segment[], isDone: (segment: Segment) => boolean): void {
  for (let [oldest] = segments; oldest !== undefined && isDone(oldest); [oldest] = segments) {
    removeSegment(oldest);
    segments.shift();
  }
}

/** Opens the spool of a folder and begins a new segment. */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { folder, limit, log, segmentBytes = SEGMENT_BYTES } = options;
  const { segments, checkpoints, lostBytes, isTorn, lastRunMs, total } = recoverSpool(folder);
  if (lostBytes > 0 && isTorn)
    log.warn('the last batch of the spool was half written and is cut off', { bytes: lostBytes });
  else if (lostBytes > 0)
    log.error('the end of the spool is damaged; its samples are lost, its log lines are read again', {
      bytes: lostBytes,
    });
  const acknowledged = openAcknowledged(folder);
  // What was acknowledged and then lost with the end of a file is put once more.
  acknowledged.lines = Math.min(acknowledged.lines, total);
  const writer = await openWriterOrSay({ folder, segments, checkpoints, acknowledged, total, segmentBytes });
  const lost = { batches: 0, lines: 0 };
  const waiting: (() => void)[] = [];

  const isDone = (segment: Segment): boolean => {
    const { epoch, last } = segment;
    if (writer.isOpen(segment) || epoch === undefined || last === undefined) return false;
    return acknowledged.covers(epoch, last);
  };
  freeSegments(segments, isDone);
  const safeAtStart = acknowledged.lines;
  const lines = (): SpoolLines => {
    const [carried, put] = [total - safeAtStart, writer.total() - total];
    const safe = Math.max(0, acknowledged.lines - safeAtStart - lost.lines);
    return { carried, put, waiting: carried + put - safe - lost.lines, acknowledged: safe, lost: lost.lines };
  };
  const keep = (now: boolean): void => acknowledged.keep(new Set(segments.flatMap(({ epoch }) => epoch ?? [])), now);
  const acknowledge = (seq: bigint, epoch: bigint, upTo: number): void => {
    acknowledged.raise(epoch, seq);
    acknowledged.lines = Math.max(acknowledged.lines, upTo);
    freeSegments(segments, isDone);
    keep(false);
  };
  const bytes = (): number => segments.reduce((sum, segment) => sum + segment.bytes, 0);
  return {
    get epoch() {
      return writer.epoch();
    },
    lostBytes,
    get lostBatches() {
      return lost.batches;
    },
    lastRunMs,
    async append(entry) {
      const seq = await writer.append(entry);
      for (const wake of waiting.splice(0)) wake();
      return seq;
    },
    acknowledge: (seq, epoch = writer.epoch(), upTo = 0) => acknowledge(seq, epoch, upTo),
    giveUp({ epoch, seq, lines: count, total: upTo }) {
      lost.batches += 1;
      lost.lines += count;
      acknowledge(seq, epoch, upTo);
    },
    reader() {
      const given = { segments, isAcknowledged: acknowledged.covers, log };
      return createReader({
        ...given,
        lost(batches, count) {
          lost.batches += batches;
          lost.lines += count;
        },
      });
    },
    checkpoints: () => checkpoints,
    forget: (source) => void checkpoints.delete(source),
    bytes,
    lines,
    isFull: () => bytes() > limit,
    appended: () => new Promise((resolve) => waiting.push(resolve)),
    async close() {
      await writer.close();
      waiting.length = 0;
      keep(true);
    },
  };
}
