import fc from 'fast-check';
import { expect, test } from 'vitest';
import { replay } from '../replay.ts';
import { pressure } from './index.ts';
import { parseStalls, stalledShare } from './stalls.ts';

const some = (total: number | string): string => `some avg10=0.00 avg60=0.00 avg300=0.00 total=${total}\n`;

test('reads both totals, and each without the other', () => {
  expect(parseStalls(`${some(12)}full avg10=0 avg60=0 avg300=0 total=7`)).toEqual({ some: 12, full: 7 });
  expect(parseStalls('full avg10=0 total=x\nsome total=3')).toEqual({ some: 3, full: undefined });
});

test('a share lies between zero and one, or cannot be told', () => {
  const maybe = fc.oneof(fc.constant(undefined), fc.nat());
  fc.assert(
    fc.property(fc.string(), maybe, maybe, fc.oneof(fc.integer(), fc.constant(NaN)), (text, before, after, elapsed) => {
      const total = parseStalls(`some a ${text}`).some;
      expect(total === undefined || Number.isFinite(total)).toBe(true);
      const share = stalledShare(before, after, elapsed);
      expect(share === undefined || (share >= 0 && share <= 1)).toBe(true);
    }),
  );
});

test('a file that is missing for a while starts anew and loses no other', async () => {
  const runs = await replay(pressure, [
    { 'proc/pressure/cpu': some(0), 'proc/pressure/memory': some(0) },
    { 'proc/pressure/cpu': some(500_000) },
    { 'proc/pressure/cpu': some(500_000), 'proc/pressure/memory': some(900_000) },
    { 'proc/pressure/cpu': some('damaged'), 'proc/pressure/memory': some(1_000_000) },
  ]);
  const key = (resource: string): string =>
    `system.linux.pressure.utilization system.linux.pressure.resource=${resource} system.linux.pressure.scope=some`;
  expect(runs.map(({ values }) => values)).toEqual([
    {},
    { [key('cpu')]: 0.5 },
    { [key('cpu')]: 0 },
    { [key('memory')]: 0.1 },
  ]);
});
