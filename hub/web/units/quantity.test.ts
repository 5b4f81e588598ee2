import fc from 'fast-check';
import { expect, test } from 'vitest';
import { count, digits, drawnUnit, quantity, scaled, scalingFor, typedUnit } from './quantity.ts';

test('values are written in the unit that suits their size', () => {
  expect(quantity(1.4 * 1024 ** 3, 'By')).toBe('1.4 GiB');
  expect(quantity(0.12, '1')).toBe('12 %');
  expect(quantity(0.0032, 's')).toBe('3.2 ms');
  expect(quantity(0, 's')).toBe('0 s');
  expect(quantity(4_300_000, 's')).toBe('49.8 d');
  expect(quantity(2048, 'By/s')).toBe('2 KiB/s');
  expect(quantity(0.42, 's/s')).toBe('42 %');
  expect(quantity(12_345, '{packet}/s')).toBe('12.3 k/s');
  expect(quantity(980, '{process}')).toBe('980');
});

test('what is no value is a dash', () => {
  expect(quantity(undefined, 'By')).toBe('–');
  expect(quantity(null, '1')).toBe('–');
  expect(quantity(NaN, 's')).toBe('–');
});

test('all values of a chart share one unit', () => {
  const scaling = scalingFor(3 * 1024 ** 3, 'By');
  expect(scaled(1024 ** 2 * 512, scaling)).toBe('0.5 GiB');
  expect(scaled(0, scaling)).toBe('0 GiB');
});

test('small numbers keep a digit that says something and never turn into an exponent', () => {
  expect(digits(0.05)).toBe('0.05');
  expect(digits(0.0001)).toBe('~0');
  expect(digits(999.6)).toBe('1000');
  fc.assert(fc.property(fc.double({ min: -1e12, max: 1e12, noNaN: true }), (value) => !digits(value).includes('e')));
});

test('a number is right to one per cent after it was written', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 1e6, noNaN: true }), (value) => {
      expect(Math.abs(Number(digits(value)) - value)).toBeLessThanOrEqual(Math.max(value * 0.06, 0.0006));
    }),
  );
});

test('counters are drawn as rates, counts are grouped, typed values have a human unit', () => {
  expect(drawnUnit('By', 'counter')).toBe('By/s');
  expect(drawnUnit('By', 'gauge')).toBe('By');
  expect(count(1234567)).toBe('1 234 567');
  expect(typedUnit('1')).toEqual({ factor: 0.01, label: '%' });
  expect(typedUnit('{file_descriptor}').label).toBe('file descriptor');
});
