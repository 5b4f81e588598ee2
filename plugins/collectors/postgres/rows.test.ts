import { expect, test } from 'vitest';
import { numberOf, readRows, textOf } from './rows.ts';

test('rows give their numbers, flags and texts, and nothing where there is none', () => {
  const [row] = readRows('[{"a":1.5,"b":true,"c":null,"d":"x"}]');
  expect([numberOf(row, 'a'), numberOf(row, 'b')]).toEqual([1.5, 1]);
  for (const key of ['c', 'd', 'e']) expect(numberOf(row, key)).toBeNaN();
  expect([textOf(row ?? {}, 'd'), textOf(row ?? {}, 'c')]).toEqual(['x', '']);
});

test('anything else than rows is refused', () => {
  for (const text of ['{}', '[1]', '[null]', '"x"']) expect(() => readRows(text)).toThrow('no list of rows');
});
