import type { Loss } from './loss.ts';

/** Sources that the ledger tells apart. */
const SOURCES = 1000;

/** What became of the lines of one source since the start: read = spooled + lost + those that are on their way. */
export interface LineCounts {
  read: number;
  spooled: number;
  /** At least so many: how many lines a truncated file held, nobody knows. */
  lost: number;
}

/** Why samples were dropped: the spool was at its limit, or its disk took nothing for minutes. */
export const DROP_REASONS = ['spool-full', 'disk-stuck'] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** What was dropped for one reason. */
export interface Dropped {
  /** Runs of collectors. */
  runs: number;
  samples: number;
}

/** What became of what was read since the start. */
export interface Ledger {
  linesRead: number;
  linesSpooled: number;
  linesLost: number;
  /** Samples that the spool did not take. */
  dropped: Readonly<Record<DropReason, Readonly<Dropped>>>;
  sources: ReadonlyMap<string, Readonly<LineCounts>>;
}

/** Keeps count of what became of everything that was read. */
export interface LedgerKeeper {
  ledger: Readonly<Ledger>;
  read(path: string, lines: number): void;
  spooled(lines: ReadonlyMap<string, number>): void;
  lost(loss: Loss): void;
  dropped(reason: DropReason, what: Dropped): void;
}

/** Begins a ledger at nothing. */
export function createLedger(): LedgerKeeper {
  const sources = new Map<string, LineCounts>();
  const dropped = { 'spool-full': { runs: 0, samples: 0 }, 'disk-stuck': { runs: 0, samples: 0 } };
  const ledger = { linesRead: 0, linesSpooled: 0, linesLost: 0, dropped, sources };
  const countsOf = (path: string): LineCounts => {
    const name = sources.has(path) || sources.size < SOURCES ? path : 'others';
    const counts = sources.get(name) ?? { read: 0, spooled: 0, lost: 0 };
    sources.set(name, counts);
    return counts;
  };
  return {
    ledger,
    read(path, lines) {
      ledger.linesRead += lines;
      countsOf(path).read += lines;
    },
    spooled(lines) {
      for (const [path, count] of lines) {
        ledger.linesSpooled += count;
        countsOf(path).spooled += count;
      }
    },
    lost({ path, lines }) {
      ledger.linesLost += lines ?? 1;
      countsOf(path).lost += lines ?? 1;
    },
    dropped(reason, { runs, samples }) {
      dropped[reason].runs += runs;
      dropped[reason].samples += samples;
    },
  };
}
