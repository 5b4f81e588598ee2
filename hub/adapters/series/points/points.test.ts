import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gatherRows, sampleRow } from './rows.ts';
import { identityOf, identityText } from './identity.ts';

const text = fc.string({ unit: 'binary' });

test('a series comes back from its text, and the order of attributes does not matter', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('gauge' as const, 'counter' as const),
      text,
      fc.dictionary(text, text),
      (kind, name, attributes) => {
        const written = identityText({ kind, name, attributes });
        expect(written).toMatch(/^[\w;%.!~*'()-]*$/);
        expect(identityOf(written)).toEqual({ kind, name, attributes });
        const turned = Object.fromEntries(Object.entries(attributes).reverse());
        expect(identityText({ kind, name, attributes: turned })).toBe(written);
      },
    ),
  );
});

test('rows add up to the same step, however they were split before', () => {
  const samples = fc.array(fc.tuple(fc.nat(600), fc.integer()), { minLength: 1 });
  fc.assert(
    fc.property(samples, (given) => {
      const unique = [...new Map(given).entries()].map(([at, value]) => sampleRow(at * 100, value));
      const once = gatherRows(unique, 60_000);
      expect(gatherRows(gatherRows(unique, 10_000).reverse(), 60_000)).toEqual(once);
      expect(once.reduce((sum, { n }) => sum + n, 0)).toBe(unique.length);
    }),
  );
});

test('a step holds its first and last sample, whatever came first', () => {
  const rows = [sampleRow(9_000, 4), sampleRow(1_000, 7), sampleRow(5_000, 1), sampleRow(10_000, 2)];
  expect(gatherRows(rows, 10_000)).toEqual([
    { t: 0, n: 3, s: 12, mn: 1, mx: 7, firstT: 1_000, f: 7, lastT: 9_000, last: 4 },
    { t: 10_000, n: 1, s: 2, mn: 2, mx: 2, firstT: 10_000, f: 2, lastT: 10_000, last: 2 },
  ]);
});
