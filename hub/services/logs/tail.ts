import type { LogFilter, LogLineWrite } from '../../ports/logstore.ts';

/** A line on its way to those who watch. */
export interface TailLine extends LogLineWrite {
  resource: string;
}

/** What a watcher wants to see; the same words as a search, without a time. */
export type TailFilter = Omit<LogFilter, 'from' | 'to'>;

/** True when a line fits. */
export function fits(filter: TailFilter, line: TailLine): boolean {
  if (filter.resources !== undefined && !filter.resources.includes(line.resource)) return false;
  if (filter.levels !== undefined && filter.levels.length > 0 && !filter.levels.includes(line.level)) return false;
  if (filter.source !== undefined && filter.source !== line.source) return false;
  const text = line.text.toLowerCase();
  if (filter.text !== undefined && !text.includes(filter.text.toLowerCase())) return false;
  return !(filter.without ?? []).some((without) => without !== '' && text.includes(without.toLowerCase()));
}

type Watcher = (lines: readonly TailLine[]) => void;

/** Hands new lines to those who watch an org's logs. */
export function createTail() {
  const watchers = new Map<string, Set<Watcher>>();
  return {
    publish(org: string, lines: readonly TailLine[]): void {
      for (const watcher of watchers.get(org) ?? []) watcher(lines);
    },
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
