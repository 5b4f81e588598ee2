import type { SpoolFiles, WritableFile } from './files.ts';
import { encodeFrame, FRAME } from './frames.ts';
import type { SpoolLedger } from './ledger.ts';
import {
  encodeBatch,
  encodeTable,
  LANES,
  sourceOf,
  type BatchBody,
  type BatchHead,
  type BatchKey,
  type Checkpoint,
} from './records.ts';
import type { Lane, LineCount, Packing, SegmentSummary, Snapshot } from './records.ts';
import { newEpoch } from './recover.ts';
import { removeSegment, segmentPath, type Segment } from './segments.ts';
import { addTo, summaryOf, tallyBatch, type Sums, type Tally } from './sums.ts';

/** What goes into the spool at once. */
export interface SpoolEntry extends BatchBody {
  /** Encoded `Table` messages that the batch uses, by id. */
  tables: ReadonlyMap<bigint, Uint8Array>;
  checkpoints: readonly Checkpoint[];
  /** Lines in it and their bytes in their file, by source. */
  sources: ReadonlyMap<string, LineCount>;
  /** How its parts are packed; gzip when it is missing. */
  packing?: Packing;
  /** Where it lay in the quarantine, if it is put back from there. */
  replayed?: string;
}

/** Puts batches at the end of the newest segment, one after another. */
export interface SpoolWriter {
  /** Begins a segment, so that a disk that takes nothing is known before there is a batch. */
  begin(): Promise<void>;
  /** Resolves with the batch's key once it is durable. Rejects when the disk does not take it; nothing is stored then. */
  append(entry: SpoolEntry): Promise<BatchKey>;
  /** Epoch of new batches. */
  epoch(): bigint;
  close(): Promise<void>;
}

/** What a writer looks at and adds to. */
export interface WriterGiven {
  folder: string;
  files: SpoolFiles;
  /** Oldest first; the writer adds those that it begins. */
  segments: Segment[];
  /** What the newest of them holds. */
  newest: SegmentSummary | undefined;
  /** Number of the newest file, readable or not. */
  lastNumber: number;
  /** Batches of the quarantine that were put back and may still lie in it. */
  replayed: Set<string>;
  /** Where each source was read to; moved with each batch. */
  checkpoints: Map<string, Checkpoint>;
  ledger: SpoolLedger;
  /** Newest seq that the hub has of a lane. */
  acknowledged(epoch: bigint, lane: Lane): bigint;
  /** Bytes after which a segment ends. */
  segmentBytes: number;
  /** When a batch is put, by the clocks that are known. */
  moment(): Pick<BatchHead, 'timeMs' | 'monotonicMs' | 'skewMs'>;
  /** Hears that a segment was begun, so that those before it may go. */
  began(): void;
}

interface Writing {
  segment: Segment;
  file: WritableFile;
  /** Ids of tables that this segment holds already. */
  tables: Set<bigint>;
  tally: Tally;
}

/** A batch goes live while no more than this waits in that lane: half a minute, or what the link has under way twice. */
const LIVE_BATCHES = 30;
const LIVE_BYTES = 16_000_000;

/** Numbers the batches of one epoch, lane by lane. */
function createNumbers(acknowledged: WriterGiven['acknowledged']) {
  const epoch = newEpoch();
  const next: Record<Lane, bigint> = { live: 1n, backfill: 1n };
  /** Live batches that the hub has not acknowledged, oldest first. */
  const live: { seq: bigint; bytes: number }[] = [];
  return {
    epoch,
    /** The hub knows numbers that we do not: a machine was put back while it ran. Those numbers must not come again. */
    isSpent: () => LANES.some((lane) => acknowledged(epoch, lane) >= next[lane]),
    next(): BatchKey {
      const safe = acknowledged(epoch, 'live');
      while (live[0] !== undefined && live[0].seq <= safe) live.shift();
      const isSmall = live.length < LIVE_BATCHES && live.reduce((sum, { bytes }) => sum + bytes, 0) < LIVE_BYTES;
      const lane = isSmall ? 'live' : 'backfill';
      return { epoch, lane, seq: next[lane] };
    },
    take({ lane, seq }: BatchKey, bytes: number): void {
      next[lane] = seq + 1n;
      if (lane === 'live') live.push({ seq, bytes });
    },
  };
}

async function writeWhole(file: WritableFile, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const written = await file.write(bytes.subarray(done), position + done);
    if (written === 0) throw new Error('the disk takes no more bytes');
    done += written;
  }
}

/** Where a segment begins. */
interface Beginning {
  number: number;
  epoch: bigint;
  before: SegmentSummary | undefined;
}

/** Begins a segment with everything that those before it knew. */
async function beginSegment(given: WriterGiven, { number, epoch, before }: Beginning): Promise<Writing> {
  const { folder, files, segments, checkpoints, replayed } = given;
  const segment: Segment = { number, path: segmentPath(folder, number), bytes: 0, epoch, lanes: {} };
  const snapshot: Snapshot = {
    epoch: String(epoch),
    ...(before === undefined ? {} : { before }),
    checkpoints: [...checkpoints.values()],
    ...(replayed.size === 0 ? {} : { replayed: [...replayed] }),
  };
  const frame = encodeFrame(FRAME.snapshot, Buffer.from(JSON.stringify(snapshot)));
  const file = await files.create(segment.path);
  try {
    await writeWhole(file, frame, 0);
    await file.sync();
    files.syncFolder(folder);
  } catch (error) {
    await file.close().catch(() => undefined);
    removeSegment(segment, files);
    throw error;
  }
  segment.bytes = frame.length;
  segments.push(segment);
  return { segment, file, tables: new Set(), tally: {} };
}

/** Lines by the names that the ledger counts them by. */
function namedBy({ nameOf }: SpoolLedger, sources: SpoolEntry['sources']): Sums {
  const named: Sums = new Map();
  for (const [source, count] of sources) addTo(named, [[nameOf(source), count]]);
  return named;
}

/** The frames of one batch, and the tables that its segment did not hold yet. */
function framesOf(entry: SpoolEntry, head: BatchHead, held: ReadonlySet<bigint>) {
  const fresh = [...entry.tables].filter(([id]) => !held.has(id));
  const tables = fresh.map(([id, bytes]) => encodeFrame(FRAME.table, encodeTable(id, bytes)));
  const batch = encodeFrame(FRAME.batch, ...encodeBatch(head, entry));
  return { frames: tables.length === 0 ? batch : Buffer.concat([...tables, batch]), fresh };
}

/** Writes to the newest segment and begins others. */
function createSegments(given: WriterGiven) {
  let { newest: before, lastNumber: number } = given;
  let writing: Writing | undefined;
  const close = async (): Promise<void> => {
    await writing?.file.close().catch(() => undefined); // All that counts has been synced.
    writing = undefined;
  };
  /** Ends the segment: what it holds is told by the next one. */
  const seal = async ({ segment, tally }: Writing): Promise<void> => {
    const { number: of, epoch, bytes } = segment;
    before = { number: of, epoch: String(epoch), bytes, lanes: summaryOf(tally) };
    await close();
  };
  return {
    close,
    /** The segment for a batch of this epoch. */
    async open(epoch: bigint): Promise<Writing> {
      if (writing !== undefined && (writing.segment.epoch !== epoch || writing.segment.bytes > given.segmentBytes))
        await seal(writing);
      // A number is never used twice: the disk may have kept what it did not let us delete.
      if (writing === undefined) {
        writing = await beginSegment(given, { number: ++number, epoch, before });
        given.began();
      }
      return writing;
    },
    /** After a write that failed nobody knows what of it the disk holds, so nothing follows it in that file. False: it may hold all of it. */
    async abandon(failed: Writing): Promise<boolean> {
      const { segment, file } = failed;
      const isCut = await file.truncate(segment.bytes).then(
        () => true,
        () => false,
      );
      await seal(failed);
      return isCut;
    },
  };
}

/**
 * Makes a writer. Each has an epoch of its own: what an earlier run wrote may have been sent and then lost with the end
 * of its file, or a copy of this machine goes on from the same place, and neither may be taken for a resend.
 */
export function createWriter(given: WriterGiven): SpoolWriter {
  const { checkpoints, replayed, ledger } = given;
  const into = createSegments(given);
  let numbers = createNumbers(given.acknowledged);
  let chain: Promise<unknown> = Promise.resolve();
  let isClosed = false;

  const headOf = (entry: SpoolEntry, { epoch, lane, seq }: BatchKey): BatchHead => ({
    epoch: String(epoch),
    lane,
    seq: String(seq),
    ...given.moment(),
    tables: [...entry.tables.keys()].map(String),
    checkpoints: [...entry.checkpoints],
    sources: Object.fromEntries(namedBy(ledger, entry.sources)),
    ...(entry.packing === 'zstd' ? { packing: entry.packing } : {}),
    ...(entry.replayed === undefined ? {} : { replayed: entry.replayed }),
  });
  const append = async (entry: SpoolEntry): Promise<BatchKey> => {
    if (numbers.isSpent()) numbers = createNumbers(given.acknowledged);
    const writing = await into.open(numbers.epoch);
    const { segment, file, tables, tally } = writing;
    const key = numbers.next();
    const head = headOf(entry, key);
    const { frames, fresh } = framesOf(entry, head, tables);
    try {
      await writeWhole(file, frames, segment.bytes);
      await file.sync();
    } catch (error) {
      // Its number may be on the disk, for a start to find: it must not come again.
      if (!(await into.abandon(writing))) numbers = createNumbers(given.acknowledged);
      throw error;
    }
    numbers.take(key, frames.length);
    segment.bytes += frames.length;
    (segment.lanes[key.lane] ??= { first: key.seq, last: key.seq }).last = key.seq;
    tallyBatch(tally, head);
    ledger.add(entry.replayed === undefined ? 'put' : 'carried', Object.entries(head.sources));
    if (entry.replayed !== undefined) replayed.add(entry.replayed);
    for (const [id] of fresh) tables.add(id);
    for (const checkpoint of entry.checkpoints) checkpoints.set(sourceOf(checkpoint), checkpoint);
    return key;
  };
  const queue = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const done = chain.then(work);
    chain = done.catch(() => undefined);
    return done;
  };
  return {
    begin: () => queue(async () => void (await into.open(numbers.epoch))),
    append: (entry) => (isClosed ? Promise.reject(new Error('the spool is closed')) : queue(() => append(entry))),
    epoch: () => numbers.epoch,
    close() {
      isClosed = true;
      return queue(into.close);
    },
  };
}
