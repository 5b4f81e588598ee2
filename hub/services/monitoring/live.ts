import type { SeriesKind } from '#proto/metrics.ts';
import type { SeriesBlock, SeriesTable } from '../../ports/series.ts';

/** A series and its newest value. Of a counter, `value` is its rate per second. */
export interface LiveSeries {
  /** Its place in the resource's list: how events name it. */
  index: number;
  name: string;
  kind: SeriesKind;
  attributes: Readonly<Record<string, string>>;
  value: number;
  /** Time of the newest sample, milliseconds. */
  timeMs: number;
  /** Newest raw value of a counter. */
  raw: number;
}

/** What is newest of one resource. */
export interface LiveResource {
  org: string;
  resource: string;
  series: LiveSeries[];
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

/** Over a longer silence no rate is made up, milliseconds. */
const GAP_MS = 300_000;
/** Tables that are remembered a resource; the one unused for longest goes first. */
const TABLES = 200;

function update(series: LiveSeries, value: number, timeMs: number): boolean {
  if (timeMs < series.timeMs) return false; // Late news is no live news.
  if (series.kind === 'gauge') {
    series.value = value;
  } else {
    const seconds = (timeMs - series.timeMs) / 1000;
    const growth = value >= series.raw ? value - series.raw : value;
    const known = series.timeMs > 0 && seconds > 0 && seconds * 1000 <= GAP_MS;
    series.value = known ? growth / seconds : NaN;
    series.raw = value;
  }
  series.timeMs = timeMs;
  return true;
}

/** The newest values of every resource, in memory, and those who want to hear of them. */
export function createLive() {
  const resources = new Map<
    string,
    LiveResource & { tables: Map<bigint, LiveSeries[]>; bySignature: Map<string, LiveSeries> }
  >();
  const listeners = new Set<Listener>();

  const entryOf = (org: string, resource: string) => {
    const key = `${org} ${resource}`;
    const there = resources.get(key);
    if (there !== undefined) return there;
    const made = {
      org,
      resource,
      series: [],
      timeMs: 0,
      arrivedMs: 0,
      tables: new Map<bigint, LiveSeries[]>(),
      bySignature: new Map<string, LiveSeries>(),
    };
    resources.set(key, made);
    return made;
  };

  return {
    /** Takes a stored batch. Returns the change, or undefined when nothing of it was news. */
    take(
      org: string,
      resource: string,
      batch: { tables: readonly SeriesTable[]; blocks: readonly SeriesBlock[] },
      nowMs: number,
    ): LiveChange | undefined {
      const entry = entryOf(org, resource);
      const before = entry.series.length;
      for (const table of batch.tables) {
        if (entry.tables.has(table.id)) continue;
        const columns = table.series.map(({ name, kind, attributes }) => {
          const signature = JSON.stringify([name, Object.entries(attributes).sort()]);
          const known = entry.bySignature.get(signature);
          if (known !== undefined) return known;
          const made: LiveSeries = {
            index: entry.series.length,
            name,
            kind,
            attributes,
            value: NaN,
            timeMs: 0,
            raw: 0,
          };
          entry.bySignature.set(signature, made);
          entry.series.push(made);
          return made;
        });
        entry.tables.set(table.id, columns);
        if (entry.tables.size > TABLES) entry.tables.delete(entry.tables.keys().next().value ?? 0n);
      }
      const changed: LiveSeries[] = [];
      let newest = 0;
      for (const { table, timeMs, values } of batch.blocks) {
        const columns = entry.tables.get(table) ?? [];
        if (timeMs > newest) newest = timeMs;
        for (let index = 0; index < columns.length; index++) {
          const value = values[index];
          const series = columns[index] as LiveSeries;
          if (value !== undefined && Number.isFinite(value) && update(series, value, timeMs)) changed.push(series);
        }
      }
      if (changed.length === 0) return undefined;
      entry.timeMs = Math.max(entry.timeMs, newest);
      entry.arrivedMs = nowMs;
      const change = { of: entry, timeMs: newest, changed, grown: entry.series.length > before };
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
