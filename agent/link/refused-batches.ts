import type { BatchKey } from '../spool/index.ts';

/** A batch is given up when it was the oldest unacknowledged one so often while the hub refused what it could not read. */
const TRIES = 3;

/** True for a refusal that is about a batch, not about the agent: of ingest, or of an owner of data that looked inside. */
export const isAboutABatch = (code: string): boolean => /\.(bad-frame|too-large|unknown-encoding)$/.test(code);

/** Finds batches that no hub will ever take, so that they do not hold up what follows. */
export interface RefusedBatches {
  /** Hears of a refusal while this batch was the oldest one under way; true when it is to be given up. */
  isHopeless(batch: BatchKey, code: string): boolean;
}

/** Begins with no suspicion. */
export function createRefusedBatches(): RefusedBatches {
  let suspect: (BatchKey & { tries: number }) | undefined;
  return {
    isHopeless({ epoch, lane, seq }, code) {
      if (!isAboutABatch(code)) return false;
      const isSame = suspect?.epoch === epoch && suspect.lane === lane && suspect.seq === seq;
      suspect = { epoch, lane, seq, tries: isSame ? (suspect?.tries ?? 0) + 1 : 1 };
      return suspect.tries >= TRIES;
    },
  };
}
