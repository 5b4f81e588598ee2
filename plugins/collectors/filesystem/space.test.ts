import fc from 'fast-check';
import { expect, test } from 'vitest';
import { spaceOf } from './space.ts';

test('shares are those that df prints', () => {
  const space = spaceOf({ bsize: 4096, blocks: 1000, bfree: 300, bavail: 250, files: 200, ffree: 150 });
  expect(space).toEqual({
    limit: 4_096_000,
    used: 2_867_200,
    free: 1_024_000,
    reserved: 204_800,
    utilization: 700 / 950,
    inodeUtilization: 0.25,
  });
});

test('the states add up to the limit whatever the kernel says', () => {
  const any = fc.oneof(fc.integer({ min: -10, max: 2 ** 31 - 1 }), fc.constantFrom(NaN, Infinity));
  fc.assert(
    fc.property(fc.record({ bsize: any, blocks: any, bfree: any, bavail: any, files: any, ffree: any }), (stat) => {
      const space = spaceOf(stat);
      if (space === undefined) return;
      // Doubles round beyond 2^53 bytes.
      expect((space.used + space.free + space.reserved) / space.limit).toBeCloseTo(1, 12);
      expect(space.utilization >= 0 && space.utilization <= 1).toBe(true);
      const { inodeUtilization: inodes = 0 } = space;
      expect(inodes >= 0 && inodes <= 1).toBe(true);
    }),
  );
});

test('a file system without blocks has no space', () => {
  expect(spaceOf({ bsize: 4096, blocks: 0, bfree: 0, bavail: 0, files: 0, ffree: 0 })).toBeUndefined();
});
