import type { Clock } from '#sdk';
import type { Loss } from '../pipeline/loss.ts';
import type { LineSink } from './tailer.ts';
import type { FileCheckpoint } from '../spool/index.ts';
import type { KnownPlaces } from './known-places.ts';
import type { Found } from './open-files.ts';
import type { PackedFiles } from './packed-files.ts';

/** What places stand on. */
export interface PlacesGiven {
  /** Where files were read to, by source; kept up to date here. */
  known: KnownPlaces;
  packed: PackedFiles;
  pipeline: Pick<LineSink, 'addLines' | 'addLost'>;
  /** True for a file that is open, or waits closed. */
  isFollowed(source: string): boolean;
  /** Called when a source is done and will not come back. */
  forget(source: string): void;
  /** When the last run ended; undefined before the first. */
  lastRunMs: number | undefined;
  clock: Clock;
}

/** Where files were read to, and what becomes of that when they go. */
export interface Places {
  readonly known: KnownPlaces;
  isFollowed(source: string): boolean;
  /** The place of what lies at a path now. */
  of(found: Found): FileCheckpoint | undefined;
  /** Remembers a place, in the spool too. */
  keep(place: FileCheckpoint): void;
  /** Remembers the place of a file that is closed. */
  set(place: FileCheckpoint): void;
  forget(source: string): void;
  /** Forgets a source together with the place that goes on in its stead. */
  replace(source: string, place: FileCheckpoint): void;
  /** Ends with a file that is gone; its packed copy, if there is one, is no news, and holds what was not read. */
  end(source: string, place: FileCheckpoint, isLost?: () => void): void;
  /** Ends with a file that was removed while nobody looked: if its name led to it, what it was written until then cannot be known, and is said to be lost. */
  gone(source: string, place: FileCheckpoint): void;
  /** Says that what was written to a path since the last run is lost, and that nobody knows how much that is. */
  addUncounted(path: string, cause: Loss['cause']): void;
  addLost(loss: Pick<Loss, 'path' | 'bytes' | 'fromMs' | 'cause'>): void;
}

/** Keeps places. */
export function createPlaces({
  known,
  packed,
  pipeline,
  isFollowed,
  forget: given,
  lastRunMs,
  clock,
}: PlacesGiven): Places {
  const forget = (source: string): void => {
    known.delete(source);
    given(source);
  };
  /** False once it is followed, or its place is another one. */
  const isStill = (source: string, place: FileCheckpoint): boolean =>
    !isFollowed(source) && known.get(source) === place;
  const replace = (source: string, place: FileCheckpoint): void => {
    if (!isStill(source, place)) return;
    known.delete(source);
    pipeline.addLines({ path: place.path, piece: undefined, checkpoint: { gone: source } });
  };
  const addUncounted = (path: string, cause: Loss['cause']): void => {
    const toMs = clock.now();
    pipeline.addLost({ path, lines: undefined, bytes: 0, fromMs: Math.min(lastRunMs ?? toMs, toMs), toMs, cause });
  };
  return {
    known,
    isFollowed,
    of: ({ source }) => known.get(source),
    keep(place) {
      known.set(place);
      pipeline.addLines({ path: place.path, piece: undefined, checkpoint: place });
    },
    set: known.set,
    forget,
    replace,
    end(source, place, isLost = () => undefined) {
      packed.search(place, (at) => {
        if (at === undefined) {
          isLost();
          if (isStill(source, place)) forget(source);
        } else if (at !== source) replace(source, place);
      });
    },
    gone(source, place) {
      // Those of the last run: what was made since then is what the name leads to instead.
      const others = [...known].filter(([, other]) => other.path === place.path && other !== place);
      const isNewest = others.every(
        ([, { bornMs = 0 }]) => bornMs < (place.bornMs ?? 0) || bornMs > (lastRunMs ?? Infinity),
      );
      if (isNewest && isStill(source, place)) addUncounted(place.path, 'removed');
      replace(source, place);
    },
    addUncounted,
    addLost(loss) {
      if (loss.bytes > 0) pipeline.addLost({ ...loss, lines: undefined, toMs: clock.now() });
    },
  };
}
