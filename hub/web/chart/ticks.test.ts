import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { axisFor, ticksOf, timeDistance, timeTicks } from './ticks.ts';

const MIB = 1024 ** 2;

describe('an axis of values', () => {
  test('goes in powers of two for bytes, and in decimal steps for all else', () => {
    expect(ticksOf(axisFor({ low: 0, most: 13 * MIB, unit: 'By' }))).toEqual([0, 4 * MIB, 8 * MIB, 12 * MIB, 16 * MIB]);
    expect(ticksOf(axisFor({ low: 0, most: 1, unit: '1' }))).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(ticksOf(axisFor({ low: 0, most: 7, unit: '{thread}' }))).toEqual([0, 2, 4, 6, 8]);
  });

  test('begins at zero, or below it when there are values below', () => {
    expect(axisFor({ low: 5, most: 9, unit: '' }).low).toBe(0);
    expect(axisFor({ low: -0.016, most: 0.004, unit: 's' }).low).toBeLessThanOrEqual(-0.016);
  });

  test('does not grow for a sum of shares that comes to a little over one', () => {
    expect(axisFor({ low: 0, most: 1.004, unit: '1' })).toEqual({ low: 0, top: 1, increment: 0.25 });
  });

  test('is not empty when nothing happens', () => {
    const axis = axisFor({ low: Infinity, most: -Infinity, unit: 'By/s' });
    expect(axis.top).toBeGreaterThan(0);
  });

  test('holds every value with at most a few ticks', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e15, noNaN: true }),
        fc.double({ min: -1e6, max: 0, noNaN: true }),
        fc.constantFrom('1', 'By', 'By/s', 's', '{line}/s', ''),
        (most, low, unit) => {
          const axis = axisFor({ low, most, unit });
          expect(axis.top).toBeGreaterThanOrEqual(most - axis.increment * 0.021);
          expect(axis.low).toBeLessThanOrEqual(low + axis.increment * 1e-5);
          expect(ticksOf(axis).length).toBeLessThanOrEqual(7);
        },
      ),
    );
  });
});

describe('an axis of time', () => {
  test('leaves room for its words', () => {
    expect(timeDistance(900_000, 320)).toBe(300_000);
    expect(timeDistance(86_400_000 * 30, 320)).toBe(86_400_000 * 14);
  });

  test('has its marks at whole units', () => {
    const from = Date.UTC(2026, 0, 31, 11, 58, 30);
    expect(
      timeTicks(from, from + 900_000, 300_000, 'utc').map((at) => new Date(at).toISOString().slice(11, 19)),
    ).toEqual(['12:00:00', '12:05:00', '12:10:00']);
  });
});
