import { sourceOf, type FileCheckpoint } from '../spool/index.ts';

/** Places that are remembered after their files went. */
const FORMER = 1024;

/** Where files were read to, by source. */
export interface KnownPlaces extends Iterable<[string, FileCheckpoint]> {
  get(source: string): FileCheckpoint | undefined;
  set(place: FileCheckpoint): void;
  delete(source: string): void;
  /** All of them, and the latest of those that went: copies of their files may turn up for a while. */
  ever(): FileCheckpoint[];
}

/** Keeps places. */
export function createKnownPlaces(begun: Iterable<FileCheckpoint>): KnownPlaces {
  const known = new Map<string, FileCheckpoint>();
  const former: FileCheckpoint[] = [];
  const remember = (place: FileCheckpoint | undefined): void => {
    if (place === undefined || place.fingerprintLength === 0) return;
    if (former.push(place) > FORMER) former.shift();
  };
  const set = (place: FileCheckpoint): void => void known.set(sourceOf(place), place);
  for (const place of begun) set(place);
  return {
    get: (source) => known.get(source),
    set,
    delete(source) {
      remember(known.get(source));
      known.delete(source);
    },
    ever: () => [...known.values(), ...former],
    [Symbol.iterator]: () => known.entries(),
  };
}
