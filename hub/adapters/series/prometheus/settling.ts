import type { Clock } from '#sdk';

/** Waits until what this process wrote can be read. */
export interface Settling {
  /** How often the store was asked to show everything. */
  flushes: number;
  /** Notes that a place got samples of a range of times, milliseconds. */
  wrote(place: string, from: number, to: number): void;
  /** Resolves when queries see what was written there within a range. */
  settled(place: string, from: number, to: number): Promise<void>;
  /** Resolves when queries see everything that was written before, by whomever. */
  all(): Promise<void>;
}

/** VictoriaMetrics shows samples a second after it took them, a busy one later; what a query found to be no series stays none for ten. */
const SHOWN_MS = 15_000;
/** Each flush makes a part on disk, which must be merged later: not more often than this. */
const BETWEEN_MS = 100;

/** For a store that answers before what it took can be read. `flush` asks it to show everything; false when it cannot. */
export function createSettling(clock: Clock, flush: () => Promise<boolean>): Settling {
  let recent = new Map<string, { from: number; to: number; at: number }>();
  let flushing: Promise<void> | undefined;
  let flushedAt = -Infinity;
  const flushOnce = async (): Promise<void> => {
    await clock.sleep(Math.max(0, flushedAt + BETWEEN_MS - clock.monotonic()));
    flushing = undefined;
    const before = recent;
    recent = new Map();
    flushedAt = clock.monotonic();
    settling.flushes += 1;
    if (await flush()) return;
    // It could not be asked.
    const newest = Math.max(-SHOWN_MS, ...[...before.values()].map(({ at }) => at));
    await clock.sleep(Math.max(0, newest + SHOWN_MS - clock.monotonic()));
  };
  const settling: Settling = {
    flushes: 0,
    wrote(place, from, to) {
      const there = recent.get(place);
      const isOver = there === undefined || clock.monotonic() - there.at > SHOWN_MS;
      const at = clock.monotonic();
      recent.set(
        place,
        isOver ? { from, to, at } : { from: Math.min(from, there.from), to: Math.max(to, there.to), at },
      );
    },
    async settled(place, from, to) {
      const there = recent.get(place);
      if (there === undefined || there.to < from || there.from > to) return;
      if (clock.monotonic() - there.at > SHOWN_MS) return void recent.delete(place);
      await (flushing ??= flushOnce());
    },
    all: () => (flushing ??= flushOnce()),
  };
  return settling;
}
