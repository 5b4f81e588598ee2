import fc from 'fast-check';
import { expect, test } from 'vitest';
import { replay } from '../replay.ts';
import { load } from './index.ts';
import { parseLoadAverage } from './load-average.ts';

test('reads the three averages', () => {
  expect(parseLoadAverage('0.16 1.25 12.00 1/95 7101\n')).toEqual([0.16, 1.25, 12]);
});

test('what is no average is NaN, and nothing else', () => {
  expect(parseLoadAverage('0.16 x 0x1.0')).toEqual([0.16, NaN, NaN]);
  fc.assert(fc.property(fc.string(), (text) => void expect(parseLoadAverage(text)).toHaveLength(3)));
});

test('a damaged file gives what can be read of it', async () => {
  const [partly, not] = await replay(load, [{ 'proc/loadavg': '0.16 x 0.09' }, { 'proc/loadavg': 'x' }]);
  expect(partly?.values).toEqual({ 'system.cpu.load_average.1m': 0.16, 'system.cpu.load_average.15m': 0.09 });
  expect(not).toEqual({ values: {}, fault: '/proc/loadavg cannot be read' });
});
