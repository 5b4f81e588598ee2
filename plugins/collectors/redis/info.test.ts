import fc from 'fast-check';
import { expect, test } from 'vitest';
import { numberIn, parseInfo, partsOf, startingWith } from './info.ts';

const INFO = parseInfo(
  '# Server\r\nredis_version:7.0.15\r\nuptime_in_seconds:12\r\nrun:a:b\r\n\r\n# Keyspace\r\ndb0:keys=3,expires=1,avg_ttl=5\r\n',
);

test('every key of INFO has its value, and only numbers are numbers', () => {
  expect(numberIn(INFO, 'uptime_in_seconds')).toBe(12);
  expect(INFO.get('run')).toBe('a:b');
  for (const key of ['redis_version', 'gone', 'run']) expect(numberIn(INFO, key)).toBeNaN();
  expect(startingWith(INFO, 'db')).toEqual([['0', 'keys=3,expires=1,avg_ttl=5']]);
  expect(numberIn(partsOf('keys=3,expires=1'), 'expires')).toBe(1);
});

test('no text makes the reader fail', () => {
  fc.assert(
    fc.property(
      fc.string(),
      (text) => void [...parseInfo(text)].map(([key, value]) => [numberIn(parseInfo(text), key), partsOf(value)]),
    ),
  );
});
