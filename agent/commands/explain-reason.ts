import { accessSync, constants, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import type { AgentSettings } from '../config.ts';
import type { FileCheckpoint } from '../spool/index.ts';
import { createGlobMatcher } from '../tail/globs.ts';
import { isPacked } from '../tail/packed.ts';
import { isRotatedName } from '../tail/rotated.ts';
import { sudoCommand, type AgentState } from './explain-agent.ts';

/** What settings and agent make of a file. */
export interface Verdict {
  /** Null where this user cannot tell. */
  isRead: boolean | null;
  /** The one thing that decides it. */
  reason: string;
  /** What to do next; undefined where nothing has to be done. */
  next?: string;
}

/** What a verdict is made from. */
export interface Evidence {
  path: string;
  data: string;
  /** Where entries of `logs` belong. */
  file: string | undefined;
  /** Undefined where nothing lies at the path, or this user may not see it. */
  stat: Stats | undefined;
  isReadable: boolean;
  /** This user is another one than the agent and can see less. */
  isHidden: boolean;
  named: Named;
  agent: AgentState;
  /** Where it was read to, under whatever name. */
  place: FileCheckpoint | undefined;
  /** All places that the spool knows. */
  places: readonly FileCheckpoint[];
  copyOf: string | undefined;
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

/** What lies at a path; undefined where nothing does, or it is closed to this user. */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined; // The reasons say why.
  }
}

/** What a glob test says of a path; the first that fits. */
const fits = (path: string, globs: readonly string[]): string | undefined =>
  globs.find((glob) => createGlobMatcher({ include: [glob], exclude: [] }).matches(path));

/** Which entry of the settings names a file. */
export interface Named {
  includedBy: string | undefined;
  excludedBy: string | undefined;
  /** Why it is not read although a glob fits; undefined where nothing speaks against it. */
  against: string | undefined;
  /** All globs of all entries. */
  globs: readonly string[];
}

/** Which group of the settings names a path, and why none does. */
export function namedBy(path: string, sets: AgentSettings['logs'], isThere: boolean): Named {
  const included = sets.filter(({ include }) => fits(path, include) !== undefined);
  const set = included.find(({ exclude }) => fits(path, exclude) === undefined) ?? included[0];
  const globs = sets.flatMap(({ include }) => include);
  if (set === undefined) return { includedBy: undefined, excludedBy: undefined, against: undefined, globs };
  const includedBy = fits(path, set.include);
  const excludedBy = fits(path, set.exclude);
  const isTooDeep = isThere && excludedBy === undefined && !createGlobMatcher(set).expand().includes(path);
  const against = isTooDeep
    ? `${includedBy} names it, but it lies too deep, or too many files come before it`
    : undefined;
  return { includedBy, excludedBy, against, globs };
}

/** False where a folder on the way is closed to this user, so that it cannot know what lies there. */
export function isVisible(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EACCES';
  }
}

/** An entry that is written is easily taken for one that is added. */
const LIST = ' (a list stands in the place of the default one: name what you want of that, too)';

/** Words for a file that the settings do not name. */
function unnamed({ path, file, data, named: { globs } }: Evidence): Pick<Verdict, 'reason' | 'next'> {
  const all = globs.length === 0 ? 'there is no entry' : `the entries name ${globs.join(', ')}`;
  const where = file ?? `${data}/outrider-agent.yaml`;
  return { reason: `no entry of logs names it; ${all}`, next: `add to logs in ${where}: - include: [${path}]${LIST}` };
}

function ofMissing(given: Evidence): Verdict {
  const { path, data, isHidden, named } = given;
  const isNamed = named.includedBy !== undefined && named.excludedBy === undefined;
  const reason = missing(path);
  if (isHidden)
    return { isRead: isNamed ? null : false, reason: `${reason}; with more rights: ${sudoCommand(data, path)}` };
  const next = isNamed
    ? `nothing: ${named.includedBy} names it, so it is read as soon as it is there`
    : `${unnamed(given).next}; it is read as soon as it is there`;
  return { isRead: false, reason: isNamed ? reason : `${reason}, and ${unnamed(given).reason}`, next };
}

function ofPacked({ path, places }: Evidence): Verdict {
  const of = places.find((place) => isRotatedName(place.path, path))?.path;
  return {
    isRead: false,
    reason: `it is a packed copy${of === undefined ? '' : ` of ${of}`}: of such a file only that is read which was not read before it was packed`,
    next:
      of === undefined
        ? 'to have all of it read, unpack it under a name that an entry of logs names'
        : `nothing: what ${of} held was read from there, or is read from this copy by itself`,
  };
}

/** What to do about a file that this user may not read: the agent may be another user. */
function ofClosed({ path, data, isHidden, agent }: Evidence): Verdict {
  if (agent.isOther)
    return {
      isRead: isHidden ? null : false,
      reason: 'you may not read it yourself',
      next: `whether the agent may, tells: ${sudoCommand(data, path)}`,
    };
  return { isRead: false, reason: 'this user may not read it', next: 'put the agent into its group, often adm' };
}

/** Finds the one thing that decides whether a file is read: what lies there, then what the settings say of it, then who may read it. */
export function judgeFile(given: Evidence): Verdict {
  const { path, stat, isReadable, named, agent, place, copyOf } = given;
  const { includedBy, excludedBy, against } = named;
  const isNamed = includedBy !== undefined && excludedBy === undefined && against === undefined;
  const isRunning = agent.state === 'running';
  if (isRunning && agent.follows.includes(path))
    return isNamed
      ? { isRead: true, reason: `${includedBy} names it, and the running agent follows it` }
      : {
          isRead: true,
          reason: 'the running agent follows it, although the settings that are read here do not name it',
          next: 'ask with the flags and the environment of the agent; it may have been started with --log-file',
        };
  if (stat === undefined) return ofMissing(given);
  if (!stat.isFile())
    return {
      isRead: false,
      reason: 'it is no regular file',
      ...(stat.isDirectory() ? { next: `ask about a file in it, or name them with ${path}/*` } : {}),
    };
  if (place !== undefined && place.path !== path)
    return { isRead: isReadable, reason: `it is the file that was ${place.path}, and is read to its end as such` };
  if (isPacked(path)) return ofPacked(given);
  if (copyOf !== undefined)
    return { isRead: false, reason: `it is a copy of ${copyOf}, whose lines are read from there`, next: 'nothing' };
  if (excludedBy !== undefined)
    return {
      isRead: false,
      reason: `${includedBy} names it, but ${excludedBy} leaves it out`,
      next: `take ${excludedBy} out of exclude`,
    };
  if (against !== undefined) return { isRead: false, reason: against, next: 'name it by itself in an entry of logs' };
  if (includedBy === undefined) return { isRead: false, ...unnamed(given) };
  if (!isReadable) return ofClosed(given);
  if (isRunning && place === undefined)
    return {
      isRead: false,
      reason: `${includedBy} names it, but the running agent does not follow it`,
      next: 'wait some seconds if the file is new; else the agent was started with --log-file, or with other settings',
    };
  return { isRead: true, reason: `${includedBy} names it` };
}
