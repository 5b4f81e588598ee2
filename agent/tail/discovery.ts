import type { Clock } from '#sdk';
import type { FileCheckpoint } from '../spool/index.ts';
import type { TailedLines } from '../pipeline/gathering.ts';
import { findGenerations, findRenamed } from './fingerprint.ts';
import { createGlobMatcher, type GlobMatcher, type GlobSet } from './globs.ts';
import { identityAt, type Found, type OpenFile, type OpenFiles } from './open-files.ts';

/** Files to follow, and where one that is there at the very first start is read from. */
export interface TailSet extends GlobSet {
  start: 'end' | 'beginning';
}

/** What a discovery stands on. */
export interface DiscoveryGiven {
  sets: readonly TailSet[];
  /** Where an earlier run had come to, by source. */
  checkpoints: ReadonlyMap<string, FileCheckpoint>;
  files: OpenFiles;
  /** When the last run ended; undefined before the first. Files that are younger are read from their beginning. */
  lastRunMs: number | undefined;
  addLines(lines: TailedLines): void;
  /** Called when a source is done and will not come back. */
  forget(source: string): void;
  clock: Clock;
}

/** Finds files that fit and are not followed yet. */
export interface Discovery {
  readonly matchers: readonly GlobMatcher[];
  /** Takes up every file that fits the globs. Looking through folders takes at most a twentieth of the time. */
  scan(): OpenFile[];
  /** Takes up files that a path led to since then and that were renamed before anyone looked; true when there were any. */
  takeUpGenerations(path: string, sinceMs: number): boolean;
  /** Takes up files that were renamed while no agent ran; to be called once, after the first scan. */
  takeUpOrphans(): void;
  /** Remembers where a closed file was read to, for as long as it lies on the disk. */
  keepPlace(entry: OpenFile): void;
  /** Forgets a file that was deleted: its number on the disk is used again at once. */
  forgetPlace(entry: OpenFile): void;
  /** Forgets places of files that are gone from the disk; looks once an hour. */
  sweep(): void;
}

const SWEEP_MS = 3_600_000;

/** Makes a discovery. */
export function createDiscovery(given: DiscoveryGiven): Discovery {
  const { files, clock } = given;
  const places = new Map(given.checkpoints);
  const matchers = given.sets.map((set) => ({ start: set.start, ...createGlobMatcher(set) }));
  let isFirst = true;
  let scanAt = 0;
  let sweepAt = clock.monotonic() + SWEEP_MS;

  const forget = (source: string): void => {
    places.delete(source);
    given.forget(source);
  };
  /** The place of a file; at the start also one whose device has got another number since, as they do at a boot. */
  const placeOf = (path: string, { source }: Found): FileCheckpoint | undefined => {
    const known = places.get(source);
    if (known !== undefined || !isFirst) return known;
    const inode = source.slice(source.indexOf(':'));
    for (const [old, place] of places) {
      if (place.path !== path || !old.endsWith(inode) || files.has(old)) continue;
      forget(old);
      return place;
    }
    return undefined;
  };
  const takeUp = (path: string, start: TailSet['start']): OpenFile | undefined => {
    const found = identityAt(path);
    if (found === undefined || files.has(found.source)) return undefined;
    const place = placeOf(path, found);
    const isOld = isFirst && (given.lastRunMs === undefined || found.bornMs < given.lastRunMs);
    const from = place === undefined ? (isOld ? start : 'beginning') : { ...place, path };
    const entry = files.open({ path, source: found.source, start: from });
    // Also a file that says nothing has a place from now on, so that a restart reads what it says meanwhile.
    if (entry !== undefined && places.get(found.source) === undefined)
      given.addLines({ path, piece: undefined, checkpoint: entry.place });
    return entry;
  };
  const takeUpGenerations = (path: string, sinceMs: number): boolean => {
    let any = false;
    for (const at of findGenerations(path, sinceMs)) {
      const found = identityAt(at);
      if (found === undefined || files.has(found.source) || places.has(found.source)) continue;
      any = files.open({ path, at, source: found.source, start: 'beginning' }) !== undefined || any;
    }
    return any;
  };

  return {
    matchers,
    scan() {
      const begun = clock.monotonic();
      if (begun < scanAt) return [];
      const taken = matchers.flatMap(({ start, expand }) => expand().flatMap((path) => takeUp(path, start) ?? []));
      scanAt = begun + 20 * (clock.monotonic() - begun);
      return taken;
    },
    takeUpGenerations,
    takeUpOrphans() {
      isFirst = false;
      for (const [source, place] of [...places]) {
        if (files.has(source)) continue;
        const at = findRenamed(place);
        const found = at === undefined ? undefined : identityAt(at);
        if (at !== undefined && found !== undefined)
          files.open({ path: place.path, at, source: found.source, start: place });
        takeUpGenerations(place.path, given.lastRunMs ?? Infinity);
        if (found?.source !== source) forget(source);
      }
    },
    keepPlace: ({ source, place }) => void places.set(source, place),
    forgetPlace: ({ source }) => forget(source),
    sweep() {
      if (clock.monotonic() < sweepAt) return;
      sweepAt = clock.monotonic() + SWEEP_MS;
      for (const [source, place] of places) {
        if (files.has(source) || identityAt(place.path)?.source === source) continue;
        if (findRenamed(place) === undefined) forget(source);
      }
    },
  };
}
