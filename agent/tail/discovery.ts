import type { Clock } from '#sdk';
import type { FileCheckpoint } from '../spool/index.ts';
import type { TruncatedFile } from './followed-file.ts';
import type { Generations } from './generations.ts';
import { createGlobMatcher, type GlobMatcher, type GlobSet } from './globs.ts';
import { COARSE_MS, identityAt, type Found, type OpenFile, type OpenFiles, type Wanted } from './open-files.ts';
import { forgetGone, orphansOf, takeUpOrphan, unreadSince } from './orphans.ts';
import type { PackedFiles } from './packed-files.ts';
import { isPacked } from './packed.ts';
import type { ParkedFiles } from './parked-files.ts';
import type { Places } from './places.ts';
import { bornMs, isBeside, isSameFile, type Sibling } from './rotated.ts';

/** Files to follow, and where they are read from. */
export interface TailSet extends GlobSet {
  start: 'saved' | 'end' | 'beginning';
}

/** What a discovery stands on. */
export interface DiscoveryGiven {
  sets: readonly TailSet[];
  files: OpenFiles;
  parked: ParkedFiles;
  packed: PackedFiles;
  places: Places;
  generations: Generations;
  /** When the last run ended; undefined before the first. Files that are younger are read from their beginning. */
  lastRunMs: number | undefined;
  clock: Clock;
}

/** Finds files that fit and are not followed yet. */
export interface Discovery {
  readonly matchers: readonly GlobMatcher[];
  /** Takes up files where an earlier run left them, wherever they are now, and those that came since; to be called once. */
  begin(): void;
  /** Takes up every file that fits the globs. Looking through folders takes at most a twentieth of the time. */
  scan(): OpenFile[];
  /** Takes up what a path leads to now that its file was renamed, and what it led to in between; true when there was anything. */
  renamed(path: string, sinceMs: number): boolean;
  /** Decides what becomes of what a truncated file held; true when it may be read on at once, else `release` is called. */
  truncated(path: string, what: TruncatedFile, release: () => void): boolean;
  /** Forgets places of files that are gone from the disk; looks once an hour. */
  sweep(): void;
}

const SWEEP_MS = 3_600_000;
/** The last run may have ended before it had seen a file that was as young as this. */
const UNSEEN_MS = 10_000;

/** The place of a file, also of one whose device has got another number since the last run, as they do at a boot. */
function placeAtStart(places: Places, files: OpenFiles, path: string, found: Found): FileCheckpoint | undefined {
  const isOld = ([old, place]: readonly [string, FileCheckpoint]): boolean =>
    place.path === path && old !== found.source && isSameFile(place, found.stat) && !files.has(old);
  return places.of(found) ?? [...places.known].find(isOld)?.[1];
}

/** Forgets places of files that are gone from the disk; looks once an hour. */
function createSweep(places: Places, clock: Clock): () => void {
  let sweepAt = clock.monotonic() + SWEEP_MS;
  return () => {
    if (clock.monotonic() < sweepAt) return;
    sweepAt = clock.monotonic() + SWEEP_MS;
    for (const [source, place] of places.known) {
      if (places.isFollowed(source) || identityAt(place.path)?.source === source) continue;
      if (!isBeside(place)) places.forget(source);
    }
  };
}

/** Makes copies of a truncated file known, so that nobody takes one for a file of its own. */
function keepCopies(
  places: Places,
  { path, fingerprint, fingerprintLength }: FileCheckpoint,
  copies: readonly Sibling[],
): void {
  for (const { stat } of copies) {
    const own = { device: stat.dev, inode: stat.ino, bornMs: stat.birthtimeMs, offset: stat.size, isDone: true };
    places.keep({ path, ...own, fingerprint, fingerprintLength });
  }
}

/** Decides what becomes of what a truncated file held. */
function createTruncated(given: DiscoveryGiven, isAtStart: () => boolean): Discovery['truncated'] {
  const { packed, places, generations } = given;
  return (path, { place, copies, unread, seenMs }, release) => {
    keepCopies(places, place, copies);
    if (copies.length > 0) {
      generations.takeUp(path, Math.min(...copies.map(({ stat }) => stat.mtimeMs)) - COARSE_MS);
      return true;
    }
    const atStart = isAtStart(); // It was emptied while no agent ran.
    // It may have been filled and truncated once more since.
    if (!atStart) generations.expect(path, seenMs - COARSE_MS);
    packed.search(place, (at) => {
      if (at === undefined && atStart) places.addUncounted(path, 'truncated');
      else if (at === undefined) places.addLost({ path, bytes: unread, fromMs: seenMs, cause: 'truncated' });
      release();
    });
    return false;
  };
}

/** Makes a discovery. */
export function createDiscovery(given: DiscoveryGiven): Discovery {
  const { files, parked, packed, places, generations, clock, lastRunMs } = given;
  const matchers = given.sets.map((set) => ({ start: set.start, ...createGlobMatcher(set) }));
  const named = () => matchers.flatMap(({ start, expand }) => expand().map((path) => ({ path, start })));
  const setOf = (path: string) => matchers.find(({ matches }) => matches(path));
  let isFirst = true;
  let scanAt = 0;

  const placeOf = (path: string, found: Found): FileCheckpoint | undefined =>
    isFirst ? placeAtStart(places, files, path, found) : places.of(found);
  const startOf = (path: string, found: Found, start: TailSet['start']): Wanted['start'] => {
    const place = placeOf(path, found);
    const isOld = isFirst && (lastRunMs === undefined || bornMs(found.stat) < lastRunMs - UNSEEN_MS);
    if (isFirst && start === 'end' && (isOld || place !== undefined)) return 'end';
    if (place !== undefined) return { ...place, path };
    return isOld && start !== 'beginning' ? 'end' : 'beginning';
  };
  const takeUp = (path: string, start: TailSet['start']): OpenFile | undefined => {
    const found = identityAt(path);
    if (found === undefined || places.isFollowed(found.source) || isPacked(path)) return undefined;
    if (placeOf(path, found) === undefined && generations.isCopyOfFollowed(path, found.stat)) return undefined;
    const entry = files.open({ path, source: found.source, start: startOf(path, found, start) });
    // Also a silent file has a place from now on, for what it says while no agent runs; a truncated one keeps its own until its copy was looked for.
    if (entry !== undefined && !entry.isHeld && places.of(found)?.path !== path) places.keep(entry.place);
    return entry;
  };
  return {
    matchers,
    begin() {
      const paths = named();
      const before = [...places.known];
      const isKnown = ({ path }: { path: string }): boolean => {
        const found = identityAt(path);
        return found !== undefined && placeOf(path, found) !== undefined;
      };
      // What is known comes first: what is not may be a copy of it.
      for (const { path, start } of paths.filter(isKnown)) takeUp(path, start);
      const isFromEnd = (path: string): boolean => setOf(path)?.start === 'end';
      const orphans = orphansOf(before, places).filter(({ place }) => !isFromEnd(place.path));
      for (const orphan of orphans) if (orphan.place.isDone !== true) takeUpOrphan(given, orphan);
      for (const { path, start } of paths) takeUp(path, start);
      isFirst = false;
      const followed = new Set(places.known.ever().flatMap(({ path }) => (isFromEnd(path) ? [] : path)));
      const sinceMs = (lastRunMs ?? Infinity) - UNSEEN_MS;
      for (const path of followed) generations.takeUp(path, Math.min(sinceMs, unreadSince(path, orphans)));
      // Only then: what they were packed into is recognised by them.
      packed.afterwards(() => forgetGone(orphans, places));
    },
    scan() {
      const begun = clock.monotonic();
      if (begun < scanAt) return [];
      parked.look();
      const taken = named().flatMap(({ path, start }) => takeUp(path, start) ?? []);
      generations.look();
      scanAt = begun + 20 * (clock.monotonic() - begun);
      return taken;
    },
    renamed(path, sinceMs) {
      const any = generations.takeUp(path, sinceMs);
      const set = setOf(path);
      const entry = set === undefined ? undefined : takeUp(path, set.start);
      // The next file may not be there yet, and be renamed too before the next scan.
      generations.expect(path, sinceMs);
      return any || entry !== undefined;
    },
    truncated: createTruncated(given, () => isFirst),
    sweep: createSweep(places, clock),
  };
}
