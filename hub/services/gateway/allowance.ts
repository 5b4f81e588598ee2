import type { Clock } from '#sdk';
import { Problem } from '#sdk';
import type { FastifyReply } from 'fastify';
import type { Rate, Taken } from '../../ports/cache.ts';
import type { Principal } from '../../principal.ts';
import type { Caller } from './authenticate.ts';
import type { GatewayConfig } from './config.ts';
import { problems } from './errors.ts';
import type { Buckets } from './token-bucket.ts';

/** Addresses of which this process remembers that they are not listened to. */
const MOST_SHUT = 10_000;

/** Who an address is counted as: itself, or the /64 network of an IPv6 address, which one person has whole. */
export function networkOf(address: string): string {
  if (address.includes('.')) return address.replace(/^::ffff:/i, '');
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const groups = (text: string | undefined): string[] => (text === undefined || text === '' ? [] : text.split(':'));
  const [left, right] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length) }, () => '0');
  const network = [...left, ...zeros, ...right].slice(0, 4).map((group) => parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}

const seconds = (ms: number): number => Math.ceil(ms / 1000);

function refuse(waitMs: number): Problem {
  const retryAfter = Math.max(1, seconds(waitMs));
  return problems.tooManyRequests(`Wait ${retryAfter} s.`, { facts: { retryAfter } });
}

/** Addresses that sent too many wrong keys, until when; asked without leaving the process, so that a good call costs one look at its bucket and no more. */
function createShut(clock: Clock) {
  const until = new Map<string, number>();
  return {
    demandOpen(network: string): void {
      const left = (until.get(network) ?? 0) - clock.monotonic();
      if (left > 0) throw refuse(left);
      until.delete(network);
    },
    shut(network: string, ms: number): void {
      until.delete(network);
      until.set(network, clock.monotonic() + ms);
      if (until.size > MOST_SHUT) until.delete(until.keys().next().value ?? '');
    },
  };
}

/** How often callers may call, counted by all processes of the hub together. */
export function createAllowances(config: GatewayConfig, buckets: Buckets, clock: Clock) {
  const calls: Rate = { perSecond: config.requestsPerSecond, burst: config.burst };
  const signIns: Rate = { perSecond: config.signInsPerSecond, burst: config.signInBurst };
  const refusals: Rate = { perSecond: config.signInsPerSecond, burst: config.signInBurst * 2 };
  const closed = createShut(clock);
  const demand = (taken: Taken, reply: FastifyReply): void => {
    void reply.headers({
      'ratelimit-limit': taken.limit,
      'ratelimit-remaining': taken.remaining,
      'ratelimit-reset': seconds(taken.resetMs),
    });
    if (!taken.allowed) throw refuse(taken.waitMs);
  };
  return {
    /** Counts a call that signs in, renews or registers; those are dear and invite guessing. */
    async demandSignIn(network: string, reply: FastifyReply): Promise<void> {
      demand(await buckets.take(`sign-ins ${network}`, signIns), reply);
    },
    /** Counts any other call, for the person or program that makes it, else for the address. */
    async demandCall(network: string, principal: Principal | undefined, reply: FastifyReply): Promise<void> {
      const caller = principal === undefined ? `address ${network}` : `user ${principal.user}`;
      demand(await buckets.take(`calls ${caller}`, calls), reply);
    },
    /** Finds out who calls; an address that keeps sending wrong keys or tokens is not even listened to for a while. */
    async identify(network: string, ask: () => Promise<Caller | undefined>): Promise<Caller | undefined> {
      closed.demandOpen(network);
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof Problem) || error.status !== 401) throw error;
        const taken = await buckets.take(`refusals ${network}`, refusals);
        if (taken.remaining === 0) closed.shut(network, taken.waitMs);
        // Others had this address refused as often as it may be; here it is the first time.
        if (!taken.allowed) throw refuse(taken.waitMs);
        throw error;
      }
    },
  };
}
export type Allowances = ReturnType<typeof createAllowances>;
