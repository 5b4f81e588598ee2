import type { Clock, Component } from '#sdk';
import { createManualClock } from '#kit/manual-clock.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Cache } from './cache.ts';

const ORG = '11111111-1111-4111-8111-111111111111';
const OTHER = '22222222-2222-4222-8222-222222222222';
/** A life that no test lives to see the end of. */
const LONG_MS = 600_000;
const RATE = { perSecond: 2, burst: 3 };

/** One store, empty, and clients of it. */
export interface MadeCache {
  /** A further client of the same store, not started: what another process would have. */
  client(): Component & { port: Cache };
  /** Lets so many milliseconds go by, or a few more. */
  pass(ms: number): Promise<void>;
  /** The store loses everything. */
  empty(): Promise<void>;
}

/** Thirty calls at once, by several clients in turn. */
const thirty = <T>(clients: readonly Cache[], work: (cache: Cache, n: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: 30 }, (_, n) => work(clients[n % clients.length] as Cache, n)));

/** What every cache must do; `make` gives an empty store. Only a store on the given clock can be asked for exact times. */
export function cacheContract(name: string, make: (clock: Clock) => Promise<MadeCache>): void {
  describe(`cache ${name}`, () => {
    let made: MadeCache;
    let cache: Cache;
    const ends: (() => Promise<void> | undefined)[] = [];
    const clock = createManualClock();
    const another = async (): Promise<Cache> => {
      const component = made.client();
      await component.start?.();
      ends.push(async () => component.stop?.());
      return component.port;
    };
    beforeEach(async () => {
      made = await make(clock);
      const { pass } = made;
      made = { ...made, pass: async (ms) => void (await Promise.all([pass(ms), clock.advance(ms)])) };
      cache = await another();
    });
    afterEach(async () => {
      for (const end of ends.splice(0)) await end();
    });

    test('a value is there until its time is over', async () => {
      await cache.set(ORG, 'k', 'v', LONG_MS);
      await cache.set(ORG, 'short', 'v', 100);
      expect(await cache.get(ORG, 'k')).toBe('v');
      await made.pass(101);
      expect(await cache.get(ORG, 'short')).toBeUndefined();
      expect(await cache.get(ORG, 'k')).toBe('v');
    });

    test('another org sees nothing of it', async () => {
      await cache.set(ORG, 'k', 'v', LONG_MS);
      await cache.increment(ORG, 'n', LONG_MS);
      expect(await cache.get(OTHER, 'k')).toBeUndefined();
      expect((await cache.increment(OTHER, 'n', LONG_MS)).value).toBe(1);
      expect((await cache.increment('', 'n', LONG_MS)).value).toBe(1);
    });

    test('a deleted value is gone, and a key may be any text', async () => {
      const key = 'a {b} c\n:é "d" \\';
      await cache.set(ORG, key, 'v', LONG_MS);
      expect(await cache.get(ORG, key)).toBe('v');
      await cache.delete(ORG, key);
      expect(await cache.get(ORG, key)).toBeUndefined();
    });

    test('a counter counts until its first increment is too old', async () => {
      const first = await cache.increment(ORG, 'n', LONG_MS);
      expect(first).toEqual({ value: 1, leftMs: LONG_MS });
      await made.pass(20);
      const second = await cache.increment(ORG, 'n', LONG_MS);
      expect(second.value).toBe(2);
      expect(second.leftMs).toBeLessThanOrEqual(LONG_MS - 20);
      await cache.increment(ORG, 'short', 100);
      await made.pass(101);
      expect(await cache.increment(ORG, 'short', 100)).toEqual({ value: 1, leftMs: 100 });
    });

    test('many clients count with one counter', async () => {
      const clients = [cache, await another(), await another()];
      await thirty(clients, (client) => client.increment(ORG, 'n', LONG_MS));
      expect((await cache.increment(ORG, 'n', LONG_MS)).value).toBe(31);
    });

    leases();
    buckets();

    function leases(): void {
      test('a lease has one holder, who renews it and keeps its token; another org has its own', async () => {
        const token = await cache.acquire(ORG, 'shard', 'a', LONG_MS);
        expect(token).toBeGreaterThanOrEqual(1_700_000_000_000);
        expect(await (await another()).acquire(ORG, 'shard', 'b', LONG_MS)).toBeUndefined();
        await made.pass(5);
        expect(await cache.acquire(ORG, 'shard', 'a', LONG_MS)).toBe(token);
        expect(await cache.acquire(OTHER, 'shard', 'b', LONG_MS)).toBeGreaterThan(0);
      });

      test('a lease that was not renewed goes to the next holder, with a greater token', async () => {
        const token = await cache.acquire(ORG, 'shard', 'a', 100);
        await made.pass(101);
        const next = await cache.acquire(ORG, 'shard', 'b', LONG_MS);
        expect(next).toBeGreaterThan(token ?? Infinity);
        expect(await cache.acquire(ORG, 'shard', 'a', LONG_MS)).toBeUndefined();
      });

      test('renewing makes a lease last longer', async () => {
        const token = await cache.acquire(ORG, 'shard', 'a', 100);
        expect(await cache.acquire(ORG, 'shard', 'a', LONG_MS)).toBe(token);
        await made.pass(150);
        expect(await cache.acquire(ORG, 'shard', 'b', LONG_MS)).toBeUndefined();
      });

      test('only its holder gives a lease back, and each new hold has a greater token', async () => {
        const token = await cache.acquire(ORG, 'shard', 'a', LONG_MS);
        await cache.release(ORG, 'shard', 'b');
        expect(await cache.acquire(ORG, 'shard', 'b', LONG_MS)).toBeUndefined();
        await cache.release(ORG, 'shard', 'a');
        const next = await cache.acquire(ORG, 'shard', 'b', LONG_MS);
        expect(next).toBeGreaterThan(token ?? Infinity);
        await cache.release(ORG, 'shard', 'b');
        expect(await cache.acquire(ORG, 'shard', 'b', LONG_MS)).toBeGreaterThan(next ?? Infinity);
      });

      test('a token is greater than all before also when the store lost everything', async () => {
        const token = await cache.acquire(ORG, 'shard', 'a', LONG_MS);
        await made.empty();
        await made.pass(5);
        expect(await cache.acquire(ORG, 'shard', 'b', LONG_MS)).toBeGreaterThan(token ?? Infinity);
      });

      test('of many who want a lease at once one gets it', async () => {
        const clients = [cache, await another(), await another()];
        const tokens = await thirty(clients, (client, n) => client.acquire(ORG, 'shard', `holder ${n}`, LONG_MS));
        expect(tokens.filter((token) => token !== undefined)).toHaveLength(1);
      });
    }

    function buckets(): void {
      test('a bucket gives its burst, then waits to be filled', async () => {
        const slow = { perSecond: 0.01, burst: 3 };
        const takes = [];
        for (let n = 0; n < 3; n++) takes.push(await cache.take(ORG, 'calls', slow, 1));
        expect(takes.map(({ allowed, remaining }) => [allowed, remaining])).toEqual([
          [true, 2],
          [true, 1],
          [true, 0],
        ]);
        const refused = await cache.take(ORG, 'calls', slow, 1);
        expect(refused).toMatchObject({ allowed: false, limit: 3, remaining: 0 });
        expect(refused.waitMs).toBeGreaterThan(0);
        expect(refused.waitMs).toBeLessThanOrEqual(100_000);
        expect(refused.resetMs).toBeLessThanOrEqual(300_000);
        expect((await cache.take(OTHER, 'calls', slow, 1)).remaining).toBe(2);
      });

      test('a bucket fills as time passes, and never beyond its burst', async () => {
        expect(await cache.take(ORG, 'calls', RATE, 3)).toMatchObject({ allowed: true, remaining: 0, resetMs: 1500 });
        await made.pass(510);
        expect((await cache.take(ORG, 'calls', RATE, 1)).allowed).toBe(true);
        await made.pass(2_500);
        expect(await cache.take(ORG, 'calls', RATE, 0)).toEqual({
          allowed: true,
          limit: 3,
          remaining: 3,
          waitMs: 0,
          resetMs: 0,
        });
      });

      test('a look costs nothing, and more than there is is refused whole', async () => {
        const slow = { perSecond: 0.01, burst: 3 };
        expect(await cache.take(ORG, 'calls', slow, 0)).toMatchObject({ allowed: true, remaining: 3 });
        expect(await cache.take(ORG, 'calls', slow, 4)).toMatchObject({ allowed: false, remaining: 3 });
        expect(await cache.take(ORG, 'calls', slow, 3)).toMatchObject({ allowed: true, remaining: 0 });
        expect(await cache.take(ORG, 'calls', slow, 0)).toMatchObject({ allowed: false, remaining: 0 });
      });

      test('many clients share one bucket', async () => {
        const clients = [cache, await another(), await another()];
        const slow = { perSecond: 0.001, burst: 10 };
        const taken = await thirty(clients, (client) => client.take(ORG, 'calls', slow, 1));
        expect(taken.filter(({ allowed }) => allowed)).toHaveLength(10);
      });
    }
  });
}
