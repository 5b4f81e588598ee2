import { open, type FileHandle } from 'node:fs/promises';
import type { Logger } from '#sdk';
import { encodeFrame, FRAME } from './frames.ts';
import { decodeBatch, encodeBatch, sourceOf, type BatchBody, type Checkpoint } from './records.ts';
import { recoverSpool } from './recover.ts';
import { fsyncFolder, openSegment, removeSegment, segmentPath, type Segment, type SegmentReader } from './segments.ts';

/** What goes into the spool at once. */
export interface SpoolEntry extends BatchBody {
  /** Encoded `Table` messages that the batch uses, by id. */
  tables: ReadonlyMap<bigint, Uint8Array>;
  checkpoints: readonly Checkpoint[];
  lines: number;
}

/** A batch on its way out. */
export interface SpooledBatch extends BatchBody {
  epoch: bigint;
  seq: bigint;
  lines: number;
  tables: ReadonlyMap<bigint, Uint8Array>;
}

/** Reads the spool from its oldest unacknowledged batch on. Only one at a time. */
export interface SpoolReader {
  /** The next batch above `acknowledged`; undefined when all that is written has been read. */
  next(): SpooledBatch | undefined;
  close(): void;
}

/** Batches on disk between collecting and sending. */
export interface Spool {
  /** Resolves with the batch's seq once it is durable. Rejects when the disk does not take it; nothing is stored then. */
  append(entry: SpoolEntry): Promise<bigint>;
  /** Everything up to `seq` is safe at the hub. */
  acknowledge(seq: bigint): void;
  reader(): SpoolReader;
  checkpoints(): ReadonlyMap<string, Checkpoint>;
  /** Bytes on disk. */
  bytes(): number;
  /** True while nothing more may be added. */
  isFull(): boolean;
  /** Resolves when something was appended after this call. */
  appended(): Promise<void>;
  /** Epoch of new batches. */
  epoch: bigint;
  /** Damaged bytes that were cut off at the start. */
  lostBytes: number;
  close(): Promise<void>;
}

const SEGMENT_BYTES = 8 * 1024 * 1024;

/** How a spool is opened. */
export interface SpoolOptions {
  folder: string;
  /** Bytes on disk over which nothing more is added; honoured to one segment. */
  limit: number;
  log: Logger;
}

interface Writing {
  segment: Segment;
  file: FileHandle;
  /** Ids of tables that this segment holds already. */
  tables: Set<bigint>;
}

/** Opens the spool of a folder and begins a new segment. */
export async function openSpool({ folder, limit, log }: SpoolOptions): Promise<Spool> {
  const recovered = recoverSpool(folder);
  const { segments, epoch, checkpoints } = recovered;
  if (recovered.lostBytes > 0) log.error('a part of the spool was damaged and is lost', { bytes: recovered.lostBytes });
  let next = recovered.next;
  // Numbers go on from epoch to epoch, so one number is enough for all that lies here.
  let acknowledged = 0n;
  let wake: (() => void)[] = [];

  const begin = async (): Promise<Writing> => {
    const number = (segments.at(-1)?.number ?? 0) + 1;
    const segment: Segment = { number, path: segmentPath(folder, number), bytes: 0, last: undefined };
    const file = await open(segment.path, 'wx', 0o600);
    const snapshot = { epoch: String(epoch), next: String(next), checkpoints: [...checkpoints.values()] };
    const frame = encodeFrame(FRAME.snapshot, Buffer.from(JSON.stringify(snapshot)));
    try {
      await file.write(frame, 0, frame.length, 0);
      await file.datasync();
    } catch (error) {
      await file.close();
      removeSegment(segment);
      throw error;
    }
    fsyncFolder(folder);
    segment.bytes = frame.length;
    segment.last = next - 1n;
    segments.push(segment);
    return { segment, file, tables: new Set() };
  };
  let writing = await begin();

  const free = (): void => {
    while (segments.length > 1) {
      const [oldest, after] = segments;
      if (oldest === undefined || after === undefined || oldest === writing.segment) return;
      // Segments before the last were closed whole: what they end with is what the next begins after.
      if (oldest.last === undefined || oldest.last > acknowledged) return;
      removeSegment(oldest);
      segments.shift();
    }
  };

  const append = async (entry: SpoolEntry): Promise<bigint> => {
    if (writing.segment.bytes > SEGMENT_BYTES) {
      const full = writing;
      writing = await begin();
      await full.file.close();
    }
    const seq = next;
    const fresh = [...entry.tables].filter(([id]) => !writing.tables.has(id));
    const head = {
      epoch: String(epoch),
      seq: String(seq),
      tables: [...entry.tables.keys()].map(String),
      checkpoints: [...entry.checkpoints],
      lines: entry.lines,
    };
    const frames = Buffer.concat([
      ...fresh.map(([id, bytes]) => encodeFrame(FRAME.table, tablePayload(id, bytes))),
      encodeFrame(FRAME.batch, encodeBatch(head, entry)),
    ]);
    const { segment, file } = writing;
    try {
      await writeWhole(file, frames, segment.bytes);
      await file.datasync();
    } catch (error) {
      await file.truncate(segment.bytes).catch(() => undefined); // The next start cuts it off too.
      throw error;
    }
    segment.bytes += frames.length;
    segment.last = seq;
    next = seq + 1n;
    for (const [id] of fresh) writing.tables.add(id);
    for (const checkpoint of entry.checkpoints) checkpoints.set(sourceOf(checkpoint), checkpoint);
    const waking = wake;
    wake = [];
    for (const one of waking) one();
    return seq;
  };

  let chain: Promise<unknown> = Promise.resolve();
  const bytes = (): number => segments.reduce((sum, segment) => sum + segment.bytes, 0);
  return {
    epoch,
    lostBytes: recovered.lostBytes,
    append(entry) {
      const turn = chain.then(() => append(entry));
      chain = turn.catch(() => undefined);
      return turn;
    },
    acknowledge(seq) {
      if (seq > acknowledged) acknowledged = seq;
      free();
    },
    reader: () => createReader(segments, () => acknowledged, log),
    checkpoints: () => checkpoints,
    bytes,
    isFull: () => bytes() > limit,
    appended: () => new Promise((resolve) => wake.push(resolve)),
    async close() {
      await chain;
      await writing.file.close();
    },
  };
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

function createReader(segments: readonly Segment[], acknowledged: () => bigint, log: Logger): SpoolReader {
  let current: { segment: Segment; reader: SegmentReader; tables: Map<bigint, Uint8Array> } | undefined;

  let newest = 0n;
  const openAt = (segment: Segment): void => {
    current?.reader.close();
    current = { segment, reader: openSegment(segment.path), tables: new Map() };
  };
  /** Moves on to the segment after the current one; false when there is none. */
  const advance = (): boolean => {
    // Read to its end: now it is known when it may be freed.
    if (current !== undefined) current.segment.last ??= newest;
    const after = segments.find(({ number }) => number > (current?.segment.number ?? 0));
    if (after === undefined) return false;
    openAt(after);
    return true;
  };
  const batchOf = (payload: Buffer, tables: ReadonlyMap<bigint, Uint8Array>): SpooledBatch => {
    const { head, body } = decodeBatch(payload);
    const used = new Map(
      head.tables.flatMap((id) => {
        const bytes = tables.get(BigInt(id));
        return bytes === undefined ? [] : [[BigInt(id), bytes] as const];
      }),
    );
    return { ...body, epoch: BigInt(head.epoch), seq: BigInt(head.seq), lines: head.lines, tables: used };
  };
  return {
    next() {
      if (current === undefined && !advance()) return undefined;
      while (current !== undefined) {
        const { segment, reader, tables } = current;
        const reading = reader.next(segment.bytes);
        if (reading.state === 'frame') {
          if (reading.kind === FRAME.table) tables.set(reading.payload.readBigUInt64LE(0), reading.payload.subarray(8));
          if (reading.kind !== FRAME.batch) continue;
          const batch = batchOf(reading.payload, tables);
          newest = batch.seq;
          if (batch.seq > acknowledged()) return batch;
          continue;
        }
        if (reading.state === 'bad') {
          log.error('a segment of the spool is damaged; what follows in it is lost', {
            segment: segment.number,
            offset: reader.offset(),
            bytes: segment.bytes - reader.offset(),
          });
        }
        if (!advance()) return undefined;
      }
      return undefined;
    },
    close() {
      current?.reader.close();
      current = undefined;
    },
  };
}
