import { closeSync, fstatSync, openSync, statSync, type Stats } from 'node:fs';
import { reasonOf, type Clock, type Logger } from '#sdk';
import type { TailedLines, TextEncoding } from '../lines/index.ts';
import type { FileCheckpoint } from '../spool/index.ts';
import { followFile, type FollowedFile, type TruncatedFile } from './followed-file.ts';
import { sourceAt } from './rotated.ts';

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
  /** The clock's time when it last gave something. */
  activeAt: number;
  /** It was read to its end at the last look. */
  isAtEnd: boolean;
  /** It is not read on before what it held before its truncation has been looked for. */
  isHeld: boolean;
  /** Nothing was known of it at the last look. */
  isUnknown: boolean;
  /** When its folder last changed, as far as was looked into it. */
  folderMs: number;
}

/** What lies at a path now. */
export interface Found {
  source: string;
  stat: Stats;
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
  /** When its name was known to lead to it, if that was before. */
  sinceMs?: number;
}

/** What open files stand on. */
export interface OpenFilesGiven {
  /** Files that may be open at once. */
  handles: number;
  /** Takes the last line of a file that has no newline, or the news that nothing will follow. */
  addLines(lines: TailedLines): void;
  /** How the settings say that a file is encoded. */
  encodingOf?(path: string): TextEncoding;
  /** Called when a file turns out to be truncated; true when it may be read on at once. */
  truncated(path: string, what: TruncatedFile, release: () => void): boolean;
  /** Called when a copy was read to its end: others may have been made after it. */
  endedCopy(path: string, madeMs: number): void;
  /** Called with a file that is about to make room for another and lies on the disk. */
  parked(entry: OpenFile): void;
  /** Called with a file that was ended with. */
  finished(entry: OpenFile): void;
  clock: Clock;
  log: Logger;
}

/** The files that are open, each once, by the identity of what lies on the disk. */
export interface OpenFiles {
  all(): OpenFile[];
  has(source: string): boolean;
  /** False for one that made room for another meanwhile: its handle's number may be another file's by now. */
  isOpen(entry: OpenFile): boolean;
  /** True while each handle of the budget is in use. */
  isFull(): boolean;
  /** Undefined when it cannot be opened, which is told once. */
  open(wanted: Wanted): OpenFile | undefined;
  /** Ends with a file that nobody writes to any more. */
  finish(entry: OpenFile): void;
  /** Lets go of a file and leaves the rest of it for later. */
  release(entry: OpenFile): void;
}

/** Looks what lies at a path. */
export function identityAt(path: string): Found | undefined {
  try {
    const stat = statSync(path);
    return { source: sourceAt(stat), stat };
  } catch {
    return undefined; // It is gone for now.
  }
}

/** The file that can best be closed: read to its end if possible, then the one that is silent for the longest time. */
function idlest(entries: readonly OpenFile[]): OpenFile | undefined {
  const [found] = entries
    // What was deleted cannot be opened again.
    .filter(({ isHeld, file }) => !isHeld && (!file.isDeleted() || file.isAsRead()))
    .sort((a, b) => Number(b.isAtEnd) - Number(a.isAtEnd) || a.activeAt - b.activeAt);
  return found;
}

/** Begins to follow what was opened. */
function follow(given: OpenFilesGiven, handle: number, { path, source, start, sinceMs }: Wanted): OpenFile {
  const { clock } = given;
  const opened: { entry?: OpenFile } = {};
  let isHeld = false;
  const hold = (held: boolean): void => {
    isHeld = held;
    if (opened.entry !== undefined) opened.entry.isHeld = held;
  };
  const file = followFile(handle, {
    path,
    start,
    seenMs: sinceMs,
    encoding: given.encodingOf?.(path),
    truncated: (what) => hold(!given.truncated(path, what, () => hold(false))),
    endedCopy: (madeMs) => given.endedCopy(path, madeMs),
  });
  const times = {
    sinceMs: sinceMs ?? clock.now() - COARSE_MS,
    orphanedAt: undefined,
    activeAt: clock.monotonic(),
    folderMs: 0,
  };
  const place = file.checkpoint();
  opened.entry = { source, file, place, isAtEnd: false, isHeld, isUnknown: false, ...times };
  return opened.entry;
}

/** Keeps the open files. */
export function createOpenFiles(given: OpenFilesGiven): OpenFiles {
  const { log, handles } = given;
  const entries = new Map<string, OpenFile>();
  const refused = new Set<string>();
  const refuse = (path: string, reason: string): undefined => {
    if (!refused.has(path)) log.warn('a log file cannot be read; it is tried again', { path, reason });
    refused.add(path);
  };
  const isOpen = (entry: OpenFile): boolean => entries.get(entry.source) === entry;
  const close = (entry: OpenFile): void => {
    if (!isOpen(entry)) return; // Its handle's number may be another file's by now.
    entry.file.close();
    entries.delete(entry.source);
  };
  const finish = (entry: OpenFile): void => {
    const { file } = entry;
    const piece = file.finish();
    entry.place = file.checkpoint();
    given.addLines({ path: file.path, piece, checkpoint: entry.place, isLast: true });
    close(entry);
    given.finished(entry);
  };
  const isFull = (): boolean => entries.size >= handles;
  const makeRoom = (): boolean => {
    if (!isFull()) return true;
    const entry = idlest([...entries.values()]);
    if (entry === undefined) return false;
    if (entry.file.isDeleted()) finish(entry);
    else {
      given.parked(entry);
      close(entry);
    }
    return true;
  };
  return {
    all: () => [...entries.values()],
    has: (source) => entries.has(source),
    isOpen,
    isFull,
    open(wanted) {
      const { path, at = path, source } = wanted;
      if (!makeRoom()) return refuse(path, `${handles} files are open already and none of them can wait`);
      let handle: number | undefined;
      try {
        handle = openSync(at, 'r');
        // Rotation may have come between the two looks. A file that is open already would be read twice.
        if (sourceAt(fstatSync(handle)) !== source || entries.has(source)) {
          closeSync(handle);
          return undefined;
        }
        const entry = follow(given, handle, wanted);
        entries.set(source, entry);
        refused.delete(path);
        return entry;
      } catch (error) {
        if (handle !== undefined) closeSync(handle);
        return refuse(path, reasonOf(error));
      }
    },
    finish,
    release: close,
  };
}
