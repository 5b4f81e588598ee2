import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseStubStatus } from './stub-status.ts';

const page = (n: readonly number[]): string =>
  `Active connections: ${n[0]} \nserver accepts handled requests\n ${n[1]} ${n[2]} ${n[3]} \nReading: ${n[4]} Writing: ${n[5]} Waiting: ${n[6]} \n`;

test('every page that nginx writes is read', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 7, maxLength: 7 }), (n) => {
      const [active, accepted, handled, requests, reading, writing, waiting] = n;
      expect(parseStubStatus(page(n))).toEqual({ active, accepted, handled, requests, reading, writing, waiting });
    }),
  );
});

test('the page of Tengine has one number more', () => {
  const text =
    'Active connections: 2 \nserver accepts handled requests request_time\n 3 4 5 6789\nReading: 0 Writing: 1 Waiting: 1 \n';
  expect(parseStubStatus(text)).toMatchObject({ active: 2, accepted: 3, handled: 4, requests: 5, waiting: 1 });
});

test('any other text is no status', () => {
  for (const text of [
    '',
    '<html>Welcome to nginx!</html>',
    page([1, 2, 3, 4, 5, 6, 7]).slice(0, -12),
    'x'.repeat(2000),
  ])
    expect(parseStubStatus(text)).toBeUndefined();
});
