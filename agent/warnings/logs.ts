import { statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import type { AgentSettings } from '../config.ts';
import { createGlobMatcher, expandGlobs } from '../tail/globs.ts';

type LogSet = AgentSettings['logs'][number];

/** Files that a warning names. */
const NAMED = 3;

const few = (files: readonly string[]): string =>
  files.slice(0, NAMED).join(', ') + (files.length > NAMED ? ` and ${files.length - NAMED} more` : '');

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false; // Not there, or not ours to see.
  }
}

/** What is odd about a glob by itself. */
function ofGlob(glob: string, place: string): string[] {
  if (glob.startsWith('~') || glob.includes('$'))
    return [`${place}: ${glob} is taken as it stands: ~ and $ mean nothing here; write the whole path`];
  if (!isAbsolute(glob))
    return [`${place}: ${glob} is no whole path and is taken as ${resolve(glob)}; write it from / on`];
  return [];
}

/** What of an entry names nothing now, or leaves everything out. */
function ofFiles({ include, exclude }: LogSet, place: string): string[] {
  const empty = include.flatMap((glob, index) => {
    if (ofGlob(glob, '').length > 0 || expandGlobs({ include: [glob], exclude: [] }).length > 0) return [];
    const why = isFolder(glob) ? `it is a folder; its files are ${glob.replace(/\/$/, '')}/*` : 'no file fits it now';
    return [`${place}.include.${index}: ${glob} names nothing: ${why}`];
  });
  const before = expandGlobs({ include, exclude: [] });
  if (before.length === 0 || exclude.length === 0) return empty;
  const isEmpty = expandGlobs({ include, exclude }).length === 0;
  return isEmpty
    ? [...empty, `${place}.exclude: leaves out all that include names (${few(before)}), so nothing is read`]
    : empty;
}

/** Files of an entry that an earlier one names too: only the first counts. */
function ofEarlier(
  sets: readonly LogSet[],
  index: number,
  { files, place }: { files: readonly string[]; place: string },
) {
  const earlier = sets.slice(0, index).map((set, n) => ({ n, matches: createGlobMatcher(set).matches }));
  const taken = files.filter((file) => earlier.some(({ matches }) => matches(file)));
  const first = earlier.find(({ matches }) => matches(taken[0] ?? ''))?.n;
  if (first === undefined) return [];
  const what = taken.length === files.length ? 'this entry counts for no file' : 'this entry does not count for some';
  return [`${place}: ${what}: logs.${first} stands before it and names ${few(taken)} too, and the first entry counts`];
}

function ofLines({ multiline }: LogSet, place: string): string[] {
  return multiline.start !== undefined && multiline.mode !== 'start'
    ? [`${place}.multiline.start: has no effect, because multiline.mode is ${multiline.mode}; write mode: start`]
    : [];
}

/** What entries of `logs` do not do, although somebody wrote them down. */
export function warningsOfLogs(sets: AgentSettings['logs']): string[] {
  return sets.flatMap((set, index) => {
    const place = `logs.${index}`;
    const globs = [
      ...set.include.map((glob, n) => ofGlob(glob, `${place}.include.${n}`)),
      ...set.exclude.map((glob, n) => ofGlob(glob, `${place}.exclude.${n}`)),
    ];
    const files = expandGlobs(set);
    return [
      ...globs.flat(),
      ...ofFiles(set, place),
      ...ofEarlier(sets, index, { files, place }),
      ...ofLines(set, place),
    ];
  });
}
