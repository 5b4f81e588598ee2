import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseGpus } from './query.ts';

const line = (cells: Readonly<Record<number, string>>): string =>
  Array.from({ length: 15 }, (_one, at) => cells[at] ?? '[N/A]').join(', ');

test('a GPU has its number, its name and what it tells', () => {
  const [gpu] = parseGpus(`${line({ 0: 'GPU-1', 1: '87', 7: '251.37', 14: 'Example, 40GB' })}\n`);
  expect([gpu?.uuid, gpu?.name]).toEqual(['GPU-1', 'Example, 40GB']);
  expect([gpu?.value('utilization.gpu'), gpu?.value('power.draw'), gpu?.value('fan.speed')]).toEqual([
    87,
    251.37,
    undefined,
  ]);
});

test('what is no line of a GPU is passed over, and no text makes a number that is not finite', () => {
  expect(parseGpus('No devices were found\n')).toEqual([]);
  fc.assert(
    fc.property(fc.string(), fc.string(), (one, other) => {
      for (const gpu of parseGpus(`${one}\n${line({ 0: 'GPU-1', 4: other })}`)) {
        const value = gpu.value('memory.used');
        expect(value === undefined || (value >= 0 && value < Infinity)).toBe(true);
      }
    }),
  );
});
