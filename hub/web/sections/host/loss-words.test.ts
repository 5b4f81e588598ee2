import { expect, test } from 'vitest';
import { lossSentence } from './loss-words.ts';

const at = (day: number, hours: number, minutes: number): number => Date.UTC(2026, 10, day, hours, minutes, 20);
const said = (more: object): string => {
  const loss = { source: '/var/log/app.log', lines: 873, bytes: 90_000, fromMs: at(26, 10, 2), toMs: at(26, 10, 3) };
  const options = { zone: 'utc', nowMs: at(26, 12, 0) } as const;
  return lossSentence('web-1', { ...loss, cause: 'copytruncate', ...more }, options);
};

test('a loss is one sentence: who, how much, of what, when and why', () => {
  expect(said({})).toBe('web-1 lost 873 lines of app.log between 10:02 and 10:03: copytruncate');
  expect(said({ lines: 1, fromMs: at(26, 10, 3) })).toBe('web-1 lost 1 line of app.log at 10:03: copytruncate');
});

test('lines that nobody could count are told in bytes, and what has no size as unknown', () => {
  expect(said({ lines: 0, bytes: 2048 })).toBe('web-1 lost 2 KiB of app.log between 10:02 and 10:03: copytruncate');
  expect(said({ lines: 0, bytes: 0 })).toMatch(/^web-1 lost an unknown number of lines of app\.log/);
});

test('another day is named, and causes that this page does not know are told as they are', () => {
  expect(said({ fromMs: at(25, 10, 2), toMs: at(25, 10, 3) })).toContain('between 10:02 and 10:03 on 25 Nov 2026');
  expect(said({ fromMs: at(25, 23, 59) })).toContain('between 25 Nov 2026 23:59:20 UTC and 26 Nov 2026 10:03:20 UTC');
  expect(said({ cause: 'solar-flare' })).toMatch(/: solar flare$/);
});
