import { reasonOf, type Clock, type Logger } from '#sdk';
import { takenOf, type Cache, type Rate, type Taken } from '../../ports/cache.ts';

/** How long a call waits for the shared count; then it is counted here. */
const PATIENCE_MS = 250;
/** How long the shared count is left alone after it failed. */
const REST_MS = 1_000;

/** Token buckets by caller. */
export interface Buckets {
  take(caller: string, rate: Rate): Promise<Taken>;
}

/** Token buckets of this process, forgetting those unseen for longest. `now` in milliseconds that never go back. */
export function createOwnBuckets(now: () => number, most = 20_000) {
  const buckets = new Map<string, { tokens: number; atMs: number }>();
  return {
    /** Takes a token if one is there. */
    take(caller: string, rate: Rate): Taken {
      const at = now();
      const old = buckets.get(caller) ?? { tokens: rate.burst, atMs: at };
      const tokens = Math.min(rate.burst, old.tokens + ((at - old.atMs) * rate.perSecond) / 1000);
      const allowed = tokens >= 1;
      const left = allowed ? tokens - 1 : tokens;
      // Moved to the end, so that the first is the one unseen for longest.
      buckets.delete(caller);
      buckets.set(caller, { tokens: left, atMs: at });
      if (buckets.size > most) buckets.delete(buckets.keys().next().value ?? '');
      return takenOf(allowed, left, rate, 1);
    },
  };
}

/** What shared buckets stand on. */
export interface SharedGiven {
  cache: Cache;
  clock: Clock;
  log: Logger;
  /** Told whether this process counts for itself now. */
  alone(is: boolean): void;
}

/** Token buckets that all processes of the hub share. While the cache is away this one counts for itself: nobody is kept out for that. */
export function createSharedBuckets({ cache, clock, log, alone }: SharedGiven): Buckets {
  const own = createOwnBuckets(() => clock.monotonic());
  let restsUntil = -Infinity;
  let isAlone = false;
  const set = (is: boolean, reason?: unknown): void => {
    if (is) restsUntil = clock.monotonic() + REST_MS;
    if (is === isAlone) return;
    isAlone = is;
    alone(is);
    if (is) log.warn('calls are counted by this process alone: the cache is away', { reason: reasonOf(reason) });
    else log.info('calls are counted together again');
  };
  /** The shared count, or undefined when there was none in time. */
  const ask = (caller: string, rate: Rate): Promise<Taken | undefined> =>
    new Promise((resolve) => {
      let over = false;
      const give = (taken: Taken | undefined, reason?: unknown): void => {
        if (over) return; // An answer after its time says nothing of now.
        over = true;
        cancel();
        set(taken === undefined, reason);
        resolve(taken);
      };
      const cancel = clock.after(PATIENCE_MS, () => give(undefined, new Error(`no answer in ${PATIENCE_MS} ms`)));
      cache.take('', caller, rate, 1).then(give, (error: unknown) => give(undefined, error));
    });
  return {
    async take(caller, rate) {
      if (clock.monotonic() < restsUntil) return own.take(caller, rate);
      if (!isAlone) return (await ask(caller, rate)) ?? own.take(caller, rate);
      // One call asks whether the cache is back, and does not wait for the answer.
      restsUntil = clock.monotonic() + REST_MS;
      void ask(caller, rate).then((taken) => {
        if (taken !== undefined) restsUntil = -Infinity;
      });
      return own.take(caller, rate);
    },
  };
}
