import { accessSync, closeSync, constants, openSync, statSync, type Stats } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { AgentSettings, LoadedSettings } from '../config.ts';
import { agentState, sudoCommand, type AgentState } from './explain-agent.ts';
import { entriesFor, entryLines, entryName, type CountingEntry, type NamingEntry } from './explain-entries.ts';
import { judgeJournal } from '../journal/index.ts';
import { followedSets } from '../reading.ts';
import { isOfFile, readPlaces, sourceOf, type Checkpoint, type FileCheckpoint } from '../spool/index.ts';
import { createGlobMatcher } from '../tail/globs.ts';
import { isPacked } from '../tail/packed.ts';
import { isCopyOf, isRotatedName, sourceAt } from '../tail/rotated.ts';
import { bytesAt, holds, HEAD_BYTES } from '../tail/trace.ts';

/** Why a file is read or is not. */
export interface Explanation {
  file: string;
  /** Null where this user cannot tell. */
  isRead: boolean | null;
  /** Whether the agent runs, and what is known without it. */
  agent: Pick<AgentState, 'state' | 'words'>;
  /** The entry of `logs` that counts, and those that name it too. */
  entry: CountingEntry | undefined;
  otherEntries: NamingEntry[];
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
    if (!can(folder, constants.X_OK)) return `the folder ${folder} is closed to you`;
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
function namedBy(path: string, sets: AgentSettings['logs'], isThere: boolean): Named {
  const included = sets.filter(({ include }) => fits(path, include) !== undefined);
  const set = included.find(({ exclude }) => fits(path, exclude) === undefined) ?? included[0];
  const includedBy = set === undefined ? undefined : fits(path, set.include);
  const excludedBy = set === undefined ? undefined : fits(path, set.exclude);
  const all = sets.flatMap(({ include }) => include).join(', ');
  const reasons: [boolean, string][] = [
    [includedBy === undefined, `no glob names it; there are ${all}`],
    [excludedBy !== undefined, `${includedBy} names it, but ${excludedBy} leaves it out`],
    [
      isThere && set !== undefined && !createGlobMatcher(set).expand().includes(path),
      `${includedBy} names it, but it lies too deep, or too many files come before it`,
    ],
  ];
  const [failed] = reasons.filter(([isSo]) => isSo);
  const isNamed = failed === undefined;
  return { includedBy, excludedBy, isNamed, reason: failed?.[1] ?? `${includedBy} names it` };
}

/** What an explanation is made from. */
type ForExplaining = Pick<LoadedSettings, 'settings' | 'file'>;

/** False where a folder on the way is closed to this user, so that it cannot know what lies there. */
function isVisible(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EACCES';
  }
}

/** What to do about a file that this user may not read: the agent may be another user. */
function forbidden(path: string, data: string, { isOther, follows }: AgentState): string {
  if (follows.includes(path)) return 'you may not read it yourself; the agent does';
  if (isOther) return `you may not read it yourself; whether the agent may, tells: ${sudoCommand(data, path)}`;
  return 'this user may not read it; put the agent into its group, often adm';
}

function progress(path: string, size: number, place: FileCheckpoint): string {
  if (peek(path, (file) => holds(file, place)) !== true)
    return `what was read of it up to byte ${place.offset} is not there any more: it was truncated or written anew, and is read from its beginning`;
  const left = size - place.offset;
  return left > 0 ? `read up to byte ${place.offset} of ${size}; ${left} are left` : `read to its end, byte ${size}`;
}

/** The places that the spool knows; none where this user may not look. */
function placesIn(data: string): ReadonlyMap<string, Checkpoint> {
  try {
    return readPlaces(join(data, 'spool'));
  } catch {
    return new Map(); // It is closed, or just being tidied: what is said of the agent tells so.
  }
}

/** Explains a file with the settings, with what the spool in the data folder knows, and with what the agent says of itself. */
export function explainFile(loaded: ForExplaining, file: string, nowMs: number): Explanation {
  const { settings } = loaded;
  const path = resolve(file);
  const stat = statOf(path);
  const agent = agentState(settings.data, path, nowMs);
  const { counts, others } = entriesFor(loaded, path);
  const named = namedBy(path, followedSets(settings, settings.data), stat !== undefined);
  const places = [...placesIn(settings.data).values()].filter(isOfFile);
  const identity = stat === undefined ? undefined : sourceAt(stat);
  const place = places.find((one) => sourceOf(one) === identity);
  const copyOf = places.find((one) => one !== place && isRotatedName(one.path, path) && isCopyOf(path, one))?.path;
  const isFile = stat?.isFile() === true;
  // Opening tells more than the mode does, and a pipe is never opened: that would wait for its writer.
  const isReadable = isFile ? peek(path, () => true) === true : can(path, constants.R_OK);
  const isBinary = peek(path, (open) => bytesAt(open, 0, HEAD_BYTES).includes(0)) === true;
  const isOther = place !== undefined && place.path !== path;
  const isFollowed = agent.follows.includes(path);
  const isHidden = agent.isOther && !isFollowed && (isFile ? !isReadable : !isVisible(path));
  const said: [boolean, string][] = [
    [stat === undefined, missing(path) + (isHidden ? `; with more rights: ${sudoCommand(settings.data, path)}` : '')],
    [stat !== undefined && !isFile, 'it is no regular file'],
    [stat !== undefined && !isReadable, forbidden(path, settings.data, agent)],
    [!isOther, named.reason],
    [isPacked(path), 'it is a packed copy: only what is left of the file that it was made of is read from it'],
    [isOther, `it is the file that was ${place?.path}, and is read to its end as such`],
    [copyOf !== undefined, `it is a copy of ${copyOf}`],
    [isBinary, 'it holds zero bytes, as binary files and UTF-16 do'],
    [place !== undefined && isFile, place === undefined ? '' : progress(path, stat?.size ?? 0, place)],
    [place === undefined && isFile && agent.state !== 'closed', 'no place in it is known yet'],
    [
      places.length > settings.openFiles,
      `more than ${settings.openFiles} files are followed: the most silent ones wait closed`,
    ],
  ];
  const isRead = isFollowed || (isFile && isReadable && !isPacked(path) && (named.isNamed || isOther));
  return {
    file: path,
    isRead: isHidden && named.includedBy !== undefined && named.excludedBy === undefined ? null : isRead,
    agent: { state: agent.state, words: agent.words },
    entry: counts,
    otherEntries: others,
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
function describeJournal({ settings }: ForExplaining, { json, nowMs }: HowToSay): Said {
  const { journal, data } = settings;
  const { isRead, reason } = judgeJournal(journal);
  const agent = agentState(data, 'journal', nowMs);
  const place = placesIn(data).get(`journal:${journal.directory ?? 'system'}`);
  const cursor = place !== undefined && 'journal' in place ? place.cursor : undefined;
  const facts = {
    journal: 'journal',
    isRead,
    agent: { state: agent.state, words: agent.words },
    reasons: [reason],
    cursor,
  };
  if (json) return { text: `${JSON.stringify(facts, null, 2)}\n`, isRead };
  const read = cursor === undefined ? 'no place in it is known yet' : `read up to the entry ${cursor}`;
  const known = agent.state === 'closed' ? '' : `  ${read}\n`;
  return { text: `the journal ${verdict(isRead, agent)}\n  ${reason}\n${known}  ${agent.words}\n`, isRead };
}

interface HowToSay {
  json: boolean;
  nowMs: number;
}
interface Said {
  text: string;
  isRead: boolean;
}

/** In words: what is read only while an agent runs is not read now. */
function verdict(isRead: boolean | null, { state }: Pick<AgentState, 'state'>): string {
  if (isRead === null) return 'may be read or not: you may not look at it yourself';
  if (!isRead) return 'is not read';
  return state === 'stopped' || state === 'never' ? 'is read when the agent runs' : 'is read';
}

/** The same in words, or as JSON; `journal` is systemd's. */
export function describeFile(loaded: ForExplaining, file: string, how: HowToSay): Said {
  if (file === 'journal') return describeJournal(loaded, how);
  const explanation = explainFile(loaded, file, how.nowMs);
  const { isRead, reasons, entry, otherEntries, agent } = explanation;
  const said = { isRead: isRead === true };
  if (how.json) return { ...said, text: `${JSON.stringify(explanation, null, 2)}\n` };
  const lines = [
    `${explanation.file} ${verdict(isRead, agent)}`,
    ...reasons.map((reason) => `  ${reason}`),
    ...(entry === undefined
      ? []
      : [`  ${entryName(entry)} counts:`, ...entryLines(entry).map((line) => `    ${line}`)]),
    ...otherEntries.map((other) => `  ${entryName(other)} names it too, and does not count: the first one does`),
    `  ${agent.words}`,
  ];
  return { ...said, text: `${lines.join('\n')}\n` };
}
