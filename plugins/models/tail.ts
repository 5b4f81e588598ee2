import { TUNING } from './tuning.ts';

/** What is known of a statistic's usual values: median, the value that 2 in 100 exceed, and by how much on average. */
export interface TailFacts {
  median: number;
  high: number;
  excess: number;
}

/** −ln of the tail's share: the surprise where it begins. */
export const TAIL_NATS = -Math.log(TUNING.tailShare);

const SMALLEST = 1e-9;

/** The tail of a sample; `values` is sorted in place. */
export function tailOf(values: Float64Array): TailFacts {
  const sorted = values.sort();
  const n = sorted.length;
  const at = Math.min(n - 1, Math.floor(n * (1 - TUNING.tailShare)));
  const high = sorted[at]!;
  let sum = 0;
  let count = 0;
  for (let i = at + 1; i < n; i++) {
    if (sorted[i]! <= high) continue;
    sum += sorted[i]! - high;
    count += 1;
  }
  const median = sorted[n >> 1]!;
  const excess = count > 0 ? sum / count : Math.max((high - median) / TAIL_NATS, Math.abs(high) * 1e-3);
  return { median, high, excess: Math.max(excess, SMALLEST) };
}

/** The surprise of a value in nats: rises linearly to the tail, then by the tail's exponential law. */
export function natsOf(tail: TailFacts, value: number): number {
  const { median, high, excess } = tail;
  if (value > high) return TAIL_NATS + (value - high) / excess;
  const span = high - median;
  return span > 0 && value > median ? (TAIL_NATS * (value - median)) / span : 0;
}

/** Moves the tail after a value was judged. One value moves it by a bounded step, however large it is. */
export function learnTail(tail: TailFacts, value: number): void {
  const above = value > tail.high;
  const over = value - tail.high;
  tail.high += TUNING.tailPace * tail.excess * ((above ? 1 : 0) - TUNING.tailShare);
  if (!above) return;
  tail.excess += (TUNING.tailPace / 2) * (Math.min(over, 3 * tail.excess) - tail.excess);
  if (tail.excess < SMALLEST) tail.excess = SMALLEST;
}
