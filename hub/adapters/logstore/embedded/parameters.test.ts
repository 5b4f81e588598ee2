import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parametersAt, placesOf } from './parameters.ts';

test('parameters come back as they were, wherever the same characters stand before them', () => {
  const piece = fc.tuple(
    fc.string({ unit: 'grapheme', maxLength: 5 }),
    fc.string({ unit: fc.constantFrom('1', '2', ' ', '\u{1f525}'), maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 10 }), (pieces) => {
      const text = pieces.map((two) => two.join('')).join('');
      const parameters = pieces.map(([, parameter]) => parameter);
      expect(parametersAt(text, placesOf(text, parameters) ?? '')).toEqual(parameters);
    }),
  );
});

test('what does not stand in the text is no parameter of it', () => {
  expect(placesOf('took 10 ms', ['20'])).toBeUndefined();
  expect(placesOf('took 10 ms', ['10', '10'])).toBeUndefined();
  expect(placesOf('took 10 ms', [])).toBeUndefined();
  expect(placesOf('1 of 10', ['1', '10'])).toBe('0,1,4,2');
});
