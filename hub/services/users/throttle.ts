import type { Counters } from './counters.ts';
import { problems } from './errors.ts';

const WINDOW_MS = 15 * 60_000;
const FREE_PER_ACCOUNT = 5;
const FREE_PER_NETWORK = 50;
const LONGEST_S = 900;

/** Milliseconds until the next try after this many of which `free` cost nothing: 1 s, then twice as long each time. */
export function waitAfter(tries: number, free: number): number {
  return tries < free ? 0 : Math.min(2 ** (tries - free), LONGEST_S) * 1000;
}

/** Slows guessing down: an account as seen from one network, and a network whatever it tries. Tries are forgotten after 15 minutes. */
export function createThrottle(counters: Counters) {
  const accountKey = (account: string, network: string): string => `sign-in ${network} ${account.toLowerCase()}`;
  const networkKey = (network: string): string => `sign-in ${network}`;
  const refuse = (leftMs: number): Error => {
    const retryAfter = Math.max(1, Math.ceil(leftMs / 1000));
    return problems.throttled(`Too many failed tries. Wait ${retryAfter} s and try again.`, { facts: { retryAfter } });
  };
  /** The gate is shut for as long as its counter lives; who makes the counter has shut it and passes. */
  const shut = async (key: string, ms: number): Promise<void> => {
    const { value, leftMs } = await counters.increment('', `${key} gate`, ms);
    if (value > 1) throw refuse(leftMs);
  };
  const demandOpen = async (key: string): Promise<void> => {
    if ((await counters.get('', `${key} gate`)) !== undefined) await shut(key, 1);
  };
  return {
    /** Throws when this try must wait. A try counts when it begins, so that many at once gain nothing. */
    async demand(account: string, network: string): Promise<void> {
      const key = accountKey(account, network);
      await demandOpen(networkKey(network));
      await demandOpen(key);
      const { value } = await counters.increment('', key, WINDOW_MS);
      const wait = waitAfter(value, FREE_PER_ACCOUNT);
      if (wait > 0) await shut(key, wait);
    },
    /** Remembers a failure against the network. */
    async failed(network: string): Promise<void> {
      const key = networkKey(network);
      const { value } = await counters.increment('', key, WINDOW_MS);
      const wait = waitAfter(value, FREE_PER_NETWORK);
      if (wait > 0) await counters.increment('', `${key} gate`, wait);
    },
    /** Forgets the tries at an account whose password was known after all. */
    async succeeded(account: string, network: string): Promise<void> {
      const key = accountKey(account, network);
      await counters.delete('', key);
      await counters.delete('', `${key} gate`);
    },
  };
}
export type Throttle = ReturnType<typeof createThrottle>;
