import { closeSync, fstatSync, openSync, readdirSync, realpathSync, statSync, type Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { sourceOf, type FileCheckpoint } from '../spool/index.ts';
import { isPacked } from './packed.ts';
import { bytesAt, HEAD_BYTES, holds, TAIL_BYTES, tailFrom } from './trace.ts';

/** Rotated files that one look considers, the newest first. */
const CANDIDATES = 64;

/** A file that rotation may have made of another. */
export interface Sibling {
  path: string;
  stat: Stats;
}

/** When a file was made; some file systems only know when it was changed. */
export function bornMs({ birthtimeMs, ctimeMs }: Stats): number {
  return birthtimeMs > 0 ? birthtimeMs : ctimeMs;
}

/** Identity of what lies on the disk. */
export function sourceAt({ dev: device, ino: inode, birthtimeMs }: Stats): string {
  return sourceOf({ device, inode, bornMs: birthtimeMs });
}

/** True for the file of a place, also under another device number, as devices get at a boot; not for one that has its number since. */
export function isSameFile({ inode, bornMs = 0 }: FileCheckpoint, { ino, birthtimeMs }: Stats): boolean {
  return inode === ino && (bornMs === 0 || birthtimeMs === 0 || bornMs === birthtimeMs);
}

const stemOf = (path: string): string => basename(path).replace(/\.[^.]*$/, '');

/** The path itself and where it leads, if it is a link: copies lie beside the file, not beside the link. */
function placesOf(path: string): string[] {
  try {
    const real = realpathSync(path);
    return real === path ? [path] : [path, real];
  } catch {
    return [path]; // It is gone for now.
  }
}

/** Where rotation may put old files: logrotate's `olddir`, as a folder beside the file. */
const OLD_FOLDERS = ['old', 'olddir', 'oldlogs', 'archive', 'archives', 'archived', 'rotated', 'backup'];

const foldersOf = (path: string): string[] => [dirname(path), ...OLD_FOLDERS.map((name) => join(dirname(path), name))];

function besidesIn(folder: string, path: string): Sibling[] {
  const stem = stemOf(path);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return []; // There is no such folder, or it is gone with what was in it.
  }
  return names
    .filter((name) => name.startsWith(stem) && join(folder, name) !== path)
    .flatMap((name): Sibling[] => {
      const sibling = join(folder, name);
      try {
        const stat = statSync(sibling);
        return stat.isFile() ? [{ path: sibling, stat }] : [];
      } catch {
        return []; // Removed between the two looks.
      }
    });
}

/** Files beside `path` that rotation may have made of it, newest first. */
function siblings(path: string): Sibling[] {
  return placesOf(path)
    .flatMap((own) => foldersOf(own).flatMap((folder) => besidesIn(folder, own)))
    .sort((a, b) => b.stat.mtimeMs - a.stat.mtimeMs)
    .slice(0, CANDIDATES);
}

const plain = (path: string): Sibling[] => siblings(path).filter((sibling) => !isPacked(sibling.path));

function opens(path: string, test: (file: number) => boolean): boolean {
  try {
    const file = openSync(path, 'r');
    try {
      return test(file);
    } finally {
      closeSync(file);
    }
  } catch {
    return false; // Not ours to read, or gone.
  }
}

/** Where a followed file is now after it was renamed within its folder; it may have been truncated too. */
export function findRenamed(place: FileCheckpoint): string | undefined {
  return plain(place.path).find(({ path, stat }) => {
    // Not the device: it gets another number at a boot, and the folder's other files have it too.
    if (!isSameFile(place, stat)) return false;
    const isSure = place.bornMs !== undefined && stat.birthtimeMs > 0;
    return isSure || (stat.size >= place.offset && opens(path, (file) => holds(file, place)));
  })?.path;
}

/** Copies that were made of a file after it was read so far, the longest first. */
export function findCopies(place: FileCheckpoint): Sibling[] {
  if (place.fingerprintLength === 0) return []; // Nothing had been read: any file would fit.
  return plain(place.path)
    .filter(
      ({ path, stat }) =>
        stat.ino !== place.inode && stat.size >= place.offset && opens(path, (file) => holds(file, place)),
    )
    .sort((a, b) => b.stat.size - a.stat.size);
}

/** Packed files that may hold the text of a path, newest first; what they hold is not looked at. */
export function findPacked(path: string): Sibling[] {
  return siblings(path).filter((sibling) => isPacked(sibling.path));
}

/** True for names as rotation gives them: `app.log.1`, `app.log-20260131.gz`, `app-1.log`. */
export function isRotatedName(path: string, sibling: string): boolean {
  return placesOf(path).some((own) => {
    const [name, whole] = [basename(sibling), basename(own)];
    if (name === whole) return false;
    const rest = name.startsWith(whole)
      ? name.slice(whole.length)
      : name.startsWith(stemOf(own))
        ? name.slice(stemOf(own).length)
        : '';
    return /^[.-]\d/.test(rest);
  });
}

/** Files that a path may have led to between two looks, oldest first: beside it, named as rotation names them, and made since then. */
export function findGenerations(path: string, sinceMs: number): Sibling[] {
  return (
    siblings(path)
      .filter(({ path: sibling, stat }) => isRotatedName(path, sibling) && bornMs(stat) >= sinceMs)
      // A packer keeps the time of the last line: one that is older than our last look held nothing new then.
      .filter(({ path: sibling, stat }) => !isPacked(sibling) || stat.mtimeMs >= sinceMs)
      .sort((a, b) => bornMs(a.stat) - bornMs(b.stat))
  );
}

/** True when one file's text begins with the other's, as far as both go: it is a copy, perhaps one that is being made. */
export function isCopy(path: string, of: number, offset: number): boolean {
  return opens(path, (file) => {
    const length = Math.min(fstatSync(file).size, offset);
    if (length === 0) return false; // Nobody knows yet.
    const head = Math.min(HEAD_BYTES, length);
    const from = tailFrom(length);
    return (
      bytesAt(file, 0, head).equals(bytesAt(of, 0, head)) &&
      bytesAt(file, from, TAIL_BYTES)
        .subarray(0, length - from)
        .equals(bytesAt(of, from, length - from))
    );
  });
}

/** True when a path leads to a copy that was made of a text after it was read so far. */
export function isCopyOf(path: string, place: FileCheckpoint): boolean {
  return place.fingerprintLength > 0 && opens(path, (file) => holds(file, place));
}

/** True while the file of a place lies where it was, or beside it. */
export function isBeside(place: FileCheckpoint): boolean {
  return siblings(place.path).some(({ stat }) => isSameFile(place, stat));
}
