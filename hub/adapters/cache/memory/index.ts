import { LRUCache } from 'lru-cache';
import { Type } from 'typebox';
import { defineAdapter } from '../../../adapter.ts';
import type { Cache } from '../../../ports/cache.ts';

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

/** Small values in this process's memory. */
export const memoryCache = defineAdapter<Cache, typeof config>({
  name: 'memory',
  reach: 'process',
  config,
  create({ config: { entries }, clock }) {
    const kept = new LRUCache<string, Entry>({ max: entries });
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
    };
    return { port, stop: () => Promise.resolve(kept.clear()) };
  },
});
