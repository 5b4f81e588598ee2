import { accessSync, closeSync, constants, openSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { LoadedSettings } from '../config.ts';
import { agentState, type AgentState } from './explain-agent.ts';
import { entriesFor, entryLines, entryName, type CountingEntry, type NamingEntry } from './explain-entries.ts';
import { isVisible, judgeFile, namedBy, statOf, type Verdict } from './explain-reason.ts';
import { notInForce } from './not-in-force.ts';
import { judgeJournal } from '../journal/index.ts';
import { followedSets } from '../reading.ts';
import { isOfFile, readPlaces, sourceOf, type Checkpoint, type FileCheckpoint } from '../spool/index.ts';
import { readStatus } from '../status.ts';
import { isCopyOf, isRotatedName, sourceAt } from '../tail/rotated.ts';
import { bytesAt, holds, HEAD_BYTES } from '../tail/trace.ts';

/** Why a file is read or is not. */
export interface Explanation extends Verdict {
  file: string;
  /** Whether the agent runs, and what is known without it. */
  agent: Pick<AgentState, 'state' | 'words'>;
  /** The entry of `logs` that counts, and those that name it too. */
  entry: CountingEntry | undefined;
  otherEntries: NamingEntry[];
  /** What is known of it besides. */
  facts: string[];
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

function mayRead(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false; // Not there, or not for this user.
  }
}

/** What an explanation is made from. */
type ForExplaining = Pick<LoadedSettings, 'settings' | 'file'>;

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
  const isReadable = isFile ? peek(path, () => true) === true : mayRead(path);
  const isBinary = isFile && peek(path, (open) => bytesAt(open, 0, HEAD_BYTES).includes(0)) === true;
  const isFollowed = agent.follows.includes(path);
  const isHidden = agent.isOther && !isFollowed && (isFile ? !isReadable : !isVisible(path));
  const evidence = { path, data: settings.data, file: loaded.file, stat, isReadable, isHidden, named, agent };
  const verdict = judgeFile({ ...evidence, place, places, copyOf });
  const isNews = verdict.isRead === true && place === undefined && isFile && agent.state !== 'closed';
  const facts: [boolean, string][] = [
    [place !== undefined && isFile, place === undefined ? '' : progress(path, stat?.size ?? 0, place)],
    [isNews, 'no place in it is known yet'],
    [isBinary && verdict.isRead === true, 'it holds zero bytes, as binary files and UTF-16 do'],
    [
      verdict.isRead === true && places.length > settings.openFiles,
      `more than ${settings.openFiles} files are followed: the most silent ones wait closed`,
    ],
  ];
  return {
    file: path,
    ...verdict,
    agent: { state: agent.state, words: agent.words },
    entry: counts,
    otherEntries: others,
    facts: facts.filter(([isSo]) => isSo).map(([, words]) => words),
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
  const facts = { journal: 'journal', isRead, agent: { state: agent.state, words: agent.words }, reason, cursor };
  if (json) return { text: `${JSON.stringify(facts, null, 2)}\n`, isRead };
  const read = cursor === undefined ? 'no place in it is known yet' : `read up to the entry ${cursor}`;
  const known = agent.state === 'closed' ? '' : `  ${read}\n`;
  return { text: `the journal ${verdict(isRead, agent)}\n  ${reason}\n${known}  ${agent.words}\n`, isRead };
}

interface HowToSay {
  json: boolean;
  nowMs: number;
  /** Why the settings cannot be used; none where they can. */
  faults?: readonly string[];
}
interface Said {
  text: string;
  isRead: boolean;
}

/** In words: what is read only while an agent runs is not read now. */
function verdict(isRead: boolean | null, { state }: Pick<AgentState, 'state'>): string {
  if (isRead === null) return 'may be read or not: you cannot tell';
  if (!isRead) return 'is not read';
  return state === 'stopped' || state === 'never' ? 'is read when the agent runs' : 'is read';
}

/** With settings that are faulty nothing can be said of entries; a running agent still knows what it follows. */
function describeWithout(
  data: string,
  file: string,
  { nowMs, faults }: HowToSay & { faults: readonly string[] },
): Explained {
  const path = file === 'journal' ? file : resolve(file);
  const agent = agentState(data, path, nowMs);
  const isRead = agent.state === 'running' ? agent.follows.includes(path) : null;
  const words = {
    true: 'the running agent follows it, by the settings that it read before',
    false: 'the running agent does not follow it, by the settings that it read before',
    null: 'which entry of logs names it cannot be told: the settings are faulty',
  };
  const next = 'mend the settings, of which nothing is used as they are now, and ask again';
  return {
    file: path,
    agent: { state: agent.state, words: agent.words },
    isRead,
    reason: words[`${isRead}`],
    next,
    faults,
  };
}

type Explained = Verdict & Pick<Explanation, 'file' | 'agent'> & { faults: readonly string[] };

function inWords(
  explanation: Verdict & Partial<Explanation> & Pick<Explanation, 'file' | 'agent'>,
  more: readonly string[],
): string {
  const { file, isRead, reason, next, facts = [], entry, otherEntries = [], agent } = explanation;
  const counts =
    entry === undefined || isRead === false
      ? []
      : [
          `${entryName(entry)} counts:`,
          ...entryLines(entry).map((line) => `  ${line}`),
          ...otherEntries.map((other) => `${entryName(other)} names it too, and does not count: the first one does`),
        ];
  const lines = [reason, ...(next === undefined ? [] : [`next: ${next}`]), ...facts, ...counts, agent.words, ...more];
  return `${file} ${verdict(isRead, agent)}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

/** The same in words, or as JSON; `journal` is systemd's. `faults` are those of settings that cannot be used: `loaded` stands in for them then. */
export function describeFile(loaded: ForExplaining, file: string, how: HowToSay): Said {
  const { faults = [], json, nowMs } = how;
  const { data } = loaded.settings;
  if (faults.length === 0 && file === 'journal') return describeJournal(loaded, how);
  const explanation =
    faults.length > 0 ? describeWithout(data, file, { ...how, faults }) : explainFile(loaded, file, nowMs);
  const said = { isRead: explanation.isRead === true };
  if (json) return { ...said, text: `${JSON.stringify(explanation, null, 2)}\n` };
  const status = explanation.agent.state === 'running' ? readStatus(data) : undefined;
  const stale = status === undefined ? [] : notInForce(status);
  return { ...said, text: inWords(explanation, stale.length > 0 ? stale : faults) };
}
