/** Newest seconds first: what is put while little waits is live, the rest back-fill. Each lane is strictly ordered. */
export const LANES = ['live', 'backfill'] as const;
export type Lane = (typeof LANES)[number];

/** The name of a batch, for ever. */
export interface BatchKey {
  epoch: bigint;
  lane: Lane;
  seq: bigint;
}

/** Where a file was read to. */
export interface FileCheckpoint {
  path: string;
  device: number;
  inode: number;
  /** When the file was made, milliseconds since 1970, where its file system tells: numbers on a disk are used again. */
  bornMs?: number;
  /** SHA-256 of the first `fingerprintLength` bytes, hex. */
  fingerprint: string;
  fingerprintLength: number;
  /** In the text, also where the file is a packed copy of it. */
  offset: number;
  /** CRC32 of what stands just before `offset`: a file of the same length and beginning may be another one. */
  tail?: number;
  /** Inside a line that was cut: its rest is skipped. */
  skipping?: boolean;
  /** A packed copy that was read to its end: it does not grow. */
  isDone?: boolean;
}

/** Where a journal was read to. */
export interface JournalCheckpoint {
  journal: string;
  /** What `journalctl --after-cursor` takes. */
  cursor: string;
}

/** A source that is done; what it held goes on elsewhere, as a place says that was written before or with this. */
export interface GoneCheckpoint {
  gone: string;
}

/** Where a source of lines was read to. */
export type Checkpoint = FileCheckpoint | JournalCheckpoint | GoneCheckpoint;

/** Lines and their bytes in their file. */
export type LineCount = readonly [lines: number, bytes: number];

/** What a segment holds of one lane. */
export interface LaneSummary {
  first: string;
  last: string;
  oldestMs: number;
  newestMs: number;
  sources: Record<string, LineCount>;
}

/** What a segment holds. Its successor keeps it, so that it can be known without reading it, and what is damaged in it counted. */
export interface SegmentSummary {
  number: number;
  epoch: string;
  /** Length of what was written; anything behind it is none of its batches. */
  bytes: number;
  lanes: Partial<Record<Lane, LaneSummary>>;
}

/** What a segment begins with, so that it stands alone. */
export interface Snapshot {
  epoch: string;
  /** Of the segment before; missing in the first one. */
  before?: SegmentSummary;
  checkpoints: Checkpoint[];
  /** Batches of the quarantine that were put back and may still lie in it. */
  replayed?: string[];
}

/** What is written beside a batch. */
export interface BatchHead {
  epoch: string;
  lane: Lane;
  seq: string;
  /** When it was put, milliseconds since 1970. */
  timeMs: number;
  /** The same by the monotonic clock of that run. */
  monotonicMs?: number;
  /** The wall clock minus the hub's then, milliseconds; missing when nobody knew it. */
  skewMs?: number;
  /** Ids of the tables that it uses. */
  tables: string[];
  checkpoints: Checkpoint[];
  /** Lines in it by source, for the ledger. */
  sources: Record<string, LineCount>;
  /** Missing where it is gzip. */
  packing?: Packing;
  /** Where it lay in the quarantine, if it was put back from there. */
  replayed?: string;
}

/** How the parts of a batch are packed. */
export type Packing = 'gzip' | 'zstd';

/** A batch's two parts, encoded and packed. */
export interface BatchBody {
  metrics: Uint8Array;
  logs: Uint8Array;
}

/** Identity of a source, whatever its name is now: of a file its numbers on the disk, and when it was made, as numbers are used again. */
export function sourceOf(
  checkpoint: Pick<FileCheckpoint, 'device' | 'inode' | 'bornMs'> | Pick<JournalCheckpoint, 'journal'> | GoneCheckpoint,
): string {
  if ('gone' in checkpoint) return checkpoint.gone;
  if ('journal' in checkpoint) return `journal:${checkpoint.journal}`;
  const { device, inode, bornMs = 0 } = checkpoint;
  return bornMs > 0 ? `${device}:${inode}:${bornMs}` : `${device}:${inode}`;
}

/** True for the place of a file. */
export function isOfFile(checkpoint: Checkpoint): checkpoint is FileCheckpoint {
  return 'inode' in checkpoint;
}

/** `[head length u32][head JSON][metrics length u32][metrics][logs]`. */
export function encodeBatch(head: BatchHead, { metrics, logs }: BatchBody): readonly Uint8Array[] {
  const json = Buffer.from(JSON.stringify(head));
  const sizes = Buffer.allocUnsafe(8);
  sizes.writeUInt32LE(json.length, 0);
  sizes.writeUInt32LE(metrics.length, 4);
  return [sizes, json, metrics, logs];
}

/** Reads what `encodeBatch` wrote; the frame's checksum has been verified. */
export function decodeBatch(payload: Buffer): { head: BatchHead; body: BatchBody } {
  const headEnd = 8 + payload.readUInt32LE(0);
  const metricsEnd = headEnd + payload.readUInt32LE(4);
  const written = JSON.parse(payload.toString('utf8', 8, headEnd)) as Partial<BatchHead> & { lines?: number };
  // The first form of this file knew neither lanes nor sources.
  const sources = { others: [written.lines ?? 0, 0] };
  const head = { lane: 'live', timeMs: 0, sources, ...written } as BatchHead;
  return { head, body: { metrics: payload.subarray(headEnd, metricsEnd), logs: payload.subarray(metricsEnd) } };
}

/** Reads the first frame of a segment. */
export function decodeSnapshot(payload: Buffer): Snapshot {
  return JSON.parse(payload.toString('utf8')) as Snapshot;
}

/** `[id u64][encoded table]`. */
export function encodeTable(id: bigint, bytes: Uint8Array): Buffer {
  const payload = Buffer.allocUnsafe(8 + bytes.length);
  payload.writeBigUInt64LE(id, 0);
  payload.set(bytes, 8);
  return payload;
}

/** Reads what `encodeTable` wrote. */
export function decodeTable(payload: Buffer): readonly [id: bigint, bytes: Buffer] {
  return [payload.readBigUInt64LE(0), payload.subarray(8)];
}
