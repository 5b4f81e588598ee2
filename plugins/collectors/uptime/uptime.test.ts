import fc from 'fast-check';
import { expect, test } from 'vitest';
import { replay } from '../replay.ts';
import { uptime } from './index.ts';
import { parseUptime } from './uptime.ts';

test('reads the first number', () => {
  expect(parseUptime('3285.99 6406.08\n')).toBe(3285.99);
  expect(parseUptime('12')).toBe(12);
});

test('any other text has no uptime', () => {
  expect(['', '-1 2', '0x1 2', '1e999 2', 'a 1'].map(parseUptime)).toEqual(Array(5).fill(undefined));
  fc.assert(fc.property(fc.string(), (text) => void expect(parseUptime(text) ?? 0).toBeGreaterThanOrEqual(0)));
});

test('a missing file is a failure with a reason, and the next run reads it again', async () => {
  const [missing, back] = await replay(uptime, [{ x: '' }, { 'proc/uptime': '5.00 1.00\n' }]);
  expect(missing).toEqual({ values: {}, fault: '/proc/uptime cannot be read' });
  expect(back).toEqual({ values: { 'system.uptime': 5 } });
});
