import type { BatchKey, Lane } from '../spool/index.ts';

/** Batches, and their bytes, that may be under way unacknowledged. */
const WINDOW = 32;
const WINDOW_BYTES = 8_000_000;

/** A batch that was sent. */
export interface Sent extends BatchKey {
  bytes: number;
}

/** Batches that were sent and not acknowledged. */
export interface SendWindow {
  isFull(): boolean;
  /** Oldest first. */
  underWay(): readonly Sent[];
  add(sent: Sent): void;
  /** Takes those of a lane up to `seq` out. */
  acknowledge(lane: Lane, seq: bigint): void;
}

/** Makes an empty window. */
export function createWindow(): SendWindow {
  let sent: Sent[] = [];
  const bytes = (): number => sent.reduce((sum, one) => sum + one.bytes, 0);
  return {
    isFull: () => sent.length >= WINDOW || bytes() > WINDOW_BYTES,
    underWay: () => sent,
    add: (one) => void sent.push(one),
    acknowledge(lane, seq) {
      sent = sent.filter((one) => one.lane !== lane || one.seq > seq);
    },
  };
}
