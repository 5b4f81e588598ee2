import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readDuration, readRange, readTime } from './time-range.ts';

const NOW = 1_790_000_000_000;

test.each([
  ['now', NOW],
  ['-2h', NOW - 7_200_000],
  ['+5m', NOW + 300_000],
  ['-90', NOW - 90_000],
  ['1790000000000', NOW],
  ['2026-01-31T12:00:00Z', Date.UTC(2026, 0, 31, 12)],
])('reads the time %s', (text, ms) => expect(readTime(text, NOW)).toBe(ms));

test.each(['', 'yesterday', '-', '-2y', '12:00', '5'])('refuses the time "%s" with what to write instead', (text) => {
  expect(() => readTime(text, NOW)).toThrow('Use now, -2h');
});

test.each([
  ['10', 10_000],
  ['10s', 10_000],
  ['1.5h', 5_400_000],
  ['250ms', 250],
])('reads the duration %s', (text, ms) => expect(readDuration(text)).toBe(ms));

test('without a step a range has at most 600 points', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 * 365 * 86_400 }), (seconds) => {
      const { from, to, step } = readRange({ from: `-${seconds}s` }, NOW);
      expect((to - from) / step).toBeLessThanOrEqual(600);
      expect(step % 1000).toBe(0);
    }),
  );
});

test.each(['0', '0s', '1ms', '999ms'])('refuses the step %s: one second is the least', (step) => {
  expect(() => readRange({ step }, NOW)).toThrow('A step is at least 1 s.');
  expect(readRange({ step: '1' }, NOW).step).toBe(1000);
});

test('too many points and empty ranges are refused', () => {
  expect(() => readRange({ from: '-1d', step: '1s' }, NOW)).toThrow('Ask for a longer step');
  expect(() => readRange({ from: 'now', to: '-1h' }, NOW)).toThrow('before');
});
