import { expect, test } from 'vitest';
import { drawnSteps, patternParts } from './pattern-parts.ts';

test('places where lines differ are told from the words that they share', () => {
  expect(patternParts('<ip> took <duration>: a < b, <Html>')).toEqual([
    { text: '<ip>', varies: true },
    { text: ' took ', varies: false },
    { text: '<duration>', varies: true },
    { text: ': a < b, <Html>', varies: false },
  ]);
  expect(patternParts('')).toEqual([]);
});

test('a pattern cannot turn the page’s reading direction or hide what it says', () => {
  const [part] = patternParts('\u202Eevil\u001b[31m');
  expect(part?.text).toBe('⟨U+202E⟩evil');
});

test('the step that goes on is drawn once it is no fall; of a range that is over all are', () => {
  expect(drawnSteps([4, 5, 2], true)).toEqual([4, 5]);
  expect(drawnSteps([4, 5, 2], false)).toEqual([4, 5, 2]);
  expect(drawnSteps([0, 0, 1], true)).toEqual([0, 0, 1]);
  expect(drawnSteps([3], true)).toEqual([3]);
});
