import { AGGREGATE_ATTRIBUTE } from '#proto/metrics.ts';
import type { MetricBlock } from '../schedule.ts';
import { tableOf, type MetricTable, type Series } from '../table.ts';

/** Samples of this long become one. */
const WINDOW_MS = 10_000;
/** A window with no more runs stays as it is: folded it would be larger. */
const FEW_RUNS = 3;
/** The hub takes no larger table. */
const TABLE_LIMIT = 20_000;

/** Runs that became one block. */
export interface FoldedBlock {
  block: MetricBlock;
  /** Runs that it stands for. */
  runs: number;
}

/** Folds runs of collectors into windows of ten seconds. */
export interface Folder {
  /** Takes a run; returns what it completed. */
  add(block: MetricBlock): FoldedBlock[];
  /** What ended before a time, milliseconds since 1970; all of it unless given. */
  take(beforeMs?: number): FoldedBlock[];
}

interface FoldedTable {
  table: MetricTable;
  /** Places of gauges that have companions, in their order: all minima follow the values, then all maxima. */
  gauges: readonly number[];
}

const foldedTables = new WeakMap<MetricTable, FoldedTable>();

const companion = ({ name, kind, attributes }: Series, aggregate: 'min' | 'max'): Series => ({
  name,
  kind,
  attributes: { ...attributes, [AGGREGATE_ATTRIBUTE]: aggregate },
});

/** Tables stay the same objects for hours: each is folded once. */
function foldedTable(table: MetricTable): FoldedTable {
  const known = foldedTables.get(table);
  if (known !== undefined) return known;
  const room = Math.max(0, Math.floor((TABLE_LIMIT - table.series.length) / 2));
  const gauges = [...table.series.keys()].filter((place) => table.series[place]?.kind === 'gauge').slice(0, room);
  const of = (aggregate: 'min' | 'max'): Series[] =>
    gauges.flatMap((place) => {
      const series = table.series[place];
      return series === undefined ? [] : companion(series, aggregate);
    });
  const folded = { table: tableOf([...table.series, ...of('min'), ...of('max')]), gauges };
  foldedTables.set(table, folded);
  return folded;
}

/** Values of the runs of a window: the average of a gauge, the last of a counter, then minima and maxima. */
function fold(runs: readonly MetricBlock[], { table, gauges }: FoldedTable): Float64Array {
  const [first] = runs;
  const series = first?.table.series ?? [];
  const values = new Float64Array(table.series.length).fill(NaN);
  const low = new Float64Array(series.length).fill(Infinity);
  const high = new Float64Array(series.length).fill(-Infinity);
  for (const [place, { kind }] of series.entries()) {
    let sum = 0;
    let count = 0;
    for (const run of runs) {
      const value = run.values[place] ?? NaN;
      if (Number.isNaN(value)) continue;
      sum = kind === 'gauge' ? sum + value : value;
      count = kind === 'gauge' ? count + 1 : 1;
      low[place] = Math.min(low[place] ?? value, value);
      high[place] = Math.max(high[place] ?? value, value);
    }
    if (count > 0) values[place] = sum / count;
  }
  for (const [index, place] of gauges.entries()) {
    if (Number.isNaN(values[place])) continue;
    values[series.length + index] = low[place] ?? NaN;
    values[series.length + gauges.length + index] = high[place] ?? NaN;
  }
  return values;
}

function folded(runs: readonly MetricBlock[]): FoldedBlock[] {
  const last = runs.at(-1);
  if (last === undefined || runs.length <= FEW_RUNS) return runs.map((block) => ({ block, runs: 1 }));
  const into = foldedTable(last.table);
  return [{ block: { ...last, table: into.table, values: fold(runs, into) }, runs: runs.length }];
}

const windowOf = (timeMs: number): number => Math.floor(timeMs / WINDOW_MS);

/**
 * Makes a folder. It keeps the runs of a window as they came, ten of each collector at most: with 1,000 series 80 kB. A block
 * carries the time of its last run, so that a counter stands at the time at which it was read.
 */
export function createFolder(): Folder {
  const windows = new Map<string, MetricBlock[]>();
  const end = (collector: string): FoldedBlock[] => {
    const runs = windows.get(collector) ?? [];
    windows.delete(collector);
    return folded(runs);
  };
  return {
    add(block) {
      const { collector, table, timeMs } = block;
      const runs = windows.get(collector) ?? [];
      const last = runs.at(-1);
      // A clock that was set back begins a window too.
      const isOther = last !== undefined && (last.table !== table || windowOf(last.timeMs) !== windowOf(timeMs));
      const done = isOther ? end(collector) : [];
      windows.set(collector, isOther ? [block] : [...runs, block]);
      return done;
    },
    take(beforeMs = Infinity) {
      const due = [...windows].filter(([, runs]) => (windowOf(runs.at(-1)?.timeMs ?? 0) + 1) * WINDOW_MS <= beforeMs);
      return due.flatMap(([collector]) => end(collector));
    },
  };
}
