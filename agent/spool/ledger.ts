import type { LineCount } from './records.ts';
import { addTo, totalOf, type Sums } from './sums.ts';

/** Sources that the ledger tells apart; what is beyond them is counted as `others`. */
const SOURCES = 1000;
const OTHERS = 'others';

/** Lines, and their bytes in their file. */
export interface Amount {
  lines: number;
  bytes: number;
}

/** What became of the lines of one source since a spool was opened: carried + put = waiting + acknowledged + lost. */
export interface SourceLedger {
  /** Those that an earlier run left, and those that were put back from the quarantine. */
  carried: Amount;
  put: Amount;
  waiting: Amount;
  acknowledged: Amount;
  /** In batches that were damaged on the disk or refused by the hub. */
  lost: Amount;
}

type State = Exclude<keyof SourceLedger, 'waiting'>;

type Counts = Iterable<readonly [string, LineCount]>;

/** Keeps count of what becomes of the lines in a spool. */
export interface SpoolLedger {
  /** The name that a source is counted by. A batch is written with it, so that it leaves under the name that it came with. */
  nameOf(source: string): string;
  add(state: State, counts: Counts): void;
  sources(): ReadonlyMap<string, SourceLedger>;
  /** Lines of all sources. */
  lines(): Record<State | 'waiting', number>;
}

/** Begins a ledger at nothing. */
export function createSpoolLedger(): SpoolLedger {
  const states: Record<State, Sums> = { carried: new Map(), put: new Map(), acknowledged: new Map(), lost: new Map() };
  const names = new Set<string>();
  const nameOf = (source: string): string => {
    if (names.has(source)) return source;
    if (names.size >= SOURCES) return OTHERS;
    names.add(source);
    return source;
  };
  const amount = (state: State, name: string): Amount => {
    const [lines, bytes] = states[state].get(name) ?? [0, 0];
    return { lines, bytes };
  };
  const one = (name: string): SourceLedger => {
    const [carried, put] = [amount('carried', name), amount('put', name)];
    const [acknowledged, lost] = [amount('acknowledged', name), amount('lost', name)];
    const left = (unit: keyof Amount): number => carried[unit] + put[unit] - acknowledged[unit] - lost[unit];
    return { carried, put, waiting: { lines: left('lines'), bytes: left('bytes') }, acknowledged, lost };
  };
  return {
    nameOf,
    add(state, counts) {
      for (const [source, count] of counts) addTo(states[state], [[nameOf(source), count]]);
    },
    sources: () => new Map([...names, OTHERS].map((name) => [name, one(name)])),
    lines() {
      const of = (state: State): number => totalOf(states[state].values()).lines;
      const [carried, put, acknowledged, lost] = [of('carried'), of('put'), of('acknowledged'), of('lost')];
      return { carried, put, waiting: carried + put - acknowledged - lost, acknowledged, lost };
    },
  };
}
