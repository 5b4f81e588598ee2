/** Batches, and their bytes, that may be under way unacknowledged. */
const WINDOW = 32;
const WINDOW_BYTES = 8_000_000;

/** A batch that was sent. */
export interface Sent {
  seq: bigint;
  bytes: number;
  /** Lines of the spool up to its end. */
  total: number;
}

/** Batches that were sent and not acknowledged, oldest first. */
export interface SendWindow {
  isFull(): boolean;
  oldest(): Sent | undefined;
  add(sent: Sent): void;
  /** Takes those up to `seq` out; returns the lines of the spool up to there, if anything was. */
  acknowledge(seq: bigint): number | undefined;
}

/** Makes an empty window. */
export function createWindow(): SendWindow {
  const sent: Sent[] = [];
  let bytes = 0;
  return {
    isFull: () => sent.length >= WINDOW || bytes > WINDOW_BYTES,
    oldest: () => sent[0],
    add(one) {
      sent.push(one);
      bytes += one.bytes;
    },
    acknowledge(seq) {
      let total: number | undefined;
      for (let [oldest] = sent; oldest !== undefined && oldest.seq <= seq; [oldest] = sent) {
        bytes -= oldest.bytes;
        ({ total } = oldest);
        sent.shift();
      }
      return total;
    },
  };
}
