import fc from 'fast-check';
import { expect, test } from 'vitest';
import { robustSlope, secondsToFull, type UsedPoint } from './filling.ts';

const MINUTE = 60_000;
const hour = (used: (minute: number) => number, minutes = 60): UsedPoint[] =>
  Array.from({ length: minutes }, (_, i) => ({ timeMs: 1_700_000_000_000 + i * MINUTE, used: used(i) }));

test('tells when a file system that grows steadily is full', () => {
  // 0.1 of the space an hour, 0.8 used at the end: two hours are left.
  expect(secondsToFull(hour((i) => 0.8 + ((i - 59) / 60) * 0.1))).toBeCloseTo(7200, 3);
});

test('is not misled by a few wild points', () => {
  const points = hour((i) => (i % 7 === 3 ? 0.999 : 0.8 + ((i - 59) / 60) * 0.1)).filter(({ used }) => used < 0.99);
  const wild = points.map((point, i) => (i % 9 === 4 ? { ...point, used: point.used + 0.004 } : point));
  expect(secondsToFull(wild)).toBeGreaterThan(6500);
  expect(secondsToFull(wild)).toBeLessThan(7900);
});

test.each([
  ['an hour without a change', hour(() => 0.9)],
  ['growth that is noise', hour((i) => 0.9 + i * 0.00001)],
  ['a file system that is half empty', hour((i) => 0.3 + i * 0.003)],
  ['too short a stretch', hour((i) => 0.8 + i * 0.003, 15)],
  ['a clean-up ten minutes ago', hour((i) => (i < 50 ? 0.7 + i * 0.005 : 0.6 + i * 0.001))],
  ['a copy that has ended', hour((i) => (i < 30 ? 0.6 + i * 0.01 : 0.9))],
  ['nothing at all', []],
])('sees no filling in %s', (_what, points) => {
  expect(secondsToFull(points)).toBeUndefined();
});

test('goes on from a clean-up once there is enough to see', () => {
  const points = hour((i) => (i < 25 ? 0.7 + i * 0.01 : 0.6 + (i - 25) * 0.005));
  const left = secondsToFull(points);
  expect(left).toBeCloseTo(((1 - 0.77) / 0.005) * 60, 0);
});

test('whatever the points, the answer is undefined or a time that is not negative', () => {
  const used = fc.array(fc.double({ min: 0, max: 1.2, noNaN: true }), { maxLength: 70 });
  fc.assert(
    fc.property(used, (values) => {
      const left = secondsToFull(hour((i) => values[i] ?? 0, values.length));
      if (left === undefined) return;
      expect(left).toBeGreaterThanOrEqual(0);
      expect(Number.isFinite(left)).toBe(true);
    }),
  );
});

test('a straight line has its own slope', () => {
  fc.assert(
    fc.property(fc.double({ min: -0.01, max: 0.01, noNaN: true }), (slope) => {
      expect(robustSlope(hour((i) => 0.5 + slope * i))).toBeCloseTo(slope / MINUTE, 12);
    }),
  );
});
