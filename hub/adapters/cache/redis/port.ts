import { takenOf, type Cache } from '../../../ports/cache.ts';
import type { Client } from './client.ts';

/** One command: answered in time, or a Problem. */
export type Ask = <T>(work: (client: Client) => Promise<T>) => Promise<T>;

/** How long a lease's last token is remembered after it ended: longer than a clock is set back. */
const REMEMBER_MS = 86_400_000;

/** The port on commands; the org stands in braces, so that a cluster keeps what is one org's on one node. */
export function createPort(ask: Ask, prefix: string): Cache {
  const place = (org: string, key: string): string => `${prefix}{${org}}:${key}`;
  return {
    get: async (org, key) => (await ask((redis) => redis.get(place(org, key)))) ?? undefined,
    async set(org, key, value, ttlMs) {
      await ask((redis) => redis.set(place(org, key), value, 'PX', Math.ceil(ttlMs)));
    },
    async delete(org, key) {
      await ask((redis) => redis.del(place(org, key)));
    },
    async increment(org, key, ttlMs) {
      const [value, leftMs] = await ask((redis) => redis.outriderincrement(place(org, key), Math.ceil(ttlMs)));
      return { value, leftMs };
    },
    async acquire(org, key, holder, ttlMs) {
      const at = place(org, `lease:${key}`);
      const token = await ask((redis) => redis.outrideracquire(at, holder, Math.ceil(ttlMs), REMEMBER_MS));
      return token === null ? undefined : Number(token);
    },
    async release(org, key, holder) {
      await ask((redis) => redis.outriderrelease(place(org, `lease:${key}`), holder));
    },
    async take(org, key, rate, count) {
      const at = place(org, `bucket:${key}`);
      const [allowed, left] = await ask((redis) => redis.outridertake(at, rate.perSecond, rate.burst, count));
      return takenOf(allowed === 1, Number(left), rate, count);
    },
  };
}
