import { LRUCache } from 'lru-cache';
import { Type } from 'typebox';
import { defineAdapter } from '../../../adapter.ts';
import { takenOf, type Cache } from '../../../ports/cache.ts';

const config = Type.Object({
  entries: Type.Integer({
    description: 'Most values that are kept; the least used go first.',
    default: 50_000,
    minimum: 100,
  }),
});

interface Entry {
  value: string;
  endsMs: number;
}

/** The holder of a lease. */
interface Lease {
  holder: string;
  token: number;
  endsMs: number;
}

/** Small values in this process's memory. */
export const memoryCache = defineAdapter<Cache, typeof config>({
  name: 'memory',
  reach: 'process',
  config,
  create({ config: { entries }, clock }) {
    const kept = new LRUCache<string, Entry>({ max: entries });
    const buckets = new LRUCache<string, { tokens: number; atMs: number }>({ max: entries });
    // Not among the values: a lease must not go because others are used more.
    const leases = new Map<string, Lease>();
    let lastToken = 0;
    const place = (org: string, key: string): string => `${org}\n${key}`;
    const living = (at: string): Entry | undefined => {
      const entry = kept.get(at);
      if (entry === undefined || entry.endsMs > clock.monotonic()) return entry;
      kept.delete(at);
      return undefined;
    };
    const port: Cache = {
      get: (org, key) => Promise.resolve(living(place(org, key))?.value),
      set(org, key, value, ttlMs) {
        kept.set(place(org, key), { value, endsMs: clock.monotonic() + ttlMs });
        return Promise.resolve();
      },
      delete(org, key) {
        kept.delete(place(org, key));
        return Promise.resolve();
      },
      increment(org, key, ttlMs) {
        const at = place(org, key);
        const entry = living(at) ?? { value: '0', endsMs: clock.monotonic() + ttlMs };
        const value = Number(entry.value) + 1;
        kept.set(at, { value: String(value), endsMs: entry.endsMs });
        return Promise.resolve({ value, leftMs: entry.endsMs - clock.monotonic() });
      },
      acquire(org, key, holder, ttlMs) {
        const at = place(org, key);
        const now = clock.monotonic();
        const lease = leases.get(at);
        const stands = lease !== undefined && lease.endsMs > now;
        if (stands && lease.holder !== holder) return Promise.resolve(undefined);
        if (!stands) lastToken = Math.max(Math.floor(clock.now()), lastToken + 1);
        const token = stands ? lease.token : lastToken;
        leases.set(at, { holder, token, endsMs: now + ttlMs });
        return Promise.resolve(token);
      },
      release(org, key, holder) {
        const at = place(org, key);
        if (leases.get(at)?.holder === holder) leases.delete(at);
        return Promise.resolve();
      },
      take(org, key, rate, count) {
        const at = place(org, key);
        const now = clock.monotonic();
        const old = buckets.get(at) ?? { tokens: rate.burst, atMs: now };
        const tokens = Math.min(rate.burst, old.tokens + ((now - old.atMs) * rate.perSecond) / 1000);
        // Fractions add up to a hair less than a whole.
        const allowed = tokens + 1e-9 >= Math.max(1, count);
        const left = allowed ? tokens - count : tokens;
        buckets.set(at, { tokens: left, atMs: now });
        return Promise.resolve(takenOf(allowed, left, rate, count));
      },
    };
    const empty = (): void => {
      kept.clear();
      buckets.clear();
      leases.clear();
    };
    return { port, stop: () => Promise.resolve(empty()) };
  },
});
