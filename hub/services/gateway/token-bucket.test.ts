import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBuckets } from './token-bucket.ts';

test('a burst passes, the next call waits for its token', () => {
  let now = 0;
  const buckets = createBuckets(2, 3, () => now);
  expect([1, 2, 3].map(() => buckets.take('a').allowed)).toEqual([true, true, true]);
  expect(buckets.take('a')).toEqual({ allowed: false, limit: 3, remaining: 0, retryAfter: 1, reset: 2 });
  now += 500;
  expect(buckets.take('a').allowed).toBe(true);
});

test('a look costs nothing', () => {
  const buckets = createBuckets(1, 1, () => 0);
  expect([buckets.take('a', 0).allowed, buckets.take('a', 0).allowed]).toEqual([true, true]);
  expect(buckets.take('a').allowed).toBe(true);
  expect(buckets.take('a', 0).allowed).toBe(false);
});

test('callers do not share an allowance', () => {
  const buckets = createBuckets(1, 1, () => 0);
  expect(buckets.take('a').allowed).toBe(true);
  expect(buckets.take('b').allowed).toBe(true);
});

test('over any time nobody gets more than the burst and the rate', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2000 }), { maxLength: 200 }), (waits) => {
      let now = 0;
      const buckets = createBuckets(5, 10, () => now);
      let passed = 0;
      for (const wait of waits) {
        now += wait;
        if (buckets.take('a').allowed) passed += 1;
      }
      expect(passed).toBeLessThanOrEqual(10 + (now * 5) / 1000 + 1e-6);
    }),
  );
});

test('who was not seen for longest is forgotten first', () => {
  const buckets = createBuckets(1, 1, () => 0, 2);
  for (const caller of ['a', 'b', 'c']) buckets.take(caller);
  expect(buckets.take('b').allowed).toBe(false);
  expect(buckets.take('a').allowed).toBe(true);
});
