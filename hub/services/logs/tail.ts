import type { Clock } from '#sdk';
import type { LogAttributes, LogFilter, LogLineWrite } from '../../ports/logstore.ts';

/** A line on its way to those who watch. */
export interface TailLine extends LogLineWrite {
  resource: string;
}

/** What a watcher wants to see; the same words as a search, without a time. */
export type TailFilter = Omit<LogFilter, 'from' | 'to'>;

function fitsAttributes(asked: NonNullable<LogFilter['attributes']>, attributes: LogAttributes): boolean {
  return asked.every(({ name }) => asked.some((one) => one.name === name && attributes[name] === one.value));
}

/** True when a line fits. */
export function fits(filter: TailFilter, line: TailLine): boolean {
  if (filter.resources !== undefined && !filter.resources.includes(line.resource)) return false;
  if (filter.levels !== undefined && filter.levels.length > 0 && !filter.levels.includes(line.level)) return false;
  if (filter.source !== undefined && filter.source !== line.source) return false;
  const { templates, withoutTemplates = [] } = filter;
  if (templates !== undefined && !templates.includes(line.template ?? '')) return false;
  if (line.template !== undefined && withoutTemplates.includes(line.template)) return false;
  if (!fitsAttributes(filter.attributes ?? [], line.attributes ?? {})) return false;
  const text = line.text.toLowerCase();
  if (filter.text !== undefined && !text.includes(filter.text.toLowerCase())) return false;
  return !(filter.without ?? []).some((without) => without !== '' && text.includes(without.toLowerCase()));
}

type Watcher = (lines: readonly TailLine[]) => void;

/** Lines of the last seconds are remembered, that a reader who comes back begins with them before the store can find them. */
const RECENT_MS = 30_000;
/** Characters of recent lines that are remembered, of all orgs together. */
const RECENT_SIZE = 8_000_000;

interface Recent {
  org: string;
  atMs: number;
  lines: readonly TailLine[];
  size: number;
}

/** What was published lately, oldest first. */
function createRecent(clock: Clock) {
  const groups: Recent[] = [];
  let size = 0;
  return {
    add(org: string, lines: readonly TailLine[]): void {
      const own = lines.reduce((sum, { text }) => sum + text.length, 0);
      groups.push({ org, atMs: clock.now(), lines, size: own });
      size += own;
      const oldest = clock.now() - RECENT_MS;
      while (groups[0] !== undefined && (groups[0].atMs < oldest || size > RECENT_SIZE))
        size -= groups.shift()?.size ?? 0;
    },
    since: (org: string, ms: number): TailLine[] =>
      groups.filter((group) => group.org === org && group.atMs >= ms).flatMap(({ lines }) => lines),
  };
}

/** Hands new lines to those who watch an org's logs. */
export function createTail(clock: Clock) {
  const watchers = new Map<string, Set<Watcher>>();
  const recent = createRecent(clock);
  return {
    publish(org: string, lines: readonly TailLine[]): void {
      recent.add(org, lines);
      for (const watcher of watchers.get(org) ?? []) watcher(lines);
    },
    /** Lines that fit and came to this process since then, as far back as it remembers. */
    since: (org: string, filter: TailFilter, ms: number): TailLine[] =>
      recent.since(org, ms).filter((line) => fits(filter, line)),
    /** Calls `watcher` with each group of new lines that fit, until the returned end is called. */
    watch(org: string, filter: TailFilter, watcher: Watcher): () => void {
      const own: Watcher = (lines) => {
        const fitting = lines.filter((line) => fits(filter, line));
        if (fitting.length > 0) watcher(fitting);
      };
      const there = watchers.get(org) ?? new Set();
      watchers.set(org, there.add(own));
      return () => {
        there.delete(own);
        if (there.size === 0) watchers.delete(org);
      };
    },
  };
}
export type Tail = ReturnType<typeof createTail>;
