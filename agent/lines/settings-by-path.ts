import { createGlobMatcher, type GlobSet } from '../tail/globs.ts';
import { DEFAULT_LINES, type LineSettings } from './config.ts';

/** Finds how the lines of a path are read: as the first entry of `logs` says that names it. */
export function settingsByPath(sets: readonly (GlobSet & LineSettings)[]): (path: string) => LineSettings {
  const matchers = sets.map((set) => ({ set, matches: createGlobMatcher(set).matches }));
  return (path) => matchers.find(({ matches }) => matches(path))?.set ?? DEFAULT_LINES;
}
