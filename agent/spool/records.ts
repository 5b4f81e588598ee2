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

/** What a segment begins with, so that it stands alone. */
export interface Snapshot {
  epoch: string;
  /** Seq of the first batch that follows. */
  next: string;
  /** Seq of the last batch in the segment before, whose epoch may be another; missing in the first segment. */
  before?: string;
  /** Lines that went into the spool before, from its very beginning. */
  total: number;
  checkpoints: Checkpoint[];
}

/** What is written beside a batch. */
export interface BatchHead {
  epoch: string;
  seq: string;
  /** Ids of the tables that it uses. */
  tables: string[];
  checkpoints: Checkpoint[];
  /** Lines in it, for the ledger. */
  lines: number;
  /** Lines that went into the spool up to its end, from its very beginning: a gap is what was lost. */
  total: number;
}

/** A batch's two parts, encoded and compressed. */
export interface BatchBody {
  metrics: Uint8Array;
  logs: Uint8Array;
}

/** Identity of a source, whatever its name is now. */
export function sourceOf(
  checkpoint: Pick<FileCheckpoint, 'device' | 'inode'> | Pick<JournalCheckpoint, 'journal'> | GoneCheckpoint,
): string {
  if ('gone' in checkpoint) return checkpoint.gone;
  return 'journal' in checkpoint ? `journal:${checkpoint.journal}` : `${checkpoint.device}:${checkpoint.inode}`;
}

/** True for the place of a file. */
export function isOfFile(checkpoint: Checkpoint): checkpoint is FileCheckpoint {
  return 'inode' in checkpoint;
}

/** `[head length u32][head JSON][metrics length u32][metrics][logs]`. */
export function encodeBatch(head: BatchHead, { metrics, logs }: BatchBody): Buffer {
  const json = Buffer.from(JSON.stringify(head));
  const sizes = Buffer.allocUnsafe(8);
  sizes.writeUInt32LE(json.length, 0);
  sizes.writeUInt32LE(metrics.length, 4);
  return Buffer.concat([sizes, json, metrics, logs]);
}

/** Reads what `encodeBatch` wrote; the frame's checksum has been verified. */
export function decodeBatch(payload: Buffer): { head: BatchHead; body: BatchBody } {
  const headEnd = 8 + payload.readUInt32LE(0);
  const metricsEnd = headEnd + payload.readUInt32LE(4);
  const head = JSON.parse(payload.toString('utf8', 8, headEnd)) as BatchHead;
  return { head, body: { metrics: payload.subarray(headEnd, metricsEnd), logs: payload.subarray(metricsEnd) } };
}
