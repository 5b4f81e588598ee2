import { closeSync, fstatSync, openSync, statSync } from 'node:fs';
import { reasonOf, type Clock, type Logger } from '#sdk';
import type { Loss } from '../pipeline/loss.ts';
import { sourceOf, type FileCheckpoint } from '../spool/index.ts';
import type { Piece } from './cursor.ts';
import { bornMs } from './fingerprint.ts';
import { followFile, type FollowedFile } from './followed-file.ts';

/** Open files; renamed ones that wait for their end count too. */
const HANDLES = 512;
/** File systems take their time from a clock that ticks this seldom. */
export const COARSE_MS = 10;

/** A followed file. */
export interface OpenFile {
  source: string;
  file: FollowedFile;
  /** Where it was read to. */
  place: FileCheckpoint;
  /** Wall clock when its name was known to lead to it. */
  sinceMs: number;
  /** Its name leads elsewhere; the clock's time when it last gave something. */
  orphanedAt: number | undefined;
}

/** What lies at a path now. */
export interface Found {
  source: string;
  bornMs: number;
}

/** A file that is to be followed. */
export interface Wanted {
  /** The name under which its lines are known. */
  path: string;
  /** Where it lies now, if it was renamed. */
  at?: string;
  /** What was found there; should another file lie there by now, it is left for the next look. */
  source: string;
  start: 'end' | 'beginning' | FileCheckpoint;
}

/** What open files stand on. */
export interface OpenFilesGiven {
  /** Takes the last line of a file that has no newline. */
  addLines(lines: { path: string; piece: Piece; checkpoint: FileCheckpoint }): void;
  addLost(loss: Loss): void;
  /** Called when a truncated file's rest was found in a copy: others may have been made after it. */
  foundCopy(path: string, atMs: number): void;
  clock: Clock;
  log: Logger;
}

/** The files that are open, each once, by the identity of what lies on the disk. */
export interface OpenFiles {
  all(): OpenFile[];
  has(source: string): boolean;
  /** Undefined when it cannot be opened, which is told once. */
  open(wanted: Wanted): OpenFile | undefined;
  /** Ends with a file that nobody writes to any more. */
  finish(entry: OpenFile): void;
  /** Lets go of a file and leaves the rest of it for later. */
  release(entry: OpenFile): void;
  /** True while no more can be opened. */
  isCrowded(): boolean;
}

/** Looks what lies at a path. */
export function identityAt(path: string): Found | undefined {
  try {
    const stat = statSync(path);
    return { source: sourceOf({ device: stat.dev, inode: stat.ino }), bornMs: bornMs(stat) };
  } catch {
    return undefined; // It is gone for now.
  }
}

/** Keeps the open files. */
export function createOpenFiles(given: OpenFilesGiven): OpenFiles {
  const { clock, log } = given;
  const entries = new Map<string, OpenFile>();
  const refused = new Set<string>();
  const refuse = (path: string, reason: string): undefined => {
    if (!refused.has(path)) log.warn('a log file cannot be read; it is tried again', { path, reason });
    refused.add(path);
  };
  const follow = (file: number, { path, start }: Wanted): FollowedFile =>
    followFile(file, {
      path,
      start,
      lost(bytes, fromMs) {
        log.error('a log file was truncated before it was read to its end', { path, bytes });
        given.addLost({ path, bytes, lines: undefined, fromMs, toMs: clock.now(), cause: 'truncated' });
      },
      foundCopy: (atMs) => given.foundCopy(path, atMs),
    });
  const close = ({ source, file }: OpenFile): void => {
    file.close();
    entries.delete(source);
  };
  return {
    all: () => [...entries.values()],
    has: (source) => entries.has(source),
    isCrowded: () => entries.size >= HANDLES,
    open(wanted) {
      const { path, at = path, source } = wanted;
      if (entries.size >= HANDLES) return refuse(path, `${HANDLES} files are open already`);
      let handle: number | undefined;
      try {
        handle = openSync(at, 'r');
        const { dev: device, ino: inode } = fstatSync(handle);
        // Rotation may have come between the two looks. A file that is open already would be read twice.
        if (sourceOf({ device, inode }) !== source || entries.has(source)) {
          closeSync(handle);
          return undefined;
        }
        const file = follow(handle, wanted);
        const sinceMs = clock.now() - COARSE_MS;
        const entry: OpenFile = { source, file, place: file.checkpoint(), sinceMs, orphanedAt: undefined };
        entries.set(source, entry);
        refused.delete(path);
        return entry;
      } catch (error) {
        if (handle !== undefined) closeSync(handle);
        return refuse(path, reasonOf(error));
      }
    },
    finish(entry) {
      const { file } = entry;
      const piece = file.finish();
      entry.place = file.checkpoint();
      if (piece !== undefined) given.addLines({ path: file.path, piece, checkpoint: entry.place });
      close(entry);
    },
    release: close,
  };
}
