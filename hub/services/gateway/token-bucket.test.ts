import { silentLogger, type Logger } from '#sdk';
import { createManualClock } from '#kit/manual-clock.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { takenOf, type Cache, type Taken } from '../../ports/cache.ts';
import { createOwnBuckets, createSharedBuckets } from './token-bucket.ts';

test('a burst passes, the next call waits for its token', () => {
  let now = 0;
  const buckets = createOwnBuckets(() => now);
  const rate = { perSecond: 2, burst: 3 };
  expect([1, 2, 3].map(() => buckets.take('a', rate).allowed)).toEqual([true, true, true]);
  expect(buckets.take('a', rate)).toEqual({ allowed: false, limit: 3, remaining: 0, waitMs: 500, resetMs: 1500 });
  now += 500;
  expect(buckets.take('a', rate).allowed).toBe(true);
});

test('callers do not share an allowance', () => {
  const buckets = createOwnBuckets(() => 0);
  const rate = { perSecond: 1, burst: 1 };
  expect(buckets.take('a', rate).allowed).toBe(true);
  expect(buckets.take('b', rate).allowed).toBe(true);
});

test('over any time nobody gets more than the burst and the rate', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2000 }), { maxLength: 200 }), (waits) => {
      let now = 0;
      const buckets = createOwnBuckets(() => now);
      let passed = 0;
      for (const wait of waits) {
        now += wait;
        if (buckets.take('a', { perSecond: 5, burst: 10 }).allowed) passed += 1;
      }
      expect(passed).toBeLessThanOrEqual(10 + (now * 5) / 1000 + 1e-6);
    }),
  );
});

test('who was not seen for longest is forgotten first', () => {
  const buckets = createOwnBuckets(() => 0, 2);
  const rate = { perSecond: 1, burst: 1 };
  for (const caller of ['a', 'b', 'c']) buckets.take(caller, rate);
  expect(buckets.take('b', rate).allowed).toBe(false);
  expect(buckets.take('a', rate).allowed).toBe(true);
});

/** Shared buckets on a cache that does what `take` says. */
function shared(take: () => Promise<Taken>) {
  const clock = createManualClock();
  const told: boolean[] = [];
  const lines: string[] = [];
  const log: Logger = { ...silentLogger, warn: (line) => lines.push(line), info: (line) => lines.push(line) };
  const cache = { take } as unknown as Cache;
  return { clock, told, lines, buckets: createSharedBuckets({ cache, clock, log, alone: (is) => told.push(is) }) };
}

const RATE = { perSecond: 1, burst: 2 };

test('while the cache is away this process counts for itself, says so once, and asks again once a second', async () => {
  let away = true;
  let asked = 0;
  const { clock, told, lines, buckets } = shared(() => {
    asked += 1;
    return away
      ? Promise.reject(new Error('away'))
      : Promise.resolve(takenOf(true, 77, { perSecond: 1, burst: 99 }, 1));
  });
  const allowed = [];
  for (let n = 0; n < 3; n++) allowed.push((await buckets.take('a', RATE)).allowed);
  expect(allowed).toEqual([true, true, false]);
  expect([asked, told, lines.length]).toEqual([1, [true], 1]);
  await clock.advance(1_000);
  expect((await buckets.take('a', RATE)).limit).toBe(2);
  expect(asked).toBe(2);
  away = false;
  await clock.advance(1_000);
  await buckets.take('a', RATE);
  await clock.advance(0);
  expect(told).toEqual([true, false]);
  expect((await buckets.take('a', RATE)).limit).toBe(99);
  expect(lines).toHaveLength(2);
});

test('a cache that does not answer holds a call up for a quarter of a second, and the next ones not at all', async () => {
  const { clock, told, buckets } = shared(() => new Promise(() => undefined));
  const first = buckets.take('a', RATE);
  await clock.advance(250);
  expect((await first).remaining).toBe(1);
  expect((await buckets.take('a', RATE)).remaining).toBe(0);
  expect(told).toEqual([true]);
});
