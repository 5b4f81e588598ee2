import type { Cache } from '../../ports/cache.ts';
import { problems } from './errors.ts';

const WINDOW_MS = 15 * 60_000;
const FREE_PER_ACCOUNT = 5;
const FREE_PER_ADDRESS = 50;

/** Slows guessing down: after some failures an account at an address, or an address alone, must wait until the window ends. */
export function createThrottle(cache: Cache) {
  const keys = (login: string, address: string): { key: string; free: number }[] => [
    { key: `sign-in:${login.toLowerCase()}:${address}`, free: FREE_PER_ACCOUNT },
    { key: `sign-in:${address}`, free: FREE_PER_ADDRESS },
  ];
  return {
    /** Throws when this try must wait. */
    async demand(login: string, address: string): Promise<void> {
      for (const { key, free } of keys(login, address)) {
        const failures = Number((await cache.get('', key)) ?? 0);
        if (failures < free) continue;
        const retryAfter = Math.min(2 ** (failures - free), 900);
        const blocked = await cache.get('', `${key}:wait`);
        if (blocked === undefined) continue;
        throw problems.throttled(`Too many failed tries. Wait ${retryAfter} s and try again.`, {
          facts: { retryAfter },
        });
      }
    },
    /** Remembers a failure; from the sixth on the next try has to wait, twice as long each time. */
    async failed(login: string, address: string): Promise<void> {
      for (const { key, free } of keys(login, address)) {
        const { value } = await cache.increment('', key, WINDOW_MS);
        if (value >= free) await cache.set('', `${key}:wait`, '1', Math.min(2 ** (value - free), 900) * 1000);
      }
    },
    async succeeded(login: string, address: string): Promise<void> {
      const [account] = keys(login, address);
      if (account !== undefined) await cache.delete('', account.key);
    },
  };
}
export type Throttle = ReturnType<typeof createThrottle>;
