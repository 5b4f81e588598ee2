import type { LineCount } from './records.ts';

/** Lines that a spool will not deliver, and why: damaged on the disk, or refused by the hub and put aside. */
export interface SpoolLoss {
  cause: 'spool-damaged' | 'refused';
  /** Empty where nobody knows. */
  source: string;
  lines: number;
  /** Bytes of those lines in their file; where `source` is empty, bytes of the spool. */
  bytes: number;
  /** When they were put, milliseconds since 1970: not before and not after. */
  fromMs: number;
  toMs: number;
}

/** Gathers losses until somebody asks for them; those of one cause and source become one. */
export interface Losses {
  add(loss: Pick<SpoolLoss, 'cause' | 'fromMs' | 'toMs'>, lines: Iterable<readonly [string, LineCount]>): void;
  /** Bytes that a start cut off: what was in them is not known. */
  addBytes(bytes: number, atMs: number | undefined): void;
  take(): SpoolLoss[];
}

/** Begins with no loss. There are no more than the ledger tells sources apart. */
export function createLosses(): Losses {
  let losses = new Map<string, SpoolLoss>();
  const put = (loss: SpoolLoss): void => {
    const key = `${loss.cause} ${loss.source}`;
    const known = losses.get(key) ?? { ...loss, lines: 0, bytes: 0 };
    losses.set(key, {
      ...known,
      lines: known.lines + loss.lines,
      bytes: known.bytes + loss.bytes,
      fromMs: Math.min(known.fromMs, loss.fromMs),
      toMs: Math.max(known.toMs, loss.toMs),
    });
  };
  return {
    add(loss, counts) {
      for (const [source, [lines, bytes]] of counts) if (lines > 0) put({ ...loss, source, lines, bytes });
    },
    addBytes(bytes, atMs = 0) {
      put({ cause: 'spool-damaged', source: '', lines: 0, bytes, fromMs: atMs, toMs: atMs });
    },
    take() {
      const taken = [...losses.values()];
      losses = new Map();
      return taken;
    },
  };
}
