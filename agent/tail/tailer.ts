import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { watch, type FSWatcher } from 'chokidar';
import { reasonOf, type Cancel, type Clock, type Logger } from '#sdk';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { sourceOf, type Checkpoint } from '../spool/index.ts';
import { baseOf, expandGlobs, type GlobSet } from './globs.ts';
import { followFile, type FollowedFile } from './followed-file.ts';

/** Files to follow, and where one that is there at the very first start is read from. */
export interface TailSet extends GlobSet {
  start: 'end' | 'beginning';
}

/** What the tailer stands on. */
export interface TailerGiven {
  sets: readonly TailSet[];
  pipeline: Pick<Pipeline, 'addLines' | 'room'>;
  checkpoints: ReadonlyMap<string, Checkpoint>;
  clock: Clock;
  log: Logger;
}

/** Follows files. */
export interface Tailer {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Files that are open now. */
  files(): readonly string[];
}

const POLL_MS = 1000;
const RESCAN_MS = 10_000;
/** Open files; renamed ones that wait for their end count too. */
const HANDLES = 512;
/** A renamed or deleted file that stays at its end for this long is done. */
const LINGER_MS = 10_000;

interface Entry {
  file: FollowedFile;
  /** Its name leads elsewhere now; since when it has been at its end. */
  orphanedMs: number | undefined;
}

function statOf(path: string): { device: number; inode: number } | undefined {
  try {
    const { dev, ino } = statSync(path);
    return { device: dev, inode: ino };
  } catch {
    return undefined; // It is gone for now.
  }
}

/** A file that was renamed while nobody watched: same inode, in the same folder. */
function findRenamed(checkpoint: Checkpoint): string | undefined {
  const folder = dirname(checkpoint.path);
  if (!existsSync(folder)) return undefined;
  const names = readdirSync(folder).map((name) => join(folder, name));
  return names.find((path) => {
    const stat = statOf(path);
    return stat !== undefined && sourceOf(stat) === sourceOf(checkpoint);
  });
}

/** Makes a tailer: chokidar notices, a look each second catches what it misses, and reading stops while the pipeline has no room. */
export function createTailer({ sets, pipeline, checkpoints, clock, log }: TailerGiven): Tailer {
  const entries = new Map<string, Entry>();
  const refused = new Set<string>();
  const cancels: Cancel[] = [];
  let watcher: FSWatcher | undefined;
  let working: Promise<void> | undefined;
  let again = false;
  let stopped = false;
  let rescanAt = 0;

  const follow = (path: string, start: 'end' | 'beginning' | Checkpoint): FollowedFile | undefined => {
    if (entries.size >= HANDLES) {
      if (!refused.has(path)) log.warn('too many files are open; a file is not followed', { path, limit: HANDLES });
      refused.add(path);
      return undefined;
    }
    try {
      const file = followFile(path, start);
      entries.set(sourceOf(file), { file, orphanedMs: undefined });
      refused.delete(path);
      return file;
    } catch (error) {
      if (!refused.has(path))
        log.warn('a log file cannot be read; it is tried again', { path, reason: reasonOf(error) });
      refused.add(path);
      return undefined;
    }
  };

  const scan = (first: boolean): void => {
    rescanAt = clock.monotonic() + RESCAN_MS;
    for (const set of sets) {
      for (const path of expandGlobs(set)) {
        const stat = statOf(path);
        if (stat === undefined || entries.has(sourceOf(stat))) continue;
        // A known file goes on where it was; one that was there before the first start begins as its set says; a later one at its beginning.
        const known = checkpoints.get(sourceOf(stat));
        const start = known ?? (first && checkpoints.size === 0 ? set.start : 'beginning');
        const file = follow(path, start);
        if (file !== undefined && known === undefined)
          pipeline.addLines({ path, lines: [], bytes: 0, checkpoint: file.checkpoint() });
      }
    }
  };

  /** Files that were renamed while no agent ran still have a rest to read. */
  const findOrphans = (): void => {
    for (const [source, checkpoint] of checkpoints) {
      if (entries.has(source)) continue;
      const path = findRenamed(checkpoint);
      if (path === undefined) continue;
      const file = follow(path, checkpoint);
      if (file?.isAtEnd() === true) {
        file.close();
        entries.delete(source);
      }
    }
  };

  const drain = async ({ file }: Entry): Promise<boolean> => {
    let any = false;
    for (;;) {
      await pipeline.room();
      if (stopped) return any;
      const lines = file.read();
      if (lines === undefined) return any;
      any = true;
      if (lines.lines.length > 0) pipeline.addLines(lines);
    }
  };

  const settle = (source: string, entry: Entry, any: boolean): void => {
    const stat = statOf(entry.file.path);
    if (stat !== undefined && sourceOf(stat) === source) {
      entry.orphanedMs = undefined;
      return;
    }
    // Renamed or deleted: read on by the open handle until nothing has come for a while.
    if (any || entry.orphanedMs === undefined) entry.orphanedMs = clock.monotonic();
    else if (clock.monotonic() - entry.orphanedMs > LINGER_MS) {
      entry.file.close();
      entries.delete(source);
    }
  };

  const look = async (): Promise<void> => {
    let moved = clock.monotonic() >= rescanAt;
    for (const [source, entry] of entries) {
      if (stopped) return;
      try {
        settle(source, entry, await drain(entry));
      } catch (error) {
        log.warn('a log file could not be read on; it is opened anew', {
          path: entry.file.path,
          reason: reasonOf(error),
        });
        entry.file.close();
        entries.delete(source);
      }
      moved ||= entry.orphanedMs !== undefined;
    }
    if (!moved || stopped) return;
    const before = entries.size;
    scan(false);
    for (const [, entry] of [...entries].slice(before)) await drain(entry);
  };

  /** One look at a time; news during one leads to another. */
  const wake = (): void => {
    again = true;
    working ??= (async () => {
      while (again && !stopped) {
        again = false;
        await look();
      }
    })().finally(() => (working = undefined));
  };

  return {
    async start() {
      scan(true);
      findOrphans();
      const bases = [...new Set(sets.flatMap(({ include }) => include.map(baseOf)))].filter((base) => existsSync(base));
      watcher = watch(bases, { ignoreInitial: true, depth: 2, persistent: false });
      watcher.on('all', (event) => {
        if (event === 'add' || event === 'unlink') rescanAt = 0;
        wake();
      });
      watcher.on('error', (error) =>
        log.warn('watching for changes failed; files are looked at each second', { reason: reasonOf(error) }),
      );
      cancels.push(clock.every(POLL_MS, wake));
      wake();
      await Promise.resolve();
    },
    async stop() {
      stopped = true;
      for (const cancel of cancels.splice(0)) cancel();
      await watcher?.close();
      await working;
      for (const { file } of entries.values()) file.close();
      entries.clear();
    },
    files: () => [...entries.values()].map(({ file }) => file.path),
  };
}
