import { closeSync, fstatSync, openSync, statSync, type Stats } from 'node:fs';
import { reasonOf, type Clock, type Logger } from '#sdk';
import type { LineSink } from './tailer.ts';
import { sourceOf, type FileCheckpoint } from '../spool/index.ts';
import type { KnownPlaces } from './known-places.ts';
import { canUnpack, headOf, openPacked, type Packed, type PackedFile, type TextPlace } from './packed.ts';
import { findPacked, sourceAt, type Sibling } from './rotated.ts';
import { beginsAs } from './trace.ts';

/** What packed files stand on. */
export interface PackedGiven {
  pipeline: Pick<LineSink, 'addLines' | 'addLost' | 'hasRoom'>;
  /** Where files were read to, packed ones among them. */
  places: KnownPlaces;
  clock: Clock;
  log: Logger;
}

/** Reads packed copies on from where the file that they were made of was read to. */
export interface PackedFiles {
  /** Looks for the text of a place among the packed files beside it and says which one has it, if any; its rest is read. */
  search(place: FileCheckpoint, done: (source: string | undefined) => void): void;
  /** Reads a packed file from its beginning, unless it holds what is known already, or what an open file begins with. */
  takeUp(path: string, sibling: Sibling, known: () => FileCheckpoint[], isOpen: (head: Buffer) => boolean): void;
  /** Calls back once everything that was asked before has been looked at. */
  afterwards(done: () => void): void;
  /** Works for a while; true when there is more to do. */
  work(): Promise<boolean>;
  close(): Promise<void>;
}

/** Packed files that may hold the text of a place; of one that was begun and of which nothing was read, only that file itself. */
function likelyFor(place: FileCheckpoint): Sibling[] {
  const all = findPacked(place.path);
  if (place.fingerprintLength > 0) return all;
  return all.filter(
    ({ stat }) => stat.ino === place.inode && stat.birthtimeMs > 0 && stat.birthtimeMs === place.bornMs,
  );
}

/** A packed copy of a path: the names of older ones move on at each rotation. */
function packedAs(path: string, found: Sibling): Packed {
  const isSame = (stat: Stats | undefined): boolean =>
    stat?.ino === found.stat.ino && stat.birthtimeMs === found.stat.birthtimeMs;
  const whereIs = (): string | undefined => {
    if (isSame(statSync(found.path, { throwIfNoEntry: false }))) return found.path;
    return findPacked(path).find(({ stat }) => isSame(stat))?.path;
  };
  return {
    name: found.path,
    open() {
      const at = whereIs();
      const handle = at === undefined ? undefined : openSync(at, 'r');
      if (handle !== undefined && isSame(fstatSync(handle))) return handle;
      if (handle !== undefined) closeSync(handle);
      throw new Error('it is gone');
    },
  };
}

interface Reading {
  path: string;
  device: number;
  inode: number;
  bornMs: number;
  file: PackedFile;
}

/** Pieces of a packed file before the others have their turn. */
const TURN_PIECES = 50;
const NOTHING_READ = { fingerprint: '', fingerprintLength: 0, offset: 0 };

/** Where a packed text was read to under other names at the least; undefined when nobody has read it. */
async function knownAs(at: Packed, known: readonly FileCheckpoint[]): Promise<FileCheckpoint | undefined> {
  const head = await headOf(at);
  const likely = known.filter((place) => place.fingerprintLength > 0 && beginsAs(head, place));
  for (const place of likely.sort((a, b) => a.offset - b.offset)) {
    const file = await openPacked(at, place);
    await file?.close();
    if (file !== undefined) return place;
  }
  return undefined;
}

/** Packed files that are being read. */
function createReadings({ pipeline, places }: Pick<PackedGiven, 'pipeline' | 'places'>) {
  const readings: Reading[] = [];
  const keep = ({ path, device, inode, bornMs, file }: Reading, isDone = false): FileCheckpoint => {
    const place = { path, device, inode, bornMs, ...file.trait(), ...(isDone ? { isDone } : {}) };
    places.set(place);
    return place;
  };
  return {
    first: (): Reading | undefined => readings[0],
    /** Begins to read where a place says, or further on if that file was begun before; false when it holds another text. */
    async begin(path: string, at: Sibling, place: TextPlace): Promise<boolean> {
      const { dev: device, ino: inode, birthtimeMs: bornMs } = at.stat;
      const packed = packedAs(path, at);
      const file = await openPacked(packed, place);
      if (file === undefined) return false;
      if (readings.some((reading) => sourceOf(reading) === sourceAt(at.stat))) {
        await file.close();
        return true;
      }
      const begun = places.get(sourceAt(at.stat));
      const rest = begun === undefined || begun.offset < place.offset ? undefined : await openPacked(packed, begun);
      if (rest !== undefined) await file.close();
      const reading = { path, device, inode, bornMs, file: rest ?? file };
      if (rest === undefined) pipeline.addLines({ path, piece: undefined, checkpoint: keep(reading) });
      readings.push(reading);
      return true;
    },
    /** Reads a piece; false at the end of the file. */
    async readOn(reading: Reading): Promise<boolean> {
      const piece = await reading.file.read();
      pipeline.addLines({ path: reading.path, piece, checkpoint: keep(reading, piece === undefined) });
      return piece !== undefined;
    },
    /** Ends with a packed file; true when others wait. */
    async end(reading: Reading): Promise<boolean> {
      readings.splice(readings.indexOf(reading), 1);
      await reading.file.close();
      return readings.length > 0;
    },
    async close(): Promise<void> {
      for (const { file } of readings.splice(0)) await file.close();
    },
  };
}

/** Makes a reader of packed files. They are read one after another, a piece at a time. */
export function createPackedFiles({ pipeline, places, clock, log }: PackedGiven): PackedFiles {
  const jobs: (() => Promise<void>)[] = [];
  const readings = createReadings({ pipeline, places });
  /** Packed copies of files that are open. */
  const ignored = new Set<string>();

  return {
    search(place, done) {
      jobs.push(async () => {
        for (const sibling of likelyFor(place)) {
          if (canUnpack(sibling.path) && (await readings.begin(place.path, sibling, place)))
            return done(sourceAt(sibling.stat));
        }
        done(undefined);
      });
    },
    takeUp(path, sibling, known, isOpen) {
      if (!canUnpack(sibling.path)) return;
      jobs.push(async () => {
        const packed = packedAs(path, sibling);
        const source = sourceAt(sibling.stat);
        if (places.get(sourceAt(sibling.stat)) !== undefined || ignored.has(source)) return;
        if (isOpen(await headOf(packed))) return void ignored.add(source);
        const place = await knownAs(packed, known()); // Other jobs may have read it meanwhile.
        if (place === undefined) return void (await readings.begin(path, sibling, NOTHING_READ));
        const { dev: device, ino: inode, birthtimeMs: bornMs } = sibling.stat;
        const own = { ...place, path, device, inode, bornMs, isDone: true };
        places.set(own);
        pipeline.addLines({ path, piece: undefined, checkpoint: own });
      });
    },
    afterwards: (done) => void jobs.push(() => Promise.resolve(done())),
    async work() {
      for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
        try {
          await job();
        } catch (error) {
          log.warn('a packed log file could not be looked at', { reason: reasonOf(error) });
        }
      }
      const reading = readings.first();
      if (reading === undefined) return false;
      try {
        for (let turn = 0; turn < TURN_PIECES && pipeline.hasRoom(); turn++)
          if (!(await readings.readOn(reading))) return await readings.end(reading);
        return true;
      } catch (error) {
        log.error('a packed log file is damaged; the rest of it cannot be read', {
          path: reading.path,
          reason: reasonOf(error),
        });
        const nowMs = clock.now();
        pipeline.addLost({
          path: reading.path,
          bytes: 0,
          lines: undefined,
          fromMs: nowMs,
          toMs: nowMs,
          cause: 'unreadable',
        });
      }
      return readings.end(reading);
    },
    close: () => readings.close(),
  };
}
