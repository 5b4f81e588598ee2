import { Level } from '#proto/agent/v1/index.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { factsOf } from './line-facts.ts';

const NOW = Date.UTC(2026, 0, 31, 12, 0, 30);

test.each([
  ['{"time":"2026-01-31T12:00:00.000Z","level":"warn","msg":"x"}', Level.WARN],
  ['{"level":50,"msg":"x"}', Level.ERROR],
  ['ts=2026-01-31T12:00:00Z level=error msg="error=none"', Level.ERROR],
  ['E0131 12:00:00.000000 1 main.go:1] boom', Level.ERROR],
  ['2026-01-31 12:00:00,123 INFO [main] started', Level.INFO],
  ['[2026-01-31 12:00:00] app.CRITICAL: gone', Level.UNSPECIFIED],
  ['<11>Jan 31 12:00:00 host app: x', Level.ERROR],
  ['Jan 31 12:00:00 host kernel: WARNING: CPU: 1', Level.WARN],
  ['no level here, only errors in words', Level.UNSPECIFIED],
  ['information about a debugger', Level.UNSPECIFIED],
])('finds the level of %s', (line, level) => expect(factsOf(line, NOW).level).toBe(level));

test.each([
  ['2026-01-31T12:00:00.250Z x', Date.UTC(2026, 0, 31, 12, 0, 0, 250)],
  ['2026-01-31 13:00:00+01:00 x', Date.UTC(2026, 0, 31, 12)],
  ['127.0.0.1 - - [31/Jan/2026:12:00:00 +0000] "GET /"', Date.UTC(2026, 0, 31, 12)],
  ['no time', NOW],
  ['1999-01-01T00:00:00Z a date in the text', NOW],
  ['2031-01-01T00:00:00Z from the future', NOW],
])('finds the time of %s', (line, time) => expect(factsOf(line, NOW).timeMs).toBe(time));

test('a line of December, read in January, is of last year', () => {
  const now = new Date(2026, 0, 1, 0, 0, 5).getTime();
  expect(factsOf('Dec 31 23:59:59 host app: x', now).timeMs).toBe(new Date(2025, 11, 31, 23, 59, 59).getTime());
});

test('no line makes it throw or give a time that is no number', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 500 }), (line) => {
      expect(Number.isFinite(factsOf(line, NOW).timeMs)).toBe(true);
    }),
  );
});
