import type { BatchKey } from '../spool/index.ts';

/** A batch is given up when it was the oldest unacknowledged one so often in a row while the hub refused what it could not read. */
const TRIES = 3;

/** True for a refusal that is about a batch, not about the agent: of ingest, of an owner of data that looked inside, or of a transport. */
export const isAboutABatch = (code: string): boolean => /\.(bad-frame|too-large|unknown-encoding)$/.test(code);

/** Finds batches that no hub will ever take, so that they do not hold up what follows. */
export interface RefusedBatches {
  /** Hears of a refusal while these were under way, oldest first; true when the oldest is to be given up. */
  isHopeless(underWay: readonly BatchKey[], code: string): boolean;
  /**
   * True for a batch that was under way with others when one of them was refused. A transport ends a stream without the acknowledgements
   * of those before: such a batch is sent alone, so that a next refusal means it, however slow the hub is.
   */
  isSuspect(batch: BatchKey): boolean;
}

const nameOf = ({ epoch, lane, seq }: BatchKey): string => `${epoch}:${lane}:${seq}`;

/** Begins with no suspicion. */
export function createRefusedBatches(): RefusedBatches {
  let suspects: ReadonlySet<string> = new Set();
  let [blamed, tries] = ['', 0];
  return {
    isHopeless([oldest, ...others], code) {
      if (oldest === undefined || !isAboutABatch(code)) return false;
      if (others.length > 0) suspects = new Set([oldest, ...others].map(nameOf));
      const name = nameOf(oldest);
      tries = name === blamed ? tries + 1 : 1;
      blamed = name;
      return tries >= TRIES;
    },
    isSuspect: (batch) => suspects.has(nameOf(batch)),
  };
}
