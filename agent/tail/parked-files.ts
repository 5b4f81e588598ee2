import type { FileCheckpoint } from '../spool/index.ts';
import { identityAt } from './open-files.ts';
import { findRenamed } from './rotated.ts';

/** What a file was like when it was closed. */
interface Parked {
  size: number;
  mtimeMs: number;
  /** Its end was not read yet. */
  isUnread: boolean;
  /** Wall clock when its name was known to lead to it. */
  sinceMs: number;
}

/** A file that was closed to make room for another. */
export interface ParkedFile extends Parked {
  place: FileCheckpoint;
  /** Where it lies. */
  at: string;
}

/** What becomes of parked files. */
export interface ParkedGiven {
  /** Opens a file that has changed; true when that was possible. */
  wake(source: string, file: ParkedFile): boolean;
  /** Called with a file that is no longer where it was, nor beside it. */
  gone(source: string, place: FileCheckpoint, was: Parked): void;
}

/** Files that wait closed: nothing is lost when they are written to, only a handle is needed again. */
export interface ParkedFiles {
  has(source: string): boolean;
  add(source: string, place: FileCheckpoint, was: Parked): void;
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
    if (!file.isUnread && found.stat.size === file.size && found.stat.mtimeMs === file.mtimeMs) return;
    parked.delete(source); // Before it is opened, which may park another.
    if (!wake(source, file)) parked.set(source, file);
  };
  return {
    has: (source) => parked.has(source),
    add(source, place, was) {
      const at = identityAt(place.path)?.source === source ? place.path : (findRenamed(place) ?? place.path);
      parked.set(source, { place, at, ...was });
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
