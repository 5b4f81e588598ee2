import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSketch } from './sketch.ts';

const value = fc.oneof(
  fc.double({ min: -1e9, max: 1e9, noNaN: true }).map((one) => one + 0),
  fc.nat(1000),
  fc.constant(0),
);

test('quantiles are within a hundredth of those of the sorted values', () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 300 }), fc.constantFrom(0.5, 0.95, 0.99), (values, q) => {
      const sketch = createSketch();
      for (const one of values) sketch.add(one, 1);
      const sorted = [...values].sort((a, b) => a - b);
      const exact = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? NaN;
      expect(Math.abs(sketch.quantile(q) - exact)).toBeLessThanOrEqual(Math.abs(exact) * 0.0101 + 1e-9);
      expect([sketch.min(), sketch.max()]).toEqual([sorted[0], sorted.at(-1)]);
    }),
  );
});

test('a weight counts as so many values, and an empty sketch tells nothing', () => {
  const sketch = createSketch();
  expect([sketch.quantile(0.5), sketch.min(), sketch.max()]).toEqual([NaN, NaN, NaN]);
  sketch.add(1, 10);
  sketch.add(100, 1);
  expect(sketch.quantile(0.9)).toBeCloseTo(1, 1);
  expect(sketch.quantile(0.99)).toBeCloseTo(100, 0);
  sketch.clear();
  expect(sketch.quantile(0.5)).toBeNaN();
});
