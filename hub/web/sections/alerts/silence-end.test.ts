import { expect, test } from 'vitest';
import { readEnd, silencedUntil } from './silence-end.ts';

const now = Date.UTC(2026, 0, 31, 12, 0);

test('a length, a time of the day and a date are ends', () => {
  expect(readEnd('3 h', now, 'utc')).toBe(now + 3 * 3_600_000);
  expect(readEnd('90min', now, 'utc')).toBe(now + 90 * 60_000);
  expect(readEnd('18:00', now, 'utc')).toBe(Date.UTC(2026, 0, 31, 18));
  expect(readEnd('08:00', now, 'utc')).toBe(Date.UTC(2026, 1, 1, 8));
  expect(readEnd('2026-02-03', now, 'utc')).toBe(Date.UTC(2026, 1, 3));
});

test('what has passed or says nothing is none', () => {
  expect(readEnd('2026-01-30 08:00', now, 'utc')).toBeUndefined();
  expect(readEnd('7', now, 'utc')).toBeUndefined();
  expect(readEnd('now', now, 'utc')).toBeUndefined();
  expect(readEnd('whenever', now, 'utc')).toBeUndefined();
});

test('an alert is silent as long as the last silence that fits', () => {
  const firing = { rule: 'r', resource: 'h', severity: 'warning' };
  const all = { rule: null, resource: null, severity: null, fromMs: now - 1, toMs: now + 1000 };
  expect(silencedUntil(firing, [all, { ...all, rule: 'r', toMs: now + 2000 }], now)).toBe(now + 2000);
  expect(
    silencedUntil(
      firing,
      [
        { ...all, rule: 'other' },
        { ...all, severity: 'info' },
      ],
      now,
    ),
  ).toBeUndefined();
  expect(
    silencedUntil(
      firing,
      [
        { ...all, fromMs: now + 1 },
        { ...all, toMs: now },
      ],
      now,
    ),
  ).toBeUndefined();
});
