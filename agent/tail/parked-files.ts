import type { FileCheckpoint } from '../spool/index.ts';
import { identityAt } from './open-files.ts';
import { findRenamed } from './rotated.ts';

/** A file that was closed to make room for another, and has nothing that is unread. */
interface ParkedFile {
  place: FileCheckpoint;
  /** Where it lies. */
  at: string;
  size: number;
  mtimeMs: number;
}

/** What becomes of parked files. */
export interface ParkedGiven {
  /** Opens a file that has changed; true when that was possible. */
  wake(source: string, place: FileCheckpoint, at: string): boolean;
  /** Called with a file that is no longer where it was, nor beside it, with its size and time of change when it was last read. */
  gone(source: string, place: FileCheckpoint, seen: { size: number; mtimeMs: number }): void;
}

/** Files that wait closed: nothing is lost when they are written to, only a handle is needed again. */
export interface ParkedFiles {
  has(source: string): boolean;
  /** Takes a file with the size and time of change that it had when it was last read. */
  add(source: string, place: FileCheckpoint, seen: { size: number; mtimeMs: number }): void;
  /** Looks at each; one that was written to is opened again. */
  look(): void;
  places(): IterableIterator<FileCheckpoint>;
  size(): number;
}

/** Keeps parked files. */
export function createParkedFiles({ wake, gone }: ParkedGiven): ParkedFiles {
  const parked = new Map<string, ParkedFile>();
  const whereIs = (source: string, { at, place }: ParkedFile): string | undefined =>
    identityAt(at)?.source === source ? at : findRenamed(place);
  const look = (source: string, file: ParkedFile): void => {
    const at = whereIs(source, file);
    const found = at === undefined ? undefined : identityAt(at);
    if (at === undefined || found?.source !== source) {
      parked.delete(source);
      return gone(source, file.place, file);
    }
    file.at = at;
    if (found.stat.size === file.size && found.stat.mtimeMs === file.mtimeMs) return;
    parked.delete(source); // Before it is opened, which may park another.
    if (!wake(source, file.place, at)) parked.set(source, file);
  };
  return {
    has: (source) => parked.has(source),
    add(source, place, seen) {
      const at = identityAt(place.path)?.source === source ? place.path : (findRenamed(place) ?? place.path);
      parked.set(source, { place, at, ...seen });
    },
    look() {
      for (const [source, file] of [...parked]) look(source, file);
    },
    *places() {
      for (const { place } of parked.values()) yield place;
    },
    size: () => parked.size,
  };
}
