import type { SeriesBlock, SeriesTable } from '../../ports/series.ts';
import { createNewest, type LiveSeries, type Newest } from './newest.ts';

export type { LiveSeries } from './newest.ts';

/** What is newest of one resource. */
export interface LiveResource {
  org: string;
  resource: string;
  series: readonly LiveSeries[];
  /** Time of its newest sample by its own clock, and when that arrived by ours. */
  timeMs: number;
  arrivedMs: number;
}

/** One batch's worth of news about a resource. */
export interface LiveChange {
  of: LiveResource;
  timeMs: number;
  changed: readonly LiveSeries[];
  /** True when the list of series has grown. */
  grown: boolean;
}

type Listener = (change: LiveChange) => void;

/** The newest values of every resource, in memory, and those who want to hear of them. */
export function createLive() {
  const resources = new Map<string, LiveResource & { newest: Newest }>();
  const listeners = new Set<Listener>();

  const entryOf = (org: string, resource: string) => {
    const key = `${org} ${resource}`;
    const there = resources.get(key);
    if (there !== undefined) return there;
    const newest = createNewest();
    const made = { org, resource, series: newest.series, timeMs: 0, arrivedMs: 0, newest };
    resources.set(key, made);
    return made;
  };

  return {
    /** Takes a stored batch. Returns the change, or undefined when nothing of it was news. */
    take(
      org: string,
      resource: string,
      batch: { tables: readonly SeriesTable[]; blocks: readonly SeriesBlock[]; isLive: boolean },
      nowMs: number,
    ): LiveChange | undefined {
      const entry = entryOf(org, resource);
      const before = entry.series.length;
      entry.newest.learn(batch.tables);
      const { changed, timeMs } = entry.newest.take(batch.blocks, batch.isLive);
      if (changed.length === 0) return undefined;
      // A clock that was set back takes its host along.
      entry.timeMs = batch.isLive ? timeMs : Math.max(entry.timeMs, timeMs);
      entry.arrivedMs = nowMs;
      const change = { of: entry, timeMs, changed, grown: entry.series.length > before };
      for (const listener of listeners) listener(change);
      return change;
    },
    get: (org: string, resource: string): LiveResource | undefined => resources.get(`${org} ${resource}`),
    forget: (org: string, resource: string): void => void resources.delete(`${org} ${resource}`),
    /** Calls `listener` for each change of any org, until the returned end is called. */
    listen(listener: Listener): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
export type Live = ReturnType<typeof createLive>;
