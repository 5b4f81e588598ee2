import { expect, test } from 'vitest';
import { averagePrecision, figuresOf, segmentsOf } from './hosts.ts';

const labels = Uint8Array.from([0, 1, 1, 0, 0, 1]);

test('segments are the runs of labelled rows', () => {
  expect(segmentsOf(labels)).toEqual([
    [1, 3],
    [5, 6],
  ]);
});

test('the area is 1 for a perfect order, and the share of labelled rows where all are equal', () => {
  expect(averagePrecision(Float64Array.from([0, 1, 1, 0, 0, 1]), labels)).toBe(1);
  expect(averagePrecision(new Float64Array(6), labels)).toBeCloseTo(0.5, 9);
  expect(averagePrecision(Float64Array.from([0.9, 1, 0, 0, 0, 0.8]), labels)).toBeCloseTo((1 + 2 / 3 + 0.5) / 3, 9);
});

test('a segment is found by one of its rows, and quiet rows that alert are counted', () => {
  const scores = Float64Array.from([0.6, 0.1, 0.7, 0, 0, 0.2]);
  expect(figuresOf(scores, labels, 0.5)).toMatchObject({ segments: 2, found: 1, falseShare: 1 / 3 });
});
