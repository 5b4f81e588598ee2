import type { FSWatcher } from 'chokidar';
import type { Clock, Logger } from '#sdk';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { isOfFile, type Checkpoint, type FileCheckpoint } from '../spool/index.ts';
import { createDiscovery, type TailSet } from './discovery.ts';
import { COARSE_MS, createOpenFiles } from './open-files.ts';
import { createRounds } from './rounds.ts';
import { createVisits } from './visits.ts';
import { watchFiles } from './watch.ts';

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

/**
 * Makes a tailer: chokidar notices, a look each second catches what it misses, and nobody reads while the pipeline has
 * no room. Renames are noticed all the same then, so that open handles keep what was not read yet.
 */
export function createTailer(given: TailerGiven): Tailer {
  const { pipeline, clock, log } = given;
  const { addLines, addLost } = pipeline;
  const files = createOpenFiles({
    addLines,
    addLost,
    // It may have been truncated once more since: then a younger copy holds what nobody has read.
    foundCopy: (path, atMs) => void discovery.takeUpGenerations(path, atMs + COARSE_MS),
    clock,
    log,
  });
  const places = new Map<string, FileCheckpoint>();
  for (const [source, place] of given.checkpoints) if (isOfFile(place)) places.set(source, place);
  const discovery = createDiscovery({ ...given, checkpoints: places, files, addLines });
  let watcher: FSWatcher | undefined;

  const visit = createVisits({ ...given, files, discovery });
  const rounds = createRounds({
    async look() {
      let more = false;
      for (const entry of files.all()) {
        more = visit(entry) || more;
        await new Promise(setImmediate); // Collectors and the link have their turn between two files.
        if (rounds.isStopped()) return false;
      }
      for (const entry of discovery.scan()) more = visit(entry) || more;
      discovery.sweep();
      return more;
    },
    hasRoom: pipeline.hasRoom,
    room: pipeline.room,
    clock,
    log,
  });

  return {
    async start() {
      discovery.scan();
      discovery.takeUpOrphans();
      watcher = await watchFiles(discovery.matchers, rounds.notice, (reason) =>
        log.warn('watching for changes failed; files are looked at each second', { reason }),
      );
      rounds.start();
    },
    async stop() {
      const stopped = rounds.stop();
      await watcher?.close();
      await stopped;
      for (const entry of files.all()) files.release(entry);
    },
    files: () => [...new Set(files.all().map(({ file }) => file.path))].sort(),
    open: () => files.all().length,
  };
}
