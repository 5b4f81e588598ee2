import type { Clock } from '#sdk';
import { Problem } from '#sdk';
import type { FastifyReply } from 'fastify';
import type { Principal } from '../../principal.ts';
import type { Caller } from './authenticate.ts';
import type { GatewayConfig } from './config.ts';
import { problems } from './errors.ts';
import { createBuckets, type Allowance } from './token-bucket.ts';

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

function refuse({ retryAfter }: Allowance): Problem {
  return problems.tooManyRequests(`Wait ${retryAfter} s.`, { facts: { retryAfter } });
}

/** How often callers may call. Each process counts for itself: this protects the process, not a quota. */
export function createAllowances(config: GatewayConfig, clock: Clock) {
  const now = (): number => clock.monotonic();
  const calls = createBuckets(config.requestsPerSecond, config.burst, now);
  const signIns = createBuckets(config.signInsPerSecond, config.signInBurst, now);
  const refusals = createBuckets(config.signInsPerSecond, config.signInBurst * 2, now);
  const demand = (allowance: Allowance, reply: FastifyReply): void => {
    void reply.headers({
      'ratelimit-limit': allowance.limit,
      'ratelimit-remaining': allowance.remaining,
      'ratelimit-reset': allowance.reset,
    });
    if (!allowance.allowed) throw refuse(allowance);
  };
  return {
    /** Counts a call that signs in, renews or registers; those are dear and invite guessing. */
    demandSignIn: (network: string, reply: FastifyReply) => demand(signIns.take(network), reply),
    /** Counts any other call, for the person or program that makes it, else for the address. */
    demandCall(network: string, principal: Principal | undefined, reply: FastifyReply): void {
      demand(calls.take(principal === undefined ? `address ${network}` : `user ${principal.user}`), reply);
    },
    /** Finds out who calls; an address that keeps sending wrong keys or tokens is not even listened to for a while. */
    async identify(network: string, ask: () => Promise<Caller | undefined>): Promise<Caller | undefined> {
      const look = refusals.take(network, 0);
      if (!look.allowed) throw refuse(look);
      try {
        return await ask();
      } catch (error) {
        if (error instanceof Problem && error.status === 401) refusals.take(network);
        throw error;
      }
    },
  };
}
export type Allowances = ReturnType<typeof createAllowances>;
