import fc from 'fast-check';
import { expect, test } from 'vitest';
import { partsOf, plainLines, plainText } from './plain-text.ts';

test('terminal codes are left out', () => {
  expect(plainText('\u001b[31mred\u001b[0m \u001b[1;32mgreen\u001b[K')).toBe('red green');
  expect(plainText('\u001b]8;;http://x\u0007link\u001b]8;;\u0007')).toBe('link');
});

test('control characters and marks of direction are seen', () => {
  expect(plainText('a\u0000b\tc\u007f\nd')).toBe('a\u2400b\tc\u2421↵d');
  expect(plainText('x\u202egnp.exe')).toBe('x⟨U+202E⟩gnp.exe');
});

test('lines of an event stay lines where it is shown whole', () => {
  expect(plainLines('java.lang.Error\n\tat \u0000\n')).toBe('java.lang.Error\n\tat \u2400\n');
});

test('no text holds a control character afterwards but the tabulator', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const bad = [...plainText(text)].filter((one) => /\p{Cc}/u.test(one) && one !== '\t');
      expect(bad).toEqual([]);
    }),
  );
});

test('what was searched for is marked in any case, and the parts are the text', () => {
  expect(partsOf('Error: error', 'error')).toEqual([
    { text: 'Error', hit: true },
    { text: ': ', hit: false },
    { text: 'error', hit: true },
  ]);
  expect(partsOf('a.b', '.')).toHaveLength(3);
  fc.assert(
    fc.property(fc.string(), fc.string(), (text, wanted) => {
      expect(
        partsOf(text, wanted)
          .map((part) => part.text)
          .join(''),
      ).toBe(text);
    }),
  );
});
