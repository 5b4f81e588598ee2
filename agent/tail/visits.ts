import { reasonOf, type Clock, type Logger } from '#sdk';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { Discovery } from './discovery.ts';
import { identityAt, type OpenFile, type OpenFiles } from './open-files.ts';

/** What visits stand on. */
export interface VisitsGiven {
  pipeline: Pick<Pipeline, 'addLines' | 'hasRoom'>;
  files: OpenFiles;
  discovery: Discovery;
  clock: Clock;
  log: Logger;
}

/** A deleted file that stays at its end for this long is done. */
const DELETED_MS = 10_000;
/** A renamed one may still be written to by a program that was not told. */
const RENAMED_MS = 600_000;
/** Read of one file before the others have their turn, bytes. */
const TURN_BYTES = 4_000_000;

/** Reads a file on, as long as there is room and its turn lasts. */
function drain({ pipeline }: VisitsGiven, entry: OpenFile): { any: boolean; more: boolean } {
  const { file } = entry;
  let bytes = 0;
  for (;;) {
    if (!pipeline.hasRoom() || bytes > TURN_BYTES) return { any: bytes > 0, more: true };
    const piece = file.read();
    if (piece === undefined) return { any: bytes > 0, more: false };
    bytes += piece.bytes.length + 1;
    entry.place = file.checkpoint();
    pipeline.addLines({ path: file.path, piece, checkpoint: entry.place });
  }
}

/** Makes visits to open files: reads one on and leaves it when nobody writes to it any more; true when there may be more. */
export function createVisits(given: VisitsGiven): (entry: OpenFile) => boolean {
  const { files, discovery, clock, log } = given;

  /** Notices that a file's name leads elsewhere, and leaves it when nothing has come for a while. */
  const settle = (entry: OpenFile, any: boolean): boolean => {
    const { source, file, sinceMs } = entry;
    if (identityAt(file.path)?.source === source) {
      entry.orphanedAt = undefined;
      return false;
    }
    const more = entry.orphanedAt === undefined && discovery.takeUpGenerations(file.path, sinceMs);
    if (any || entry.orphanedAt === undefined) entry.orphanedAt = clock.monotonic();
    const isDeleted = file.isDeleted();
    const patienceMs = files.isCrowded() ? 0 : isDeleted ? DELETED_MS : RENAMED_MS;
    if (clock.monotonic() - entry.orphanedAt < patienceMs) return more;
    files.finish(entry);
    if (isDeleted) discovery.forgetPlace(entry);
    else discovery.keepPlace(entry);
    return more;
  };
  return (entry) => {
    try {
      const { any, more } = drain(given, entry);
      return more || settle(entry, any);
    } catch (error) {
      const { path } = entry.file;
      log.warn('a log file could not be read on; it is opened anew', { path, reason: reasonOf(error) });
      discovery.keepPlace(entry);
      files.release(entry);
      return false;
    }
  };
}
