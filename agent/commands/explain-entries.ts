import { readSettingsFile } from '#sdk';
import type { AgentSettings, LoadedSettings } from '../config.ts';
import { followedSets } from '../reading.ts';
import { createGlobMatcher } from '../tail/globs.ts';

/** An entry of `logs` that names a file. */
export interface NamingEntry {
  /** Its place, such as `logs.1`; `ownLog` for the agent's own log. */
  place: string;
  /** File and line where it is written; undefined for a default. */
  at: string | undefined;
}

/** The entry that counts for a file, and what it brings. */
export interface CountingEntry extends NamingEntry {
  start: string;
  format: string;
  encoding: string;
  container: string;
  multiline: { mode: string; start?: string; flushSeconds: number };
  timezone: string | undefined;
  /** Rules that leave lines out, in their order. */
  drop: AgentSettings['drop'];
  /** Kinds of what is replaced. */
  redact: string[];
}

/** What is replaced in the lines of every file. */
function redactionOf({ secrets, email, ip, patterns }: AgentSettings['redact']): string[] {
  const kinds: [boolean, string][] = [
    [secrets, 'secrets'],
    [email, 'e-mail addresses'],
    [ip, 'IP addresses'],
  ];
  return [...kinds.filter(([isOn]) => isOn).map(([, kind]) => kind), ...patterns.map(({ name }) => name)];
}

/** The entries that name a file: the first one counts, as the agent itself decides it. */
export function entriesFor(
  { settings, file }: Pick<LoadedSettings, 'settings' | 'file'>,
  path: string,
): { counts: CountingEntry | undefined; others: NamingEntry[] } {
  const read = file === undefined ? undefined : readSettingsFile(file, []);
  const isInFile = Array.isArray(read?.tree['logs']);
  const naming = followedSets(settings, settings.data).flatMap((set, index) => {
    if (!createGlobMatcher(set).matches(path)) return [];
    const isOwn = index >= settings.logs.length;
    const line = isOwn || !isInFile ? undefined : read?.lineOf(['logs', String(index)]);
    const at = line === undefined ? undefined : `${file}:${line}`;
    return [{ set, entry: { place: isOwn ? 'ownLog' : `logs.${index}`, at } }];
  });
  const [first, ...others] = naming;
  if (first === undefined) return { counts: undefined, others: [] };
  const { start, format, encoding, container, multiline, timezone, drop } = first.set;
  const own = { start, format, encoding, container, multiline, timezone, drop };
  return {
    counts: { ...first.entry, ...own, redact: redactionOf(settings.redact) },
    others: others.map(({ entry }) => entry),
  };
}

/** An entry with its line. */
export const entryName = ({ place, at }: NamingEntry): string =>
  `${place} (${at ?? (place === 'ownLog' ? 'the agent’s own log' : 'a default')})`;

/** What an entry brings, a line each. */
export function entryLines({
  start,
  format,
  encoding,
  container,
  multiline,
  timezone,
  drop,
  redact,
}: CountingEntry): string[] {
  const { mode, start: first, flushSeconds } = multiline;
  const rules = drop.map(({ rule, pattern, below }) => {
    const how = [pattern === undefined ? '' : `/${pattern}/`, below === undefined ? '' : `below ${below}`];
    return `${rule} (${how.filter((part) => part !== '').join(', ')})`;
  });
  return [
    `start: ${start}; format: ${format}; encoding: ${encoding}; container: ${container}; times without a zone: ${timezone ?? 'of this host'}`,
    `multiline: ${mode}${mode === 'start' ? ` at /${first}/` : ''}${mode === 'off' ? '' : `, whole after ${flushSeconds} s without news`}`,
    `drop: ${rules.length === 0 ? 'nothing' : rules.join(', ')}`,
    `replaced: ${redact.length === 0 ? 'nothing' : redact.join(', ')}`,
  ];
}
