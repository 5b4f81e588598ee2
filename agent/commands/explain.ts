import { accessSync, closeSync, constants, openSync, statSync, type Stats } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { AgentSettings } from '../config.ts';
import { judgeJournal } from '../journal/index.ts';
import { isOfFile, readPlaces, sourceOf, type FileCheckpoint } from '../spool/index.ts';
import { createGlobMatcher } from '../tail/globs.ts';
import { isPacked } from '../tail/packed.ts';
import { isCopyOf, isRotatedName, sourceAt } from '../tail/rotated.ts';
import { bytesAt, holds, HEAD_BYTES } from '../tail/trace.ts';

/** Why a file is read or is not. */
export interface Explanation {
  file: string;
  isRead: boolean;
  /** Everything that speaks for or against it, the decisive things first. */
  reasons: string[];
  includedBy: string | undefined;
  excludedBy: string | undefined;
  /** Device and inode. */
  identity: string | undefined;
  size: number | undefined;
  /** How far it was read, as the spool knows it. */
  offset: number | undefined;
  /** The followed file that it is a rotated copy of. */
  copyOf: string | undefined;
  /** Files that may be open at once, and those that have a place. */
  budget: { openFiles: number; places: number };
}

function can(path: string, how: number): boolean {
  try {
    accessSync(path, how);
    return true;
  } catch {
    return false; // Not there, or not for this user.
  }
}

/** Why nothing lies at a path: the first folder on the way that is missing or closed to this user. */
function missing(path: string): string {
  const folders: string[] = [];
  for (let at = dirname(path); at !== dirname(at); at = dirname(at)) folders.unshift(at);
  for (const folder of folders) {
    if (!can(folder, constants.F_OK)) return `there is no folder ${folder}`;
    if (!can(folder, constants.X_OK)) return `the folder ${folder} cannot be searched by this user`;
  }
  return 'there is no such file';
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined; // The reasons say why.
  }
}

/** What a glob test says of a path; the first that fits. */
const fits = (path: string, globs: readonly string[]): string | undefined =>
  globs.find((glob) => createGlobMatcher({ include: [glob], exclude: [] }).matches(path));

/** Opens a file for a look into it; undefined when that is not possible. */
function peek<Seen>(path: string, look: (file: number) => Seen): Seen | undefined {
  try {
    const file = openSync(path, 'r');
    try {
      return look(file);
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined; // The reasons say why.
  }
}

interface Named {
  includedBy: string | undefined;
  excludedBy: string | undefined;
  isNamed: boolean;
  reason: string;
}

/** Which group of the settings names a path, and why none does. */
function namedBy(path: string, sets: AgentSettings['logs']): Named {
  const included = sets.filter(({ include }) => fits(path, include) !== undefined);
  const set = included.find(({ exclude }) => fits(path, exclude) === undefined) ?? included[0];
  const includedBy = set === undefined ? undefined : fits(path, set.include);
  const excludedBy = set === undefined ? undefined : fits(path, set.exclude);
  const all = sets.flatMap(({ include }) => include).join(', ');
  const reasons: [boolean, string][] = [
    [includedBy === undefined, `no glob names it; there are ${all}`],
    [excludedBy !== undefined, `${includedBy} names it, but ${excludedBy} leaves it out`],
    [
      set !== undefined && !createGlobMatcher(set).expand().includes(path),
      `${includedBy} names it, but it lies too deep, or too many files come before it`,
    ],
  ];
  const [failed] = reasons.filter(([isSo]) => isSo);
  const isNamed = failed === undefined;
  return { includedBy, excludedBy, isNamed, reason: failed?.[1] ?? `${includedBy} names it` };
}

function progress(path: string, size: number, place: FileCheckpoint): string {
  if (peek(path, (file) => holds(file, place)) !== true)
    return `what was read of it up to byte ${place.offset} is not there any more: it was truncated or written anew, and is read from its beginning`;
  const left = size - place.offset;
  return left > 0 ? `read up to byte ${place.offset} of ${size}; ${left} are left` : `read to its end, byte ${size}`;
}

/** Explains a file with the settings and with what the spool in the data folder knows. */
export function explainFile(settings: AgentSettings, file: string): Explanation {
  const path = resolve(file);
  const stat = statOf(path);
  const named = namedBy(path, settings.logs);
  const places = [...readPlaces(join(settings.data, 'spool')).values()].filter(isOfFile);
  const identity = stat === undefined ? undefined : sourceAt(stat);
  const place = places.find((one) => sourceOf(one) === identity);
  const copyOf = places.find((one) => one !== place && isRotatedName(one.path, path) && isCopyOf(path, one))?.path;
  const isFile = stat?.isFile() === true;
  const isReadable = can(path, constants.R_OK);
  const isBinary = peek(path, (open) => bytesAt(open, 0, HEAD_BYTES).includes(0)) === true;
  const isOther = place !== undefined && place.path !== path;
  const said: [boolean, string][] = [
    [stat === undefined, missing(path)],
    [stat !== undefined && !isFile, 'it is no regular file'],
    [stat !== undefined && !isReadable, 'this user may not read it; put the agent into its group, often adm'],
    [!isOther, named.reason],
    [isPacked(path), 'it is a packed copy: only what is left of the file that it was made of is read from it'],
    [isOther, `it is the file that was ${place?.path}, and is read to its end as such`],
    [copyOf !== undefined, `it is a copy of ${copyOf}`],
    [isBinary, 'it holds zero bytes, as binary files and UTF-16 do'],
    [place !== undefined && isFile, place === undefined ? '' : progress(path, stat?.size ?? 0, place)],
    [place === undefined && isFile, 'no place in it is known yet'],
    [
      places.length > settings.openFiles,
      `more than ${settings.openFiles} files are followed: the most silent ones wait closed`,
    ],
  ];
  const isRead = isFile && isReadable && !isPacked(path) && (named.isNamed || isOther);
  return {
    file: path,
    isRead,
    reasons: said.filter(([isSo]) => isSo).map(([, reason]) => reason),
    includedBy: named.includedBy,
    excludedBy: named.excludedBy,
    identity,
    size: stat?.size,
    offset: place?.offset,
    copyOf,
    budget: { openFiles: settings.openFiles, places: places.length },
  };
}

/** Why the journal is read or is not. */
function describeJournal({ journal, data }: AgentSettings, json: boolean): { text: string; isRead: boolean } {
  const { isRead, reason } = judgeJournal(journal);
  const place = readPlaces(join(data, 'spool')).get(`journal:${journal.directory ?? 'system'}`);
  const cursor = place !== undefined && 'journal' in place ? place.cursor : undefined;
  if (json)
    return { text: `${JSON.stringify({ journal: 'journal', isRead, reasons: [reason], cursor }, null, 2)}\n`, isRead };
  const read = cursor === undefined ? 'no place in it is known yet' : `read up to the entry ${cursor}`;
  return { text: `the journal ${isRead ? 'is read' : 'is not read'}\n  ${reason}\n  ${read}\n`, isRead };
}

/** The same in words, or as JSON; `journal` is systemd's. */
export function describeFile(settings: AgentSettings, file: string, json: boolean): { text: string; isRead: boolean } {
  if (file === 'journal') return describeJournal(settings, json);
  const explanation = explainFile(settings, file);
  const { isRead, reasons } = explanation;
  if (json) return { text: `${JSON.stringify(explanation, null, 2)}\n`, isRead };
  const lines = [
    `${explanation.file} ${isRead ? 'is read' : 'is not read'}`,
    ...reasons.map((reason) => `  ${reason}`),
  ];
  return { text: `${lines.join('\n')}\n`, isRead };
}
