import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { reasonOf, type Clock, type Logger } from '#sdk';
import type { LineSink } from './tailer.ts';
import type { Discovery } from './discovery.ts';
import type { Generations } from './generations.ts';
import type { Places } from './places.ts';
import { identityAt, type OpenFile, type OpenFiles } from './open-files.ts';

/** What visits stand on. */
export interface VisitsGiven {
  pipeline: LineSink;
  files: OpenFiles;
  discovery: Discovery;
  generations: Generations;
  places: Places;
  clock: Clock;
  log: Logger;
}

/** A deleted file that stays at its end for this long is done: its disk space is not free before. */
const DELETED_MS = 60_000;
/** The end of a renamed file that lacks its newline for so long is a line all the same. */
const UNFINISHED_MS = 600_000;
/** Read of one file before the others have their turn, bytes. */
const TURN_BYTES = 4_000_000;

/** Reads a file on, as long as there is room and its turn lasts. */
function drain({ pipeline }: VisitsGiven, entry: OpenFile): { any: boolean; more: boolean } {
  const { file } = entry;
  let bytes = 0;
  for (;;) {
    if (!pipeline.hasRoom() || bytes > TURN_BYTES) return { any: bytes > 0, more: true };
    const piece = file.read();
    if (piece === undefined) return { any: bytes > 0, more: entry.isHeld };
    bytes += piece.bytes.length + 1;
    entry.place = file.checkpoint();
    pipeline.addLines({ path: file.path, piece, checkpoint: entry.place });
  }
}

function changedMs(folder: string): number {
  try {
    return statSync(folder).mtimeMs;
  } catch {
    return 0; // It is gone for now.
  }
}

/** True while nothing of what a file holds now was read: its copy, which is read first, does not count. */
function isUnread({ file }: OpenFile): boolean {
  return file.checkpoint().fingerprintLength === 0;
}

/** Makes visits to open files: reads one on and leaves it when nobody writes to it any more; true when there may be more. */
export function createVisits(given: VisitsGiven): (entry: OpenFile) => boolean {
  const { pipeline, files, discovery, generations, places, clock, log } = given;

  /** A file of which nothing is known may be copied and truncated unnoticed: only its folder tells. */
  const lookBeside = (entry: OpenFile): boolean => {
    if (!entry.isUnknown) return false;
    entry.isUnknown = isUnread(entry);
    const nowMs = changedMs(dirname(entry.file.path));
    if (nowMs === entry.folderMs) return false;
    entry.folderMs = nowMs;
    return generations.takeUp(entry.file.path, entry.sinceMs);
  };
  /** Takes the end of a file that lacks its newline. */
  const takeUnfinished = (entry: OpenFile): void => {
    const { file } = entry;
    const piece = file.finish();
    if (piece === undefined) return;
    entry.place = file.checkpoint();
    pipeline.addLines({ path: file.path, piece, checkpoint: entry.place });
  };
  /** Notices that a file's name leads elsewhere. A renamed file stays open: a program may not know of it yet. */
  const settle = (entry: OpenFile, any: boolean): boolean => {
    const { source, file, sinceMs } = entry;
    if (identityAt(file.path)?.source === source) {
      entry.orphanedAt = undefined;
      return lookBeside(entry);
    }
    const more = entry.orphanedAt === undefined && discovery.renamed(file.path, sinceMs);
    if (!files.isOpen(entry)) return more; // It made room for what was found.
    if (any || entry.orphanedAt === undefined) entry.orphanedAt = clock.monotonic();
    const idleMs = clock.monotonic() - entry.orphanedAt;
    if (file.isDeleted()) {
      if (idleMs < DELETED_MS) return more;
      files.finish(entry);
    } else if (idleMs >= UNFINISHED_MS) takeUnfinished(entry);
    return more;
  };
  return (entry) => {
    if (entry.isHeld) {
      entry.isUnknown = true; // It may be copied and truncated once more before anything of it is read.
      return false;
    }
    entry.isUnknown ||= isUnread(entry);
    try {
      const { any, more } = drain(given, entry);
      if (!files.isOpen(entry)) return true; // It made room for its own copy.
      entry.isAtEnd = !more;
      if (any) entry.activeAt = clock.monotonic();
      return more || settle(entry, any);
    } catch (error) {
      const { path } = entry.file;
      log.warn('a log file could not be read on; it is opened anew', { path, reason: reasonOf(error) });
      places.set(entry.place);
      files.release(entry);
      return false;
    }
  };
}
