import type { FSWatcher } from 'chokidar';
import type { Clock, Logger } from '#sdk';
import type { Lines, TextEncoding } from '../lines/index.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { isOfFile, type Checkpoint } from '../spool/index.ts';
import { createDiscovery, type TailSet } from './discovery.ts';
import { createGenerations } from './generations.ts';
import { createKnownPlaces } from './known-places.ts';
import { COARSE_MS, createOpenFiles } from './open-files.ts';
import { createPackedFiles } from './packed-files.ts';
import { createParkedFiles } from './parked-files.ts';
import { createPlaces } from './places.ts';
import { createRounds } from './rounds.ts';
import { createVisits } from './visits.ts';
import { watchFiles } from './watch.ts';

/** What takes lines, and says when it takes more. */
export type LineSink = Pick<Lines, 'addLines'> & Pick<Pipeline, 'hasRoom' | 'room' | 'addLost'>;

/** What the tailer stands on. */
export interface TailerGiven {
  sets: readonly TailSet[];
  pipeline: LineSink;
  /** Files that may be open at once. */
  handles: number;
  /** Where an earlier run had come to. */
  checkpoints: ReadonlyMap<string, Checkpoint>;
  /** When the last run ended; undefined before the first. Files that are younger are read from their beginning. */
  lastRunMs: number | undefined;
  /** Called when a source is done and will not come back. */
  forget(source: string): void;
  /** How the settings say that a file is encoded; by its byte order mark unless given. */
  encodingOf?(path: string): TextEncoding;
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

/** Puts together what follows files: those that are open, those that wait, packed ones, and what finds them. */
function createFiles({ handles, pipeline: given, ...rest }: TailerGiven) {
  const { clock, log } = rest;
  const pipeline: typeof given = {
    ...given,
    addLost(loss) {
      log.error('log lines were lost before they were read', { ...loss });
      given.addLost(loss);
    },
  };
  for (const [source, place] of rest.checkpoints) if (!isOfFile(place) && 'gone' in place) rest.forget(source);
  const known = createKnownPlaces([...rest.checkpoints.values()].filter(isOfFile));
  const files = createOpenFiles({
    handles,
    ...(rest.encodingOf === undefined ? {} : { encodingOf: rest.encodingOf }),
    addLines: pipeline.addLines,
    truncated: (path, what, release) => discovery.truncated(path, what, release),
    // It may have been truncated once more while its copy was read: then a younger copy holds what nobody has read.
    endedCopy: (path, madeMs) => void generations.takeUp(path, madeMs - COARSE_MS),
    parked({ source, file, sinceMs }) {
      const place = file.placeToPark();
      places.set(place);
      const { size, mtimeMs } = file.now();
      parked.add(source, place, { size, mtimeMs, isUnread: !file.isAsRead(), sinceMs });
    },
    finished({ source, place }) {
      places.set(place);
      places.end(source, place);
    },
    clock,
    log,
  });
  const parked = createParkedFiles({
    wake: (source, { place, at, sinceMs }) =>
      files.open({ path: place.path, at, source, start: place, sinceMs }) !== undefined,
    gone(source, place, { size, mtimeMs }) {
      // Nobody knows which copy of a file that was empty is its own: all that were made since then are looked at.
      if (place.fingerprintLength === 0) generations.expect(place.path, place.bornMs ?? mtimeMs);
      places.end(source, place, () =>
        places.addLost({ path: place.path, bytes: size - place.offset, fromMs: mtimeMs, cause: 'removed' }),
      );
    },
  });
  const packed = createPackedFiles({ pipeline, places: known, clock, log });
  const isFollowed = (source: string): boolean => files.has(source) || parked.has(source);
  const places = createPlaces({ ...rest, pipeline, known, packed, isFollowed });
  const generations = createGenerations({ files, parked, packed, places, clock });
  const discovery = createDiscovery({ ...rest, files, parked, packed, places, generations });
  return { files, packed, parked, places, generations, discovery };
}

/**
 * Makes a tailer: chokidar notices, a look each second catches what it misses, and nobody reads while the pipeline has
 * no room. Renames are noticed all the same then, so that open handles keep what was not read yet.
 */
export function createTailer(given: TailerGiven): Tailer {
  const { pipeline, clock, log } = given;
  const { files, packed, parked, ...finders } = createFiles(given);
  const { discovery } = finders;
  let watcher: FSWatcher | undefined;

  const visit = createVisits({ ...given, ...finders, files });
  const rounds = createRounds({
    async look() {
      let more = false;
      for (const entry of files.all()) {
        if (!files.isOpen(entry)) continue;
        more = visit(entry) || more;
        await new Promise(setImmediate); // Collectors and the link have their turn between two files.
        if (rounds.isStopped()) return false;
      }
      for (const entry of discovery.scan()) more = (files.isOpen(entry) && visit(entry)) || more;
      discovery.sweep();
      return (await packed.work()) || more;
    },
    hasRoom: pipeline.hasRoom,
    room: pipeline.room,
    clock,
    log,
  });

  return {
    async start() {
      discovery.begin();
      watcher = await watchFiles(discovery.matchers, rounds.notice, (reason) =>
        log.warn('watching for changes failed; files are looked at each second', { reason }),
      );
      rounds.start();
    },
    async stop() {
      const stopped = rounds.stop();
      await watcher?.close();
      await stopped;
      await packed.close();
      for (const entry of files.all()) files.release(entry);
    },
    files: () =>
      [
        ...new Set([...files.all().map(({ file }) => file.path), ...[...parked.places()].map(({ path }) => path)]),
      ].sort(),
    open: () => files.all().length,
  };
}
