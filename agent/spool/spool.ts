import { open, type FileHandle } from 'node:fs/promises';
import type { Logger } from '#sdk';
import { keepAcknowledged, readAcknowledged } from './acknowledged.ts';
import { encodeFrame, FRAME } from './frames.ts';
import { createReader, type SpoolReader } from './reader.ts';
import { encodeBatch, sourceOf, type BatchBody, type Checkpoint } from './records.ts';
import { newEpoch, recoverSpool } from './recover.ts';
import { fsyncFolder, removeSegment, segmentPath, type Segment } from './segments.ts';

/** What goes into the spool at once. */
export interface SpoolEntry extends BatchBody {
  /** Encoded `Table` messages that the batch uses, by id. */
  tables: ReadonlyMap<bigint, Uint8Array>;
  checkpoints: readonly Checkpoint[];
  lines: number;
}

/** Batches on disk between collecting and sending. */
export interface Spool {
  /** Resolves with the batch's seq once it is durable. Rejects when the disk does not take it; nothing is stored then. */
  append(entry: SpoolEntry): Promise<bigint>;
  /** Everything of `epoch` (the current one unless given) up to `seq` is safe at the hub. */
  acknowledge(seq: bigint, epoch?: bigint): void;
  reader(): SpoolReader;
  checkpoints(): ReadonlyMap<string, Checkpoint>;
  /** Leaves a source out of the next segment's beginning: it is gone for good. */
  forget(source: string): void;
  /** Bytes on disk. */
  bytes(): number;
  /** True while nothing more may be added. */
  isFull(): boolean;
  /** Resolves when something was appended after this call. */
  appended(): Promise<void>;
  /** Epoch of new batches. */
  readonly epoch: bigint;
  /** Damaged bytes that were cut off at the start. */
  readonly lostBytes: number;
  /** Batches that were damaged later than that. */
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

interface Writing {
  segment: Segment;
  file: FileHandle;
  /** Ids of tables that this segment holds already. */
  tables: Set<bigint>;
}

/** Where the next batch goes. */
interface Place {
  epoch: bigint;
  next: bigint;
}

async function writeWhole(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

function tablePayload(id: bigint, bytes: Uint8Array): Buffer {
  const payload = Buffer.allocUnsafe(8 + bytes.length);
  payload.writeBigUInt64LE(id, 0);
  payload.set(bytes, 8);
  return payload;
}

/** Begins a segment with everything that those before it knew. */
async function beginSegment(
  folder: string,
  number: number,
  place: Place,
  checkpoints: Iterable<Checkpoint>,
): Promise<Writing> {
  const { epoch, next } = place;
  const segment: Segment = { number, path: segmentPath(folder, number), bytes: 0, epoch, last: next - 1n };
  const snapshot = { epoch: String(epoch), next: String(next), checkpoints: [...checkpoints] };
  const frame = encodeFrame(FRAME.snapshot, Buffer.from(JSON.stringify(snapshot)));
  const file = await open(segment.path, 'wx', 0o600);
  try {
    await writeWhole(file, frame, 0);
    await file.datasync();
    fsyncFolder(folder);
  } catch (error) {
    await file.close();
    removeSegment(segment);
    throw error;
  }
  segment.bytes = frame.length;
  return { segment, file, tables: new Set() };
}

/** The frames of one batch, and the tables that its segment did not hold yet. */
function framesOf(entry: SpoolEntry, { epoch, next }: Place, held: ReadonlySet<bigint>) {
  const fresh = [...entry.tables].filter(([id]) => !held.has(id));
  const head = {
    epoch: String(epoch),
    seq: String(next),
    tables: [...entry.tables.keys()].map(String),
    checkpoints: [...entry.checkpoints],
    lines: entry.lines,
  };
  const frames = Buffer.concat([
    ...fresh.map(([id, bytes]) => encodeFrame(FRAME.table, tablePayload(id, bytes))),
    encodeFrame(FRAME.batch, encodeBatch(head, entry)),
  ]);
  return { frames, fresh };
}

/** Opens the spool of a folder and begins a new segment. */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { folder, limit, log, segmentBytes = SEGMENT_BYTES } = options;
  const { segments, checkpoints, lostBytes, lastRunMs, ...place } = recoverSpool(folder);
  if (lostBytes > 0) log.error('a part of the spool was damaged and is lost', { bytes: lostBytes });
  const acknowledged = readAcknowledged(folder);
  let lostBatches = 0;
  let kept = 0;
  let waiting: (() => void)[] = [];
  let chain: Promise<unknown> = Promise.resolve();

  const isAcknowledged = (epoch: bigint, seq: bigint): boolean => seq <= (acknowledged.get(epoch) ?? 0n);
  const begin = async (): Promise<Writing> => {
    // The hub knows numbers that we do not: the end of the spool is lost, and those numbers must not come again.
    if (isAcknowledged(place.epoch, place.next)) Object.assign(place, { epoch: newEpoch(), next: 1n });
    const begun = await beginSegment(folder, (segments.at(-1)?.number ?? 0) + 1, place, checkpoints.values());
    segments.push(begun.segment);
    return begun;
  };
  let writing = await begin();

  const keep = (): void => {
    const alive = new Set(segments.map(({ epoch }) => epoch));
    for (const epoch of acknowledged.keys()) if (!alive.has(epoch)) acknowledged.delete(epoch);
    keepAcknowledged(folder, acknowledged);
    kept = performance.now();
  };
  const free = (): void => {
    for (let [oldest] = segments; oldest !== undefined && oldest !== writing.segment; [oldest] = segments) {
      const { epoch, last } = oldest;
      if (epoch === undefined || last === undefined || !isAcknowledged(epoch, last)) return;
      removeSegment(oldest);
      segments.shift();
    }
  };

  const append = async (entry: SpoolEntry): Promise<bigint> => {
    if (writing.segment.bytes > segmentBytes || isAcknowledged(place.epoch, place.next)) {
      const full = writing;
      writing = await begin();
      await full.file.close();
    }
    const { segment, file, tables } = writing;
    const { frames, fresh } = framesOf(entry, place, tables);
    try {
      await writeWhole(file, frames, segment.bytes);
      await file.datasync();
    } catch (error) {
      await file.truncate(segment.bytes).catch(() => undefined); // The next batch is written over it, or the next start cuts it off.
      throw error;
    }
    const seq = place.next++;
    segment.bytes += frames.length;
    segment.last = seq;
    for (const [id] of fresh) tables.add(id);
    for (const checkpoint of entry.checkpoints) checkpoints.set(sourceOf(checkpoint), checkpoint);
    for (const wake of waiting.splice(0)) wake();
    return seq;
  };

  const bytes = (): number => segments.reduce((sum, segment) => sum + segment.bytes, 0);
  return {
    get epoch() {
      return place.epoch;
    },
    lostBytes,
    get lostBatches() {
      return lostBatches;
    },
    lastRunMs,
    append(entry) {
      const turn = chain.then(() => append(entry));
      chain = turn.catch(() => undefined);
      return turn;
    },
    acknowledge(seq, epoch = place.epoch) {
      if (seq > (acknowledged.get(epoch) ?? 0n)) acknowledged.set(epoch, seq);
      free();
      if (performance.now() - kept > 1000) keep();
    },
    reader: () => createReader({ segments, isAcknowledged, lost: (batches) => (lostBatches += batches), log }),
    checkpoints: () => checkpoints,
    forget: (source) => void checkpoints.delete(source),
    bytes,
    isFull: () => bytes() > limit,
    appended: () => new Promise((resolve) => waiting.push(resolve)),
    async close() {
      await chain;
      await writing.file.close();
      waiting = [];
      keep();
    },
  };
}
