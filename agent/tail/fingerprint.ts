import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readSync, statSync, type Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { FileCheckpoint } from '../spool/index.ts';

/** A file is known by its first bytes too: an inode alone is used again. */
const FINGERPRINT_BYTES = 1024;

/** What a file begins with. */
export type Fingerprint = Pick<FileCheckpoint, 'fingerprint' | 'fingerprintLength'>;

const head = Buffer.alloc(FINGERPRINT_BYTES);

/** Hashes the first bytes of an open file; undefined when it has fewer. */
function fingerprintOf(file: number, length: number): Fingerprint | undefined {
  const got = length === 0 ? 0 : readSync(file, head, 0, length, 0);
  if (got < length) return undefined;
  return {
    fingerprint: createHash('sha256').update(head.subarray(0, length)).digest('hex').slice(0, 32),
    fingerprintLength: length,
  };
}

/** True while the file begins as it did. */
function beginsAs(file: number, known: Fingerprint): boolean {
  if (known.fingerprintLength === 0) return true;
  return fingerprintOf(file, known.fingerprintLength)?.fingerprint === known.fingerprint;
}

/** What an open file is known to begin with: more of it with each line that is read, up to a limit. */
export interface Beginning {
  known(): Fingerprint;
  /** Takes what lies before an offset into account. */
  learn(offset: number): void;
  /** True while the file begins as it did. */
  holds(): boolean;
  become(known: Fingerprint): void;
}

/** Nothing is known: every file begins so. */
export const NOTHING: Fingerprint = { fingerprint: '', fingerprintLength: 0 };

/** Watches what an open file begins with. */
export function createBeginning(file: number): Beginning {
  let known = NOTHING;
  return {
    known: () => known,
    learn(offset) {
      const length = Math.min(FINGERPRINT_BYTES, offset);
      if (length > known.fingerprintLength) known = fingerprintOf(file, length) ?? known;
    },
    holds: () => beginsAs(file, known),
    become({ fingerprint, fingerprintLength }) {
      known = { fingerprint, fingerprintLength };
    },
  };
}

/** Names that rotation gives to packed copies; their bytes are not the file's. */
const PACKED = /\.(gz|xz|bz2|zst|lz4|zip)$/;
const CANDIDATES = 64;

interface Sibling {
  path: string;
  stat: Stats;
}

/** Files beside `path` that rotation may have made of it, newest first. */
function siblings(path: string): Sibling[] {
  const stem = basename(path).replace(/\.[^.]*$/, '');
  let names: string[];
  try {
    names = readdirSync(dirname(path));
  } catch {
    return []; // The folder is gone, and what was in it.
  }
  return names
    .filter((name) => name.startsWith(stem) && name !== basename(path) && !PACKED.test(name))
    .flatMap((name): Sibling[] => {
      const sibling = join(dirname(path), name);
      try {
        const stat = statSync(sibling);
        return stat.isFile() ? [{ path: sibling, stat }] : [];
      } catch {
        return []; // Removed between the two looks.
      }
    })
    .sort((a, b) => b.stat.mtimeMs - a.stat.mtimeMs)
    .slice(0, CANDIDATES);
}

function opensAs(path: string, known: Fingerprint): boolean {
  try {
    const file = openSync(path, 'r');
    try {
      return beginsAs(file, known);
    } finally {
      closeSync(file);
    }
  } catch {
    return false; // Not ours to read, or gone.
  }
}

/** Where a followed file is now after it was renamed within its folder. */
export function findRenamed(checkpoint: FileCheckpoint): string | undefined {
  return siblings(checkpoint.path).find(
    ({ path, stat }) =>
      // Not the device: it gets another number at a boot, and the folder's other files have it too.
      stat.ino === checkpoint.inode && stat.size >= checkpoint.offset && opensAs(path, checkpoint),
  )?.path;
}

/** The copy that was made of a file before it was truncated; undefined when none reaches as far as the file was read. */
export function findCopy(checkpoint: FileCheckpoint): string | undefined {
  if (checkpoint.fingerprintLength === 0) return undefined; // Nothing had been read: any file would fit.
  return siblings(checkpoint.path).find(
    ({ path, stat }) => stat.ino !== checkpoint.inode && stat.size >= checkpoint.offset && opensAs(path, checkpoint),
  )?.path;
}

/**
 * Files that a path may have led to between two looks, oldest first: beside it, named as rotation names them
 * (`app.log.1`, `app.log-20260131`, `app-1.log`), and born since then.
 */
export function findGenerations(path: string, sinceMs: number): string[] {
  const stem = basename(path).replace(/\.[^.]*$/, '');
  const isRotated = (name: string): boolean =>
    /^[.-]\d/.test(name.slice(name.startsWith(basename(path)) ? basename(path).length : stem.length));
  return siblings(path)
    .filter(({ path: sibling, stat }) => isRotated(basename(sibling)) && bornMs(stat) >= sinceMs)
    .sort((a, b) => bornMs(a.stat) - bornMs(b.stat))
    .map((sibling) => sibling.path);
}

/** When a file was made; some file systems only know when it was changed. */
export function bornMs({ birthtimeMs, ctimeMs }: Stats): number {
  return birthtimeMs > 0 ? birthtimeMs : ctimeMs;
}
