import { expect, test } from 'vitest';
import { patternFault } from './own-patterns.ts';

test.each([
  'EMP-\\d{6}',
  '\\bkey-[A-Za-z0-9_-]{20,}\\b',
  'customer \\d+',
  '(?<=id=)\\w{1,40}',
  '^\\d{4}-\\d\\d',
  'é+x?',
  '(?:a|b){2,4}c',
])('%s is sound', (pattern) => expect(patternFault(pattern)).toBeUndefined());

test.each(['(a+)+$', '(a|a)*b', '^(\\w+\\s?)*x$', '(?:\\d+,)*\\d+;', 'x*x*x*y', '.*foo.*bar', '(\\w+)\\1z'])(
  '%s may take for ever, and it is said why',
  (pattern) =>
    expect(patternFault(pattern)).toMatch(/takes too long on a line that repeats ".+"; give its repeats a limit/),
);

test('what is no pattern, or fits everywhere, is told', () => {
  expect(patternFault('(a')).toBe('/(a/ is no regular expression: Unterminated group');
  expect(patternFault('[a/: b', true)).toMatch(/^\/\[a\/: b\/ is no regular expression: [A-Z][^/]*$/);
  expect(patternFault('a*')).toMatch(/fits the empty text/);
});
