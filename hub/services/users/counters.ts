import { Problem, reasonOf, type Clock, type Logger } from '#sdk';
import { LRUCache } from 'lru-cache';
import type { Cache } from '../../ports/cache.ts';

/** Counters that vanish: what throttles count with. */
export type Counters = Pick<Cache, 'get' | 'increment' | 'delete'>;

const MOST = 20_000;
/** How long the shared counters are left alone after they failed, milliseconds. */
const REST_MS = 1_000;

/** Counters of this process alone. */
function createOwn(clock: Clock): Counters {
  const counters = new LRUCache<string, { value: number; untilMs: number }>({ max: MOST });
  const alive = (key: string) => {
    const there = counters.get(key);
    return there !== undefined && there.untilMs > clock.monotonic() ? there : undefined;
  };
  return {
    get: (org, key) => Promise.resolve(alive(`${org} ${key}`)?.value.toString()),
    increment(org, key, ttlMs) {
      const counter = alive(`${org} ${key}`) ?? { value: 0, untilMs: clock.monotonic() + ttlMs };
      counter.value += 1;
      counters.set(`${org} ${key}`, counter);
      return Promise.resolve({ value: counter.value, leftMs: counter.untilMs - clock.monotonic() });
    },
    delete(org, key) {
      counters.delete(`${org} ${key}`);
      return Promise.resolve();
    },
  };
}

/** Counters that all processes share; while those cannot be reached each process counts for itself: nobody is kept out for that, and nobody may guess. */
export function createCounters(cache: Counters, clock: Clock, log: Logger): Counters {
  const own = createOwn(clock);
  let restsUntil = -Infinity;
  let isAlone = false;
  const ask = async <T>(work: (counters: Counters) => Promise<T>): Promise<T> => {
    if (clock.monotonic() < restsUntil) return work(own);
    try {
      const answer = await work(cache);
      if (isAlone) log.info('tries to sign in are counted together again');
      isAlone = false;
      return answer;
    } catch (error) {
      if (!(error instanceof Problem) || !error.retryable) throw error;
      restsUntil = clock.monotonic() + REST_MS;
      if (!isAlone) log.warn('tries to sign in are counted by this process alone', { reason: reasonOf(error) });
      isAlone = true;
      return work(own);
    }
  };
  return {
    get: (org, key) => ask((counters) => counters.get(org, key)),
    increment: (org, key, ttlMs) => ask((counters) => counters.increment(org, key, ttlMs)),
    delete: (org, key) => ask((counters) => counters.delete(org, key)),
  };
}
