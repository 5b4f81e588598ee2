import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fixedRange, rangeOf, readTyped, relativeMs, stepFor } from './range.ts';
import { ago, axisTime, exactTime, length, rangeLabel, rangeWords } from './wording.ts';

const NOW = Date.UTC(2026, 0, 31, 12, 0, 0);

describe('what people type', () => {
  test('is a length back from now', () => {
    expect(readTyped('-2h', NOW, 'utc')).toEqual({ from: '-2h' });
    expect(readTyped('45 min', NOW, 'utc')).toEqual({ from: '-45min' });
    expect(readTyped('last 3d', NOW, 'utc')).toEqual({ from: '-3d' });
    for (const text of [
      'last 2 hours',
      '2 hours',
      '2 h',
      'now-2h',
      'now-2h to now',
      'Now - 2 hours - now',
      'past 2 hrs',
    ])
      expect(readTyped(text, NOW, 'utc')).toEqual({ from: '-2h' });
    expect(readTyped('last hour', NOW, 'utc')).toEqual({ from: '-1h' });
    expect(readTyped('90 minutes', NOW, 'utc')).toEqual({ from: '-90m' });
  });

  test('is a day, or what there was of it', () => {
    expect(readTyped('today', NOW, 'utc')).toEqual({ from: '2026-01-31T00:00:00Z' });
    expect(readTyped('Yesterday', NOW, 'utc')).toEqual({ from: '2026-01-30T00:00:00Z', to: '2026-01-31T00:00:00Z' });
    expect(readTyped('2026-01-02', NOW, 'utc')).toEqual({ from: '2026-01-02T00:00:00Z', to: '2026-01-03T00:00:00Z' });
    expect(readTyped('2026-01-31', NOW, 'utc')).toEqual({ from: '2026-01-31T00:00:00Z' });
    expect(readTyped('2026-02-01', NOW, 'utc')).toBeUndefined();
  });

  test('is from a time of day to now', () => {
    expect(readTyped('03:15', NOW, 'utc')).toEqual({ from: '2026-01-31T03:15:00Z' });
    expect(readTyped('22:00', NOW, 'utc')).toEqual({ from: '2026-01-30T22:00:00Z' });
    expect(readTyped('2026-01-30 22:00 to now', NOW, 'utc')).toEqual({ from: '2026-01-30T22:00:00Z' });
  });

  test('is said again as it was understood', () => {
    const said = (text: string): string => rangeWords(readTyped(text, NOW, 'utc') ?? {}, NOW, 'utc');
    expect(said('03:15')).toBe('Today 03:15 – now');
    expect(said('last 2 hours')).toBe('Today 10:00 – now');
    expect(said('yesterday')).toBe('Yesterday 00:00 – today 00:00');
    expect(said('09:00-10:30')).toBe('Today 09:00 – 10:30');
    expect(said('2026-01-02 03:00 to 03:00:20')).toBe('2 Jan 2026 03:00 – 03:00:20');
  });

  test('is a stretch of today, or of yesterday when it lies ahead', () => {
    expect(readTyped('09:00-10:30', NOW, 'utc')).toEqual({ from: '2026-01-31T09:00:00Z', to: '2026-01-31T10:30:00Z' });
    expect(readTyped('22:00-23:00', NOW, 'utc')).toEqual({ from: '2026-01-30T22:00:00Z', to: '2026-01-30T23:00:00Z' });
    expect(readTyped('23:30-00:30', NOW, 'utc')).toEqual({ from: '2026-01-30T23:30:00Z', to: '2026-01-31T00:30:00Z' });
    expect(readTyped('11:00-now', NOW, 'utc')).toEqual({ from: '2026-01-31T11:00:00Z' });
  });

  test('is two moments, the second one of the same day when it has none', () => {
    expect(readTyped('2026-01-02T03:00 to 04:00', NOW, 'utc')).toEqual({
      from: '2026-01-02T03:00:00Z',
      to: '2026-01-02T04:00:00Z',
    });
    expect(readTyped('2026-01-02T03:00:00Z/2026-01-03T00:00:00Z', NOW, 'utc')?.to).toBe('2026-01-03T00:00:00Z');
  });

  test('is a quarter of an hour around one moment', () => {
    expect(readTyped('2026-01-02 03:00', NOW, 'utc')).toEqual({
      from: '2026-01-02T02:45:00Z',
      to: '2026-01-02T03:15:00Z',
    });
  });

  test('is refused when it says nothing', () => {
    for (const text of ['', 'soon', '25:61-26:00', '-2 parsecs', '10:00 to', 'now'.repeat(3)])
      expect(readTyped(text, NOW, 'utc')).toBeUndefined();
    fc.assert(fc.property(fc.string(), (text) => void readTyped(text, NOW, 'utc')));
  });
});

describe('the range of an address', () => {
  test('is live without an end, and the last quarter of an hour when it cannot be read', () => {
    expect(rangeOf({ from: '-1h' }, NOW)).toEqual({ from: NOW - 3_600_000, to: NOW, live: true });
    expect(rangeOf({ from: 'nonsense', to: 'more' }, NOW)).toEqual({ from: NOW - 900_000, to: NOW, live: false });
  });

  test('comes back from the address it was written to, in whole seconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1e12, max: 2e12 }), fc.integer({ min: 5000, max: 1e9 }), (from, size) => {
        const range = rangeOf(fixedRange(from, from + size), NOW);
        expect(range.from).toBeLessThanOrEqual(from);
        expect(range.to).toBeGreaterThanOrEqual(from + size);
        expect(range.to - range.from).toBeLessThan(size + 2000);
      }),
    );
  });

  test('is said in words', () => {
    expect(rangeLabel({}, NOW, 'utc')).toBe('Last 15 min');
    expect(rangeLabel({ from: '-2h' }, NOW, 'utc')).toBe('Last 2 h');
    expect(rangeLabel({ from: '2026-01-31T09:00:00Z', to: '2026-01-31T10:30:00Z' }, NOW, 'utc')).toBe(
      '31 Jan 09:00–10:30',
    );
    expect(rangeLabel({ from: '2026-01-30T23:30:00Z', to: '2026-01-31T00:30:00Z' }, NOW, 'utc')).toBe(
      '30 Jan 23:30 – 31 Jan 00:30',
    );
  });
});

test('a step gives at most a point a pixel', () => {
  expect(stepFor(900_000, 420)).toBe(5000);
  expect(stepFor(300_000, 420)).toBe(1000);
  expect(stepFor(3_600_000, 1000)).toBe(10_000);
  fc.assert(
    fc.property(fc.integer({ min: 5000, max: 4e10 }), fc.integer({ min: 60, max: 1000 }), (size, width) => {
      const step = stepFor(size, width);
      expect(size / step).toBeLessThanOrEqual(width + 1);
      expect(step % 1000).toBe(0);
    }),
  );
});

test('lengths and ages are short', () => {
  expect([800, 12_000, 90_000, 150_000, 7_800_000, 36_000_000 * 1.02, 86_400_000 * 3].map(length)).toEqual([
    '1 s', '12 s', '90 s', '3 min', '2 h 10 min', '10 h', '3 days',
  ]); // prettier-ignore
  expect(ago(NOW - 500, NOW)).toBe('just now');
  expect(ago(NOW - 180_000, NOW)).toBe('3 min ago');
  expect(exactTime(NOW, 'utc')).toBe('31 Jan 2026 12:00:00 UTC');
  expect(axisTime(NOW, 1000, 'utc')).toBe('12:00:00');
  expect(axisTime(Date.UTC(2026, 0, 31), 3_600_000, 'utc')).toBe('31 Jan');
  expect(relativeMs('-0m')).toBeUndefined();
});
