import type { Amount } from '../spool/index.ts';
import type { Loss } from './loss.ts';

/** What became of the lines of one source before they were gathered, since the start; what comes after that the spool counts. */
export interface SourceCounts {
  read: Amount;
  /** Left out by a rule of the settings. */
  dropped: Amount;
  /** Never read, and nobody will; at least so many: how many lines a truncated file held, nobody knows. */
  lost: Amount;
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
  /** Those that a rule left out among them. */
  linesRead: number;
  linesDropped: number;
  linesSpooled: number;
  linesLost: number;
  /** Samples that the spool did not take. */
  dropped: Readonly<Record<DropReason, Readonly<Dropped>>>;
  sources: ReadonlyMap<string, Readonly<SourceCounts>>;
}

/** Keeps count of what became of everything that was read. Sources go by the names that the spool's ledger gives them. */
export interface LedgerKeeper {
  ledger: Readonly<Ledger>;
  count: {
    read(source: string, amount: Amount): void;
    leftOut(source: string, amount: Amount): void;
    spooled(amounts: Iterable<Amount>): void;
    lost(source: string, loss: Loss): void;
    dropped(reason: DropReason, what: Dropped): void;
  };
}

const nothing = (): Amount => ({ lines: 0, bytes: 0 });

/** Adds an amount to another. */
export function addAmount(sum: Amount, { lines, bytes }: Amount): void {
  sum.lines += lines;
  sum.bytes += bytes;
}

/** Begins a ledger at nothing. */
export function createLedger(): LedgerKeeper {
  const sources = new Map<string, SourceCounts>();
  const dropped = { 'spool-full': { runs: 0, samples: 0 }, 'disk-stuck': { runs: 0, samples: 0 } };
  const ledger = { linesRead: 0, linesDropped: 0, linesSpooled: 0, linesLost: 0, dropped, sources };
  const of = (source: string): SourceCounts => {
    const counts = sources.get(source) ?? { read: nothing(), dropped: nothing(), lost: nothing() };
    sources.set(source, counts);
    return counts;
  };
  return {
    ledger,
    count: {
      read(source, amount) {
        ledger.linesRead += amount.lines;
        addAmount(of(source).read, amount);
      },
      leftOut(source, amount) {
        ledger.linesRead += amount.lines;
        ledger.linesDropped += amount.lines;
        addAmount(of(source).read, amount);
        addAmount(of(source).dropped, amount);
      },
      spooled(amounts) {
        for (const { lines } of amounts) ledger.linesSpooled += lines;
      },
      lost(source, { lines = 1, bytes }) {
        ledger.linesLost += lines;
        addAmount(of(source).lost, { lines, bytes });
      },
      dropped(reason, { runs, samples }) {
        dropped[reason].runs += runs;
        dropped[reason].samples += samples;
      },
    },
  };
}
