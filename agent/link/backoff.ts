const FIRST_MS = 500;
const MOST_MS = 30_000;

/** Waits between tries: anything up to twice the last limit, so that a thousand agents do not come back at once. */
export interface Backoff {
  /** Milliseconds to wait before the next try. */
  next(): number;
  /** To be called when a try succeeded. */
  reset(): void;
}

/** Full jitter: uniform between nothing and a limit that doubles from 0.5 s to 30 s. `random` gives [0, 1). */
export function createBackoff(random: () => number = Math.random): Backoff {
  let limit = FIRST_MS;
  return {
    next() {
      const wait = random() * limit;
      limit = Math.min(MOST_MS, limit * 2);
      return wait;
    },
    reset() {
      limit = FIRST_MS;
    },
  };
}
