import { reasonOf, systemClock, type Clock, type Logger } from '#sdk';
import { problems } from '../errors.ts';
import { createAccounts } from './accounts.ts';
import { openAcknowledged, type Acknowledged } from './acknowledged.ts';
import { diskFiles, type SpoolFiles } from './files.ts';
import { createSpoolLedger, type SourceLedger } from './ledger.ts';
import type { SpoolLoss } from './losses.ts';
import { createReader, hasMore, type ReaderGiven, type SpooledBatch, type SpoolReader } from './reader.ts';
import { LANES, type BatchKey, type Checkpoint, type Lane } from './records.ts';
import { putAside, quarantineOf, replayAsked } from './quarantine.ts';
import { recoverSpool } from './recover.ts';
import { removeSegment, type Segment } from './segments.ts';
import { createWriter, type SpoolEntry, type SpoolWriter } from './writer.ts';

/** What became of lines since a spool was opened: carried + put = waiting + acknowledged + lost. */
export interface SpoolLines {
  /** Those that an earlier run left. */
  carried: number;
  put: number;
  waiting: number;
  acknowledged: number;
  /** In batches that were damaged on the disk or refused by the hub. */
  lost: number;
}

/** Batches on disk between collecting and sending. */
export interface Spool {
  /** Resolves with the batch's key once it is durable. Rejects when the disk does not take it; nothing is stored then. */
  append(entry: SpoolEntry): Promise<BatchKey>;
  /** Everything of the key's epoch and lane up to its seq is safe at the hub. */
  acknowledge(key: BatchKey): void;
  /** Moves a batch that no hub takes into the quarantine, counts it as lost, and goes on behind it as if it were acknowledged. */
  giveUp(batch: SpooledBatch, reason: string): void;
  /** Puts those batches of the quarantine back as new ones that were asked for. Rejects when the disk does not take them. */
  replay(): Promise<void>;
  /**
   * Reads a lane: `live` gives what the current epoch has there, `backfill` everything else, that of earlier epochs
   * among it, with the keys that it was written with. When the epoch has changed, readers are to be made anew.
   */
  reader(lane: Lane): SpoolReader;
  /** True while a reader of that lane would find something; asked without reading. */
  hasMore(lane: Lane): boolean;
  checkpoints(): ReadonlyMap<string, Checkpoint>;
  /** Leaves a source out of the next segment's beginning: it is gone for good. */
  forget(source: string): void;
  /** Bytes on disk. */
  bytes(): number;
  lines(): SpoolLines;
  /** The same for each source, in lines and bytes; a thousand of them, the rest is `others`. */
  ledger(): ReadonlyMap<string, SourceLedger>;
  /** The name that the ledger counts a source by. */
  nameOf(source: string): string;
  /** What was lost since this was asked last. */
  takeLosses(): SpoolLoss[];
  /** True while nothing more may be added. */
  isFull(): boolean;
  /** Resolves when something was appended after this call. */
  appended(): Promise<void>;
  /** Epoch of new batches: another one after each start. */
  readonly epoch: bigint;
  /** Damaged bytes that a start cut off. */
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
  clock?: Pick<Clock, 'now' | 'monotonic'>;
  /** How far the wall clock is ahead of the hub's now, milliseconds; undefined while nobody knows. */
  skew?: () => number | undefined;
  files?: SpoolFiles;
}

const SEGMENT_BYTES = 8 * 1024 * 1024;

/** A full disk gets room again while the agent runs; anything else needs a person first. */
const FULL = new Set(['ENOSPC', 'EDQUOT']);

function faultOf(folder: string, error: unknown): Error | undefined {
  if (FULL.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
  return problems.spoolNotWritable(
    `${folder} takes nothing (${reasonOf(error)}). Make room or make it writable, then start the agent again.`,
    { cause: error },
  );
}

function recover(given: Parameters<typeof recoverSpool>[0]): ReturnType<typeof recoverSpool> {
  try {
    return recoverSpool(given);
  } catch (error) {
    throw faultOf(given.folder, error) ?? error;
  }
}

function sayWhatWasCut(log: Logger, bytes: number, isTorn: boolean): void {
  if (isTorn) log.warn('the last batch of the spool was half written and is cut off', { bytes });
  else log.error('the end of the spool is damaged; its samples are lost, its log lines are read again', { bytes });
}

/** True when the hub has everything that a segment holds. */
const isDone = ({ epoch, lanes }: Segment, { covers }: Acknowledged): boolean =>
  LANES.every((lane) => {
    const seq = lanes[lane]?.last;
    return seq === undefined || covers({ epoch, lane, seq });
  });

/**
 * Deletes segments that the hub has whole. The newest stays, for it alone knows the checkpoints; and one that follows
 * another which is not done stays, for it says what that one holds.
 */
function freeSegments(segments: Segment[], files: SpoolFiles, acknowledged: Acknowledged): void {
  let isBeforeNeeded = false;
  const newest = segments.at(-1);
  const kept = segments.filter((segment) => {
    const isNeeded = isBeforeNeeded || segment === newest;
    isBeforeNeeded = !isDone(segment, acknowledged);
    if (isNeeded || isBeforeNeeded) return true;
    removeSegment(segment, files);
    return false;
  });
  segments.splice(0, segments.length, ...kept);
}

/** Which batches a reader of a lane is to give out: none of another live lane than that of its beginning. */
function readerOf(lane: Lane, writer: SpoolWriter): Pick<ReaderGiven, 'isWanted'> {
  const epoch = writer.epoch();
  const isLive = (of: bigint, at: Lane): boolean => at === 'live' && (of === epoch || of === writer.epoch());
  return { isWanted: (of, at) => (lane === 'live' ? at === 'live' && of === epoch : !isLive(of, at)) };
}

/** Begins a segment, so that a disk that takes nothing is known before there is a batch; a full one may have room later. */
async function beginOrSay(writer: SpoolWriter, folder: string, log: Logger): Promise<void> {
  try {
    await writer.begin();
  } catch (error) {
    const fault = faultOf(folder, error);
    if (fault !== undefined) throw fault;
    log.error('the disk is full; the spool takes nothing until there is room', { folder });
  }
}

const known = (skewMs: number | undefined): { skewMs?: number } => (skewMs === undefined ? {} : { skewMs });

/** Opens the spool of a folder. A disk that is full is no hindrance: batches are refused until there is room. */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { folder, limit, log, segmentBytes = SEGMENT_BYTES, clock = systemClock, files = diskFiles } = options;
  const acknowledged = openAcknowledged(folder, files);
  const recovered = recover({ folder, files, acknowledged });
  const { segments, checkpoints, lostBytes, lastRunMs, replayed } = recovered;
  const ledger = createSpoolLedger();
  ledger.add('carried', recovered.waiting);
  const changed = (isLast = false): void => {
    freeSegments(segments, files, acknowledged);
    const epochs = new Set([writer.epoch(), ...segments.map(({ epoch }) => epoch)]);
    acknowledged.keep({ epochs, segments: new Set(segments.map(({ number }) => number)) }, isLast);
  };
  const began = (): void => freeSegments(segments, files, acknowledged);
  const writer = createWriter({
    ...recovered,
    folder,
    files,
    ledger,
    acknowledged: acknowledged.newest,
    segmentBytes,
    moment: () => ({ timeMs: clock.now(), monotonicMs: clock.monotonic(), ...known(options.skew?.()) }),
    began,
  });
  const accounts = createAccounts({ segments, acknowledged, files, ledger, log, changed });
  const waiting: (() => void)[] = [];
  const append = async (entry: SpoolEntry): Promise<BatchKey> => {
    const key = await writer.append(entry);
    for (const wake of waiting.splice(0)) wake();
    return key;
  };
  const bytes = (): number => segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const isFull = (): boolean => bytes() > limit;
  if (lostBytes > 0) {
    sayWhatWasCut(log, lostBytes, recovered.isTorn);
    if (!recovered.isTorn) accounts.addLostBytes(lostBytes, lastRunMs);
  }
  await beginOrSay(writer, folder, log);
  changed();
  return {
    get epoch() {
      return writer.epoch();
    },
    lostBytes,
    get lostBatches() {
      return accounts.lostBatches();
    },
    lastRunMs,
    append,
    acknowledge: accounts.acknowledge,
    giveUp(batch, reason) {
      if (acknowledged.covers(batch)) return;
      putAside(quarantineOf(folder), batch, { reason, refusedMs: clock.now() }, log);
      accounts.giveUp(batch);
    },
    replay: () => (isFull() ? Promise.resolve() : replayAsked({ folder: quarantineOf(folder), replayed, append, log })),
    reader: (lane) => createReader({ ...readerOf(lane, writer), segments, files, acknowledged, ...accounts }),
    hasMore: (lane) => segments.some((of) => hasMore(of, { acknowledged, ...readerOf(lane, writer) })),
    checkpoints: () => checkpoints,
    forget: (source) => void checkpoints.delete(source),
    bytes,
    lines: ledger.lines,
    ledger: ledger.sources,
    nameOf: ledger.nameOf,
    takeLosses: accounts.takeLosses,
    isFull,
    appended: () => new Promise((resolve) => waiting.push(resolve)),
    async close() {
      await writer.close();
      waiting.length = 0;
      changed(true);
    },
  };
}
