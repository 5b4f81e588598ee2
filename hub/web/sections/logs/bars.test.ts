import { expect, test } from 'vitest';
import { barsOf, barStep, countsByLevel, type Histogram } from './bars.ts';

const histogram: Histogram = {
  from: 1000,
  to: 5000,
  step: 2000,
  buckets: [
    { timeMs: 0, counts: { info: 3, error: 1 } },
    { timeMs: 4000, counts: { info: 1 } },
  ],
};

test('bars are stacked with the worst level at the bottom and cut at the ends of the range', () => {
  const { bars, most } = barsOf(histogram, ['info', 'error']);
  expect(most).toBe(4);
  expect(bars[0]).toMatchObject({ x: 0, width: 0.25, total: 4 });
  expect(bars[0]?.pieces).toEqual([
    { level: 'error', y: 0.75, height: 0.25 },
    { level: 'info', y: 0, height: 0.75 },
  ]);
  expect(bars[1]).toMatchObject({ x: 0.75, width: 0.25, total: 1 });
});

test('only chosen levels are drawn, all are counted', () => {
  expect(barsOf(histogram, ['error']).bars).toHaveLength(1);
  expect(countsByLevel(histogram)).toMatchObject({ info: 4, error: 1, fatal: 0 });
});

test('the step suits the width', () => {
  expect(barStep(900_000, 1200)).toBe(10_000);
  expect(barStep(900_000, 300)).toBe(30_000);
  expect(barStep(30 * 86_400_000, 1200)).toBe(21_600_000);
});
