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

/** What became of what was read since the start. */
export interface Ledger {
  linesRead: number;
  linesSpooled: number;
  linesLost: number;
  /** Runs of collectors that the spool did not take: it was full, or its disk took nothing. */
  blocksDropped: number;
  sources: ReadonlyMap<string, Readonly<LineCounts>>;
}

/** Keeps count of what became of everything that was read. */
export interface LedgerKeeper {
  ledger: Readonly<Ledger>;
  read(path: string, lines: number): void;
  spooled(lines: ReadonlyMap<string, number>): void;
  lost(loss: Loss): void;
  droppedBlock(): void;
}

/** Begins a ledger at nothing. */
export function createLedger(): LedgerKeeper {
  const sources = new Map<string, LineCounts>();
  const ledger = { linesRead: 0, linesSpooled: 0, linesLost: 0, blocksDropped: 0, sources };
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
    droppedBlock: () => void (ledger.blocksDropped += 1),
  };
}
