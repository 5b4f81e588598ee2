import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KIND } from './kinds.ts';
import { lettered, numeral, plainNumber, plainWord, VALUE, type Word } from './words.ts';

const PADDING = '\0'.repeat(64);
const emptyWord = (): Word => ({ end: 0, hash: VALUE, kind: KIND.word });
const charsOf = (chars: string): fc.Arbitrary<string> => fc.string({ unit: fc.constantFrom(...chars), maxLength: 70 });

test('a plain word is what a word of letters is, and a plain number what a numeral is', () => {
  let found = 0;
  const behind = fc.stringMatching(/^[ ,:./%a-f0-9\]"=-]{0,4}$/);
  fc.assert(
    fc.property(
      fc.oneof(charsOf('abcdefgzrootueTF_'), charsOf('abcdefABCDEF')),
      charsOf('0123456789'),
      behind,
      (letters, digits, rest) => {
        for (const [text, plain, whole] of [
          [`a${letters}${rest}`, plainWord, lettered],
          [`0${digits}${rest}`, plainNumber, numeral],
          [`7${digits}${rest}`, plainNumber, numeral],
        ] as const) {
          const bytes = Buffer.from(text + PADDING);
          const [quick, slow] = [emptyWord(), emptyWord()];
          if (!plain(bytes, 0, quick)) continue;
          found++;
          whole(bytes, 0, text.length, slow);
          expect(quick).toEqual(slow);
        }
      },
    ),
    { numRuns: 2000 },
  );
  expect(found).toBeGreaterThan(500);
});

test('what may be a month, a quantity or a group of thousands is no plain word', () => {
  const word = emptyWord();
  expect(plainWord(Buffer.from(`Jan 7${PADDING}`), 0, word)).toBe(false);
  expect(plainNumber(Buffer.from(`20 ms${PADDING}`), 0, word)).toBe(false);
  expect(plainNumber(Buffer.from(`1,000${PADDING}`), 0, word)).toBe(false);
});
