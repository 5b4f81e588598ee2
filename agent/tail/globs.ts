import { readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import picomatch from 'picomatch';

/** One group of files to follow. */
export interface GlobSet {
  include: readonly string[];
  exclude: readonly string[];
}

/** `**` looks no deeper than this. */
const DEPTH = 8;
/** Files that one group may name. */
const FILES = 2000;

/** What a group of globs means on this machine. */
export interface GlobMatcher {
  /** Folders below which all its files lie, and how many folders deeper. */
  bases: readonly { folder: string; depth: number }[];
  matches(path: string): boolean;
  /** Every file that it names now, in order of their names. */
  expand(): string[];
}

/** The folder below which all files of a glob lie, and how many folders deeper they may be. */
export function baseOf(glob: string): { folder: string; depth: number } {
  const whole = resolve(glob);
  const { base, isGlob } = picomatch.scan(whole);
  if (!isGlob) return { folder: dirname(whole), depth: 0 };
  const below = relative(base, whole).split(sep);
  return { folder: base, depth: below.includes('**') ? DEPTH : below.length - 1 };
}

/** The folder that a link leads to. */
function folderBehind(path: string): string | undefined {
  try {
    return statSync(path).isDirectory() ? realpathSync(path) : undefined;
  } catch {
    return undefined; // It leads nowhere.
  }
}

/** Walks through a folder; `through` holds the links on the way, so that a circle of them ends. */
function walk(folder: string, depth: number, visit: (path: string) => void, through: readonly string[] = []): void {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return; // Not there yet, or not ours to read: it is looked at again.
  }
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (depth > 0) walk(path, depth - 1, visit, through);
    } else if (entry.isSymbolicLink()) {
      visit(path);
      const real = depth > 0 ? folderBehind(path) : undefined;
      if (real !== undefined && !through.includes(real)) walk(path, depth - 1, visit, [...through, real]);
    } else if (entry.isFile()) visit(path);
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false; // It is gone, or a link to nowhere.
  }
}

/** Prepares a group of globs. */
export function createGlobMatcher({ include, exclude }: GlobSet): GlobMatcher {
  const matcher = (globs: readonly string[]): ((path: string) => boolean) =>
    globs.length === 0
      ? () => false
      : picomatch(
          globs.map((glob) => resolve(glob)),
          { dot: true },
        );
  const included = matcher(include);
  const excluded = matcher(exclude);
  const matches = (path: string): boolean => included(path) && !excluded(path);
  const bases = include.map(baseOf);
  return {
    bases,
    matches,
    expand() {
      const found = new Set<string>();
      for (const { folder, depth } of bases) {
        walk(folder, depth, (path) => {
          if (found.size < FILES && matches(path) && isFile(path)) found.add(path);
        });
      }
      return [...found].sort();
    },
  };
}

/** Every file that a group names now, in order of their names. */
export function expandGlobs(set: GlobSet): string[] {
  return createGlobMatcher(set).expand();
}
