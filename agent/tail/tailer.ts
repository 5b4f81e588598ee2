import { statSync } from 'node:fs';
import type { FSWatcher } from 'chokidar';
import { reasonOf, type Cancel, type Clock, type Logger } from '#sdk';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { sourceOf, type Checkpoint } from '../spool/index.ts';
import { bornMs, findGenerations, findRenamed } from './fingerprint.ts';
import { followFile, type FollowedFile, type FollowOptions } from './followed-file.ts';
import { createGlobMatcher, type GlobSet } from './globs.ts';
import { watchFiles } from './watch.ts';

/** Files to follow, and where one that is there at the very first start is read from. */
export interface TailSet extends GlobSet {
  start: 'end' | 'beginning';
}

/** What the tailer stands on. */
export interface TailerGiven {
  sets: readonly TailSet[];
  pipeline: Pick<Pipeline, 'addLines' | 'hasRoom' | 'room' | 'addLost'>;
  /** Where an earlier run had come to. */
  checkpoints: ReadonlyMap<string, Checkpoint>;
  /** When the last run ended; undefined before the first. Files that are younger are read from their beginning. */
  lastRunMs: number | undefined;
  /** Called when a source is done and will not come back. */
  forget(source: string): void;
  clock: Clock;
  log: Logger;
}

/** Follows files. */
export interface Tailer {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Files that are followed now. */
  files(): readonly string[];
  /** Open files, renamed ones among them. */
  open(): number;
}

const POLL_MS = 1000;
/** News of the watcher are gathered for so long: a busy file costs ten looks a second, whatever it writes. */
const GATHER_MS = 100;
/** Open files; renamed ones that wait for their end count too. */
const HANDLES = 512;
/** A deleted file that stays at its end for this long is done. */
const DELETED_MS = 10_000;
/** A renamed one may still be written to by a program that was not told. */
const RENAMED_MS = 600_000;
/** File systems take their time from a clock that ticks this seldom. */
const COARSE_MS = 10;
/** Read of one file before the others have their turn, bytes. */
const TURN_BYTES = 4_000_000;

/** A followed file. */
interface Entry {
  source: string;
  file: FollowedFile;
  /** Where it was read to. */
  place: Checkpoint;
  /** Wall clock when its name was known to lead to it. */
  sinceMs: number;
  /** Its name leads elsewhere; the clock's time when it last gave something. */
  orphanedAt: number | undefined;
}

function identityAt(path: string): { source: string; bornMs: number } | undefined {
  try {
    const stat = statSync(path);
    return { source: sourceOf({ device: stat.dev, inode: stat.ino }), bornMs: bornMs(stat) };
  } catch {
    return undefined; // It is gone for now.
  }
}

/**
 * Makes a tailer: chokidar notices, a look each second catches what it misses, and nobody reads while the pipeline has
 * no room. Renames are noticed all the same then, so that open handles keep what was not read yet.
 */
export function createTailer(given: TailerGiven): Tailer {
  const { sets, pipeline, clock, log } = given;
  const matchers = sets.map((set) => ({ start: set.start, ...createGlobMatcher(set) }));
  const entries = new Map<string, Entry>();
  const places = new Map(given.checkpoints);
  const refused = new Set<string>();
  const cancels: Cancel[] = [];
  let watcher: FSWatcher | undefined;
  let working: Promise<void> | undefined;
  let firstScan = true;
  let scanAt = 0;
  let gathering = false;
  let waiting = false;
  let again = false;
  let stopped = false;

  const openFile = (options: Omit<FollowOptions, 'lost'>): Entry | undefined => {
    const { path } = options;
    const refuse = (reason: string): undefined => {
      if (!refused.has(path)) log.warn('a log file cannot be read; it is tried again', { path, reason });
      refused.add(path);
    };
    if (entries.size >= HANDLES) return refuse(`${HANDLES} files are open already`);
    try {
      const lost = (bytes: number): void => {
        log.error('a log file was truncated before it was read to its end', { path, bytes });
        pipeline.addLost(path);
      };
      const file = followFile({ ...options, lost });
      const entry: Entry = {
        source: sourceOf(file),
        file,
        place: file.checkpoint(),
        sinceMs: clock.now() - COARSE_MS,
        orphanedAt: undefined,
      };
      entries.set(entry.source, entry);
      refused.delete(path);
      return entry;
    } catch (error) {
      return refuse(reasonOf(error));
    }
  };

  /** Takes up every file that fits the globs and is not followed yet. */
  const takeUp = (): Entry[] =>
    matchers.flatMap(({ start, expand }) =>
      expand().flatMap((path) => {
        const found = identityAt(path);
        if (found === undefined || entries.has(found.source)) return [];
        const place = places.get(found.source);
        const isOld = firstScan && (given.lastRunMs === undefined || found.bornMs < given.lastRunMs);
        const entry = openFile({
          path,
          start: place === undefined ? (isOld ? start : 'beginning') : { ...place, path },
        });
        if (entry === undefined) return [];
        // Also a file that says nothing has a place from now on, so that a restart reads what it says meanwhile.
        if (place === undefined) pipeline.addLines({ path, piece: undefined, checkpoint: entry.place });
        return [entry];
      }),
    );
  /** Looking through folders takes at most a twentieth of the time. */
  const scan = (): Entry[] => {
    const begun = clock.monotonic();
    if (begun < scanAt) return [];
    const taken = takeUp();
    scanAt = begun + 20 * (clock.monotonic() - begun);
    return taken;
  };

  /** Takes up what the path led to since then and was renamed before anyone looked. */
  const takeUpGenerations = (path: string, sinceMs: number): void => {
    for (const at of findGenerations(path, sinceMs)) {
      const found = identityAt(at);
      if (found === undefined || entries.has(found.source) || places.has(found.source)) continue;
      openFile({ path, at, start: 'beginning' });
      again = true;
    }
  };

  /** Files that were renamed while no agent ran still have a rest, and so have those that came and went in between. */
  const findOrphans = (): void => {
    for (const [source, place] of places) {
      if (entries.has(source)) continue;
      const at = findRenamed(place);
      if (at !== undefined) openFile({ path: place.path, at, start: place });
      takeUpGenerations(place.path, given.lastRunMs ?? Infinity);
      if (at !== undefined) continue;
      places.delete(source);
      given.forget(source);
    }
  };

  /** Reads a file on; true when there may be more. */
  const drain = (entry: Entry): { any: boolean; more: boolean } => {
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
  };

  const close = (entry: Entry): void => {
    const { file, source } = entry;
    const piece = file.finish();
    if (piece !== undefined) pipeline.addLines({ path: file.path, piece, checkpoint: file.checkpoint() });
    places.set(source, file.checkpoint());
    file.close();
    entries.delete(source);
  };

  /** Notices that a file's name leads elsewhere, and leaves it when nothing has come for a while. */
  const settle = (entry: Entry, any: boolean): void => {
    const at = identityAt(entry.file.path);
    if (at?.source === entry.source) {
      entry.orphanedAt = undefined;
      return;
    }
    if (entry.orphanedAt === undefined) takeUpGenerations(entry.file.path, entry.sinceMs);
    if (any || entry.orphanedAt === undefined) entry.orphanedAt = clock.monotonic();
    const patience = entry.file.isDeleted() ? DELETED_MS : RENAMED_MS;
    const isCrowded = entries.size >= HANDLES;
    if (isCrowded || clock.monotonic() - entry.orphanedAt > patience) close(entry);
  };

  const visit = (entry: Entry): boolean => {
    try {
      const { any, more } = drain(entry);
      if (!more) settle(entry, any);
      return more;
    } catch (error) {
      const { path } = entry.file;
      log.warn('a log file could not be read on; it is opened anew', { path, reason: reasonOf(error) });
      places.set(entry.source, entry.place);
      entry.file.close();
      entries.delete(entry.source);
      return false;
    }
  };

  const look = async (): Promise<void> => {
    for (const entry of [...entries.values()]) {
      if (visit(entry)) again = true;
      await new Promise(setImmediate); // Collectors and the link have their turn between two files.
      if (stopped) return;
    }
    for (const entry of scan()) if (visit(entry)) again = true;
    firstScan = false;
  };

  /** One look at a time; news during one leads to another. */
  const wake = (): void => {
    again = true;
    if (working !== undefined || stopped) return;
    working = (async () => {
      while (again && !stopped) {
        again = false;
        await look();
        if (again && !pipeline.hasRoom()) return;
      }
    })()
      .catch((error: unknown) => log.error('looking for log lines failed', { reason: reasonOf(error) }))
      .finally(() => {
        working = undefined;
        if (stopped || waiting || pipeline.hasRoom()) return;
        waiting = true;
        void pipeline.room().then(() => {
          waiting = false;
          wake();
        });
      });
  };
  const notice = (): void => {
    if (gathering) return;
    gathering = true;
    cancels[0] = clock.after(GATHER_MS, () => {
      gathering = false;
      wake();
    });
  };

  return {
    async start() {
      scan();
      findOrphans();
      firstScan = false;
      cancels.push(() => undefined, clock.every(POLL_MS, wake));
      watcher = await watchFiles(matchers, notice, (reason) =>
        log.warn('watching for changes failed; files are looked at each second', { reason }),
      );
      wake();
    },
    async stop() {
      stopped = true;
      for (const cancel of cancels.splice(0)) cancel();
      await watcher?.close();
      await working;
      for (const { file } of entries.values()) file.close();
      entries.clear();
    },
    files: () => [...new Set([...entries.values()].map(({ file }) => file.path))].sort(),
    open: () => entries.size,
  };
}
