import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf, writeFileDurably, type Logger } from '#sdk';
import { encodeFrame, FRAME, framesIn } from './frames.ts';
import type { SpooledBatch } from './reader.ts';
import { decodeBatch, decodeTable, encodeBatch, encodeTable, type BatchHead } from './records.ts';
import { totalOf } from './sums.ts';
import type { SpoolEntry } from './writer.ts';

/** Bytes that batches which no hub takes may keep on the disk; beyond it the oldest go. */
const LIMIT_BYTES = 16_000_000;
/** A batch lies here as `ID.batch`, and as `ID.replay` once somebody wants it to be sent again. */
const NAME = /^([0-9a-f]{16}-(?:live|backfill)-\d+)\.(batch|replay)$/;

/** Why a batch was put aside, and when, milliseconds since 1970. */
interface Refusal {
  reason: string;
  refusedMs: number;
}

/** A batch that no hub took. */
export interface QuarantinedBatch extends Refusal {
  id: string;
  /** When it was put into the spool, milliseconds since 1970. */
  timeMs: number;
  lines: number;
  sources: string[];
  /** Bytes on disk. */
  bytes: number;
  /** True once it is to be sent again. */
  isAsked: boolean;
}

/** Where the quarantine of a spool lies. */
export const quarantineOf = (folder: string): string => join(folder, 'quarantine');

const pathOf = (folder: string, id: string, isAsked: boolean): string =>
  join(folder, `${id}.${isAsked ? 'replay' : 'batch'}`);

/** The files of a quarantine, oldest first. */
function list(folder: string) {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return []; // Nothing was ever refused.
  }
  return names
    .flatMap((name) => {
      const [, id, kind] = NAME.exec(name) ?? [];
      const stat = statSync(join(folder, name), { throwIfNoEntry: false });
      if (id === undefined || stat === undefined) return [];
      return [{ id, isAsked: kind === 'replay', path: join(folder, name), bytes: stat.size, ms: stat.mtimeMs }];
    })
    .sort((a, b) => a.ms - b.ms);
}

function makeRoom(folder: string, more: number, log: Logger): void {
  const files = list(folder);
  let bytes = more + files.reduce((sum, file) => sum + file.bytes, 0);
  for (const { path, id, bytes: size } of files) {
    if (bytes <= LIMIT_BYTES) return;
    rmSync(path);
    bytes -= size;
    log.error('the quarantine is full; its oldest batch is gone for good', { batch: id });
  }
}

/** Puts a batch aside for a person, within a limit. Never throws: what follows must go on. */
export function putAside(folder: string, batch: SpooledBatch, refusal: Refusal, log: Logger): void {
  const { epoch, lane, seq, timeMs, tables, sources, packing } = batch;
  const id = `${epoch.toString(16).padStart(16, '0')}-${lane}-${seq}`;
  log.error('the hub does not take a batch; it is put aside and what follows goes on', {
    batch: id,
    reason: refusal.reason,
  });
  const head: BatchHead = {
    epoch: String(epoch),
    lane,
    seq: String(seq),
    timeMs,
    tables: [...tables.keys()].map(String),
    checkpoints: [],
    sources,
    packing,
  };
  const bytes = Buffer.concat([
    encodeFrame(FRAME.refusal, Buffer.from(JSON.stringify(refusal))),
    ...[...tables].map(([table, of]) => encodeFrame(FRAME.table, encodeTable(table, of))),
    encodeFrame(FRAME.batch, ...encodeBatch(head, batch)),
  ]);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    makeRoom(folder, bytes.length, log);
    writeFileDurably(pathOf(folder, id, false), bytes);
  } catch (error) {
    log.error('a batch could not be put aside and is lost', { batch: id, reason: reasonOf(error) });
  }
}

interface Opened {
  refusal: Refusal;
  head: BatchHead;
  entry: SpoolEntry;
}

/** Reads a file of the quarantine; undefined when it is damaged. */
function open(path: string, id: string): Opened | undefined {
  let refusal: Refusal | undefined;
  const tables = new Map<bigint, Uint8Array>();
  for (const { kind, payload } of framesIn(readFileSync(path))) {
    if (kind === FRAME.refusal) refusal = JSON.parse(payload.toString('utf8')) as Refusal;
    else if (kind === FRAME.table) tables.set(...decodeTable(payload));
    else if (kind === FRAME.batch && refusal !== undefined) {
      const { head, body } = decodeBatch(payload);
      const { packing } = head;
      const sources = new Map(Object.entries(head.sources));
      const entry = { ...body, tables, checkpoints: [], sources, packing, replayed: id };
      return { refusal, head, entry };
    }
  }
  return undefined;
}

/** What lies in a quarantine, oldest first. Damaged files have a reason that says so. */
export function listQuarantine(folder: string): QuarantinedBatch[] {
  return list(folder).flatMap(({ id, isAsked, path, bytes, ms }) => {
    try {
      const { refusal, head } = open(path, id) ?? {};
      const sources = Object.keys(head?.sources ?? {});
      const { lines } = totalOf(Object.values(head?.sources ?? {}));
      const why = refusal ?? { reason: 'this file is damaged and cannot be sent', refusedMs: ms };
      return [{ id, isAsked, bytes, ...why, timeMs: head?.timeMs ?? 0, lines, sources }];
    } catch {
      return []; // It went while we looked.
    }
  });
}

/** Asks that a batch is sent again; false when there is none of this id, or it has been asked for already. */
export function askForReplay(folder: string, id: string): boolean {
  try {
    renameSync(pathOf(folder, id, false), pathOf(folder, id, true));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** What putting batches back needs of a spool. */
export interface ReplayGiven {
  folder: string;
  /** Batches that were put back and may still lie here; one that does not is taken out. */
  replayed: Set<string>;
  append(entry: SpoolEntry): Promise<unknown>;
  log: Logger;
}

/**
 * Puts the batches that were asked for back. The spool's own frame says that it has one, so that a crash before the
 * file is deleted doubles nothing.
 */
export async function replayAsked({ folder, replayed, append, log }: ReplayGiven): Promise<void> {
  const files = list(folder);
  for (const { id, path } of files.filter(({ isAsked }) => isAsked)) {
    if (!replayed.has(id)) {
      const opened = open(path, id);
      if (opened === undefined) {
        log.error('a batch of the quarantine is damaged and cannot be sent again', { batch: id });
        renameSync(path, pathOf(folder, id, false));
        continue;
      }
      await append(opened.entry);
      log.info('a batch of the quarantine is sent again', { batch: id });
    }
    rmSync(path, { force: true });
  }
  const left = new Set(list(folder).map(({ id }) => id));
  for (const id of replayed) if (!left.has(id)) replayed.delete(id);
}
