import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import picomatch from 'picomatch';

/** One group of files to follow. */
export interface GlobSet {
  include: readonly string[];
  exclude: readonly string[];
}

/** Deeper folders are not looked into. */
const DEPTH = 8;
/** Files that one glob may name. */
const FILES = 2_000;

/** The folder below which all files of a glob lie. */
export function baseOf(glob: string): string {
  const { base, isGlob } = picomatch.scan(glob);
  return isGlob ? resolve(base) : resolve(base, '..');
}

function walk(folder: string, depth: number, visit: (path: string) => void): void {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return; // Not there yet, or not ours to read: it is looked at again.
  }
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && depth > 0) walk(path, depth - 1, visit);
    else if (entry.isFile() || entry.isSymbolicLink()) visit(path);
  }
}

/** Every file that a set names now, in order of their names. */
export function expandGlobs({ include, exclude }: GlobSet): string[] {
  const excluded = picomatch(
    exclude.map((glob) => resolve(glob)),
    { dot: true },
  );
  const found = new Set<string>();
  for (const glob of include) {
    const { isGlob } = picomatch.scan(glob);
    const matches = picomatch(resolve(glob), { dot: true });
    const deep = glob.includes('**') ? DEPTH : glob.slice(baseOf(glob).length).split('/').length - 1;
    const visit = (path: string): void => {
      if (found.size < FILES && matches(path) && !excluded(path)) found.add(path);
    };
    if (isGlob) walk(baseOf(glob), deep, visit);
    else visit(resolve(glob));
  }
  return [...found].filter(isFile).sort();
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false; // It is gone, or a link to nowhere.
  }
}
