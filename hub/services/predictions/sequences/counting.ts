import { Lane } from '#proto/agent/v1/index.ts';
import { visitLines, type LineVisitor } from '#proto/agent/v1/lines.ts';
import { shiftOf, type BatchReceived } from '#proto/subjects.ts';
import { LRUCache } from 'lru-cache';
import { textOf } from '../event.ts';
import { MOST_MERGES, MOST_OF_SOURCE, MOST_SOURCES, SLOTS, type Part } from './part.ts';

/** Windows of hosts that are counted at one time, and templates, sources and merges in all of them: about 100 MB at worst. What was not touched for longest is written down early. */
const LIMITS = { windows: 20_000, templates: 1_000_000 };
/** As many templates as a source, with its name, and a merge take the room of. */
const SOURCE_CELLS = 12;
const MERGE_CELLS = 2;
/** A line counts where its own time says, if that is so near to its batch, milliseconds. */
const NEAR_MS = 60_000;
/** Characters of a source's name. */
const NAME_LENGTH = 1024;

/** Lines of one template; those whose lower halves are the same hang on each other. */
interface Cell {
  readonly high: number;
  readonly low: number;
  count: number;
  readonly next: Cell | undefined;
}

interface Source {
  lines: number;
  strays: number;
  templates: number;
  cells: Map<number, Cell>;
}

/** A host's window as this process saw it. */
interface Counting {
  org: string;
  resource: string;
  startMs: number;
  batches: number;
  epoch: bigint;
  from: number;
  to: number;
  slots: number;
  isMixed: boolean;
  sources: Map<string, Source>;
  merged: [string, string][];
  cells: number;
}

/** A part and whose it is. */
export interface CountedPart {
  org: string;
  resource: string;
  startMs: number;
  part: Part;
}

/** How many lines of a batch were counted, and why others were not. */
export interface Tally {
  counted: number;
  withoutTemplate: number;
  strays: number;
}

const half = (number: number): string => number.toString(16).padStart(8, '0');
const idOf = (id: bigint): string => id.toString(16).padStart(16, '0');

/** Counts a line; true where its template is new to the window. */
function count(source: Source, high: number, low: number): boolean {
  const key = low | 0;
  const first = source.cells.get(key);
  for (let cell = first; cell !== undefined; cell = cell.next)
    if (cell.high === high) {
      cell.count += 1;
      source.lines += 1;
      return false;
    }
  if (source.templates >= MOST_OF_SOURCE) {
    source.strays += 1;
    return false;
  }
  source.templates += 1;
  source.lines += 1;
  source.cells.set(key, { high, low, count: 1, next: first });
  return true;
}

function countsOf({ cells }: Source): [string, number][] {
  const counts: [string, number][] = [];
  for (const first of cells.values())
    for (let cell: Cell | undefined = first; cell !== undefined; cell = cell.next)
      counts.push([half(cell.high) + half(cell.low), cell.count]);
  return counts;
}

const partOf = ({ org, resource, startMs, ...own }: Counting, windowMs: number): CountedPart => ({
  ...{ org, resource, startMs },
  part: {
    ...{ windowMs, batches: own.batches, epoch: String(own.epoch), from: own.from, to: own.to },
    ...{ slots: own.slots, isMixed: own.isMixed, merged: own.merged },
    sources: [...own.sources].map(([name, source]) => ({
      name,
      lines: source.lines,
      strays: source.strays,
      counts: countsOf(source),
    })),
  },
});

/** Notes that a batch came. */
function hear(window: Counting, { epoch, seq, lane, receivedMs }: BatchReceived, windowMs: number): void {
  if (lane !== Lane.LIVE || (window.batches > 0 && window.epoch !== epoch)) {
    window.isMixed = true;
    return;
  }
  const number = Number(seq < 10n ** 15n ? seq : 10n ** 15n);
  window.from = window.batches === 0 ? number : Math.min(window.from, number);
  window.to = Math.max(window.to, number);
  window.epoch = epoch;
  window.batches += 1;
  window.slots |= 1 << Math.floor(((receivedMs - window.startMs) * SLOTS) / windowMs);
}

/** A source of a window; undefined where it is one too many. */
function sourceIn(window: Counting, name: string): Source | undefined {
  const { sources } = window;
  let source = sources.get(name);
  if (source === undefined && sources.size < MOST_SOURCES) {
    source = { lines: 0, strays: 0, templates: 0, cells: new Map() };
    sources.set(name, source);
    window.cells += SOURCE_CELLS;
  }
  return source;
}

/** What a batch is counted into. */
interface Into {
  window: Counting;
  /** The window before that of the batch, made when a line is of it. */
  before(): Counting;
  tally: Tally;
}

/** Counts the lines of one batch. Those of back-fill are of a time that was judged, or will never be. */
function visitorOf({ window, before, tally }: Into, { receivedMs, lane, skewMs }: BatchReceived): LineVisitor {
  const shift = shiftOf(skewMs);
  let name = '';
  let own: Source | undefined;
  let earlier: Source | undefined;
  const put = (into: Counting, source: Source | undefined, high: number, low: number): void => {
    if (source !== undefined && count(source, high, low)) into.cells += 1;
  };
  return {
    source(given) {
      name = textOf(given, NAME_LENGTH);
      [own, earlier] = [undefined, undefined];
    },
    line(high, low, timeMs) {
      if (lane !== Lane.LIVE) return;
      if (high === 0 && low === 0) {
        tally.withoutTemplate += 1;
        return;
      }
      own ??= sourceIn(window, name);
      if (own === undefined) return;
      const atMs = timeMs - shift;
      if (!(Math.abs(receivedMs - atMs) <= NEAR_MS)) {
        tally.strays += 1;
        own.strays += 1;
        return;
      }
      tally.counted += 1;
      if (atMs >= window.startMs) put(window, own, high, low);
      else put(before(), (earlier ??= sourceIn(before(), name)), high, low);
    },
    merged(into, from) {
      if (window.merged.length >= MOST_MERGES) return;
      window.merged.push([idOf(from), idOf(into)]);
      window.cells += MERGE_CELLS;
    },
  };
}

/** Counts the lines of hosts by window, source and template. `ready` takes what is written down: each window of a host is given once or more often, in parts that add up. */
export function createCounting(windowMs: number, ready: (part: CountedPart) => void, limits = LIMITS) {
  let cells = 0;
  const windows = new LRUCache<string, Counting>({
    max: limits.windows,
    dispose: (window, _key, reason) => {
      cells -= window.cells;
      if (reason === 'evict') ready(partOf(window, windowMs));
    },
  });
  const windowAt = (org: string, resource: string, startMs: number): Counting => {
    const key = `${startMs} ${org} ${resource}`;
    let window = windows.get(key);
    if (window === undefined) {
      window = {
        ...{ org, resource, startMs, batches: 0, epoch: 0n, from: 0, to: 0, slots: 0, isMixed: false },
        ...{ sources: new Map(), merged: [], cells: 0 },
      };
      windows.set(key, window);
    }
    return window;
  };
  return {
    /** Counts a batch that was handled for the first time. */
    add(org: string, batch: BatchReceived): Tally {
      const { resource, receivedMs, logs } = batch;
      const window = windowAt(org, resource, Math.max(0, Math.floor(receivedMs / windowMs) * windowMs));
      hear(window, batch, windowMs);
      const tally: Tally = { counted: 0, withoutTemplate: 0, strays: 0 };
      if (logs.length === 0) return tally;
      let earlier: Counting | undefined;
      let held = window.cells;
      const before = (): Counting => {
        if (earlier === undefined) {
          earlier = windowAt(org, resource, Math.max(0, window.startMs - windowMs));
          held += earlier.cells;
        }
        return earlier;
      };
      try {
        visitLines(logs, visitorOf({ window, before, tally }, batch));
      } catch {
        window.isMixed = true; // What is no message is for the owner of the lines to refuse.
      }
      cells += window.cells + (earlier?.cells ?? 0) - held;
      while (cells > limits.templates && windows.size > 1) windows.pop();
      return tally;
    },
    /** Gives all windows that began at this moment or before. */
    end(startMs: number): void {
      for (const [key, window] of [...windows.entries()]) {
        if (window.startMs > startMs) continue;
        windows.delete(key);
        ready(partOf(window, windowMs));
      }
    },
    /** Forgets a host that is gone. */
    forget(org: string, resource: string): void {
      for (const [key, window] of [...windows.entries()])
        if (window.org === org && window.resource === resource) windows.delete(key);
    },
  };
}
