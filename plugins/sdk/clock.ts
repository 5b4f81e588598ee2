/** Ends a timer. Calling it twice does nothing. */
export type Cancel = () => void;

/** The only source of time a component has, so that a test can move it. */
export interface Clock {
  /** Wall clock in milliseconds since 1970. It may jump. */
  now(): number;
  /** Milliseconds that never go back; only differences mean something. */
  monotonic(): number;
  after(ms: number, work: () => void): Cancel;
  /** Calls `work` each `ms` milliseconds. The caller guards against overlap. */
  every(ms: number, work: () => void): Cancel;
  /** Resolves after `ms`, or at once when the signal aborts: it never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, work) {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
  every(ms, work) {
    const timer = setInterval(work, ms);
    return () => clearInterval(timer);
  },
  sleep(ms, signal) {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
    });
  },
};
