import type { Clock } from '#sdk';

/** A clock that moves only when a test says so. */
export interface ManualClock extends Clock {
  /** Moves both clocks and runs what falls due, in order; promises settle in between. */
  advance(ms: number): Promise<void>;
  /** Moves the wall clock alone, as an operator or NTP does. */
  jump(ms: number): void;
}

interface Timer {
  due: number;
  every: number | undefined;
  work: () => void;
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Makes a clock that stands still at `start`, milliseconds since 1970. */
export function createManualClock(start = 1_750_000_000_000): ManualClock {
  let wall = start;
  let mono = 0;
  const timers = new Set<Timer>();
  const add = (ms: number, work: () => void, every?: number): (() => void) => {
    const timer: Timer = { due: mono + Math.max(0, ms), every, work };
    timers.add(timer);
    return () => timers.delete(timer);
  };
  const nextBy = (limit: number): Timer | undefined =>
    [...timers].filter(({ due }) => due <= limit).sort((a, b) => a.due - b.due)[0];
  return {
    now: () => wall,
    monotonic: () => mono,
    after: (ms, work) => add(ms, work),
    every: (ms, work) => add(ms, work, ms),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const done = (): void => {
          cancel();
          signal?.removeEventListener('abort', done);
          resolve();
        };
        const cancel = add(ms, done);
        signal?.addEventListener('abort', done, { once: true });
      }),
    async advance(ms) {
      const end = mono + ms;
      for (let timer = nextBy(end); timer !== undefined; timer = nextBy(end)) {
        wall += timer.due - mono;
        mono = timer.due;
        if (timer.every === undefined) timers.delete(timer);
        else timer.due += timer.every;
        timer.work();
        await settle();
      }
      wall += end - mono;
      mono = end;
      await settle();
    },
    jump(ms) {
      wall += ms;
    },
  };
}
