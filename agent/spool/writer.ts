import { open, type FileHandle } from 'node:fs/promises';
import type { Acknowledged } from './acknowledged.ts';
import { encodeFrame, FRAME } from './frames.ts';
import { encodeBatch, sourceOf, type BatchBody, type Checkpoint } from './records.ts';
import { newEpoch } from './recover.ts';
import { fsyncFolder, removeSegment, segmentPath, type Segment } from './segments.ts';

/** What goes into the spool at once. */
export interface SpoolEntry extends BatchBody {
  /** Encoded `Table` messages that the batch uses, by id. */
  tables: ReadonlyMap<bigint, Uint8Array>;
  checkpoints: readonly Checkpoint[];
  lines: number;
}

/** Puts batches at the end of the newest segment, one after another. */
export interface SpoolWriter {
  /** Resolves with the batch's seq once it is durable. Rejects when the disk does not take it; nothing is stored then. */
  append(entry: SpoolEntry): Promise<bigint>;
  /** Epoch of new batches. */
  epoch(): bigint;
  /** Lines that went into the spool, from its very beginning. */
  total(): number;
  /** True for the segment that is written to. */
  isOpen(segment: Segment): boolean;
  close(): Promise<void>;
}

/** What a writer looks at and adds to. */
export interface WriterGiven {
  folder: string;
  /** Oldest first; the writer adds those that it begins. */
  segments: Segment[];
  /** Where each source was read to; moved with each batch. */
  checkpoints: Map<string, Checkpoint>;
  acknowledged: Acknowledged;
  /** Lines that went into the spool so far. */
  total: number;
  /** Bytes after which a segment ends. */
  segmentBytes: number;
}

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
  total: number;
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
async function beginSegment({ folder, segments, checkpoints }: WriterGiven, place: Place): Promise<Writing> {
  const before = segments.at(-1);
  const number = (before?.number ?? 0) + 1;
  const { epoch, next, total } = place;
  const segment: Segment = { number, path: segmentPath(folder, number), bytes: 0, epoch, last: next - 1n };
  const snapshot = {
    epoch: String(epoch),
    next: String(next),
    ...(before?.last === undefined ? {} : { before: String(before.last) }),
    total,
    checkpoints: [...checkpoints.values()],
  };
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
  segments.push(segment);
  return { segment, file, tables: new Set() };
}

/** The frames of one batch, and the tables that its segment did not hold yet. */
function framesOf(entry: SpoolEntry, { epoch, next, total }: Place, held: ReadonlySet<bigint>) {
  const fresh = [...entry.tables].filter(([id]) => !held.has(id));
  const head = {
    epoch: String(epoch),
    seq: String(next),
    tables: [...entry.tables.keys()].map(String),
    checkpoints: [...entry.checkpoints],
    lines: entry.lines,
    total: total + entry.lines,
  };
  const frames = Buffer.concat([
    ...fresh.map(([id, bytes]) => encodeFrame(FRAME.table, tablePayload(id, bytes))),
    encodeFrame(FRAME.batch, encodeBatch(head, entry)),
  ]);
  return { frames, fresh };
}

/**
 * Opens a writer, which begins a segment. Each has an epoch of its own: what an earlier run wrote may have been sent and
 * then lost with the end of its file, or a copy of this machine goes on from the same place, and neither may be taken
 * for a resend.
 */
export async function openWriter(given: WriterGiven): Promise<SpoolWriter> {
  const { checkpoints, acknowledged, segmentBytes } = given;
  const place: Place = { epoch: newEpoch(), next: 1n, total: given.total };
  let writing = await beginSegment(given, place);
  let chain: Promise<unknown> = Promise.resolve();

  /** Goes on in a new segment. */
  const turn = async (): Promise<void> => {
    const full = writing;
    writing = await beginSegment(given, place);
    await full.file.close();
  };
  const append = async (entry: SpoolEntry): Promise<bigint> => {
    // The hub knows numbers that we do not: a machine was put back while it ran. Those numbers must not come again.
    const isForeign = acknowledged.covers(place.epoch, place.next);
    if (isForeign) Object.assign(place, { epoch: newEpoch(), next: 1n });
    if (isForeign || writing.segment.epoch !== place.epoch || writing.segment.bytes > segmentBytes) await turn();
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
    place.total += entry.lines;
    segment.bytes += frames.length;
    segment.last = seq;
    for (const [id] of fresh) tables.add(id);
    for (const checkpoint of entry.checkpoints) checkpoints.set(sourceOf(checkpoint), checkpoint);
    return seq;
  };
  return {
    append(entry) {
      const done = chain.then(() => append(entry));
      chain = done.catch(() => undefined);
      return done;
    },
    epoch: () => place.epoch,
    total: () => place.total,
    isOpen: (segment) => segment === writing.segment,
    async close() {
      await chain;
      await writing.file.close();
    },
  };
}
