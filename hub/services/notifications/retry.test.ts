import fc from 'fast-check';
import { expect, test } from 'vitest';
import { waitMs } from './retry.ts';

test('a try waits longer than the one before on average, and never more than half an hour', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempts, random) => {
      expect(waitMs(attempts, random)).toBeLessThanOrEqual(1_800_000);
      expect(waitMs(attempts, random)).toBeGreaterThanOrEqual(5000);
      expect(waitMs(attempts + 1, random)).toBeGreaterThanOrEqual(waitMs(attempts, random));
    }),
  );
});
