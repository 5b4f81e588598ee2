import fc from 'fast-check';
import { expect, test } from 'vitest';
import { identityOf, identityPatterns, identityText } from './identity.ts';
import { createPieces, PIECE_MS } from './pieces.ts';
import { gatherRows, sampleRow } from './rows.ts';
import { linesFrom, rowsFrom } from './statistics.ts';
import { RESOLUTIONS, tierParts, type Resolution } from './tiers.ts';

const text = fc.string({ unit: 'binary' });
const [, , , HOUR] = RESOLUTIONS;

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

test('patterns match the series that are asked for, and hold nothing that a regular expression reads otherwise', () => {
  fc.assert(
    fc.property(text, text, text, (name, key, value) => {
      const written = identityText({ kind: 'gauge', name, attributes: { [key]: value, other: 'x' } });
      const all = identityPatterns([name, 'a.b'], { [key]: value });
      expect(all.every((pattern) => new RegExp(pattern).test(written))).toBe(true);
      expect(all.join('')).not.toMatch(/[/"\n]/);
    }),
  );
  expect(new RegExp(identityPatterns(['a.b'], {})[0] ?? '').test('g;aXb')).toBe(false);
});

test('rows come back from their statistics', () => {
  const own = gatherRows([sampleRow(1_000, 4), sampleRow(4_000, 2), sampleRow(12_000, 9)], 10_000);
  const figures = linesFrom(new Map([['c;x', own]])).map(({ statistic, timeMs, fields }) => {
    const [name = '', value = ''] = fields.split('=');
    return [statistic, name, new Date(timeMs).toISOString(), value];
  });
  const [first, second] = rowsFrom(figures, 10_000).get('c;x') ?? [];
  expect(first).toMatchObject({ n: 2, mn: 2, mx: 4, firstT: 1_000, f: 4, lastT: 4_000, last: 2 });
  expect(second).toMatchObject({ t: 10_000, n: 1, firstT: 12_000, last: 9 });
});

test('a range is split where coarser tiers are not gathered yet', () => {
  const parts = (gatheredMs: number) =>
    tierParts<Resolution>(RESOLUTIONS, HOUR, { from: 0, to: 10_000_000, gatheredMs }).map(({ tier, from, to }) => [
      tier.bucketMs,
      from,
      to,
    ]);
  expect(parts(7_500_000)).toEqual([
    [3_600_000, 0, 7_200_000],
    [60_000, 7_200_000, 7_500_000],
    [0, 7_500_000, 10_000_000],
  ]);
  expect(parts(20_000_000)).toEqual([[3_600_000, 0, 10_000_000]]);
  expect(parts(-1)).toEqual([[0, 0, 10_000_000]]);
});

test('a piece is open from its first sample until it is taken, and due when a live one is over', () => {
  let now = 0;
  const pieces = createPieces(() => now);
  expect(pieces.touch('a', [10, PIECE_MS + 1, 20])).toEqual([0, PIECE_MS]);
  expect(pieces.touch('a', [30])).toEqual([]);
  expect(pieces.within('a', PIECE_MS - 1, PIECE_MS)).toEqual([0]);
  expect(pieces.due()).toEqual([]);
  now = 2 * PIECE_MS;
  pieces.touch('b', [10]);
  expect(pieces.due()).toEqual([['a', [0, PIECE_MS]]]);
  pieces.take('a', 0);
  expect(pieces.touch('a', [40])).toEqual([0]);
  expect(pieces.isOpen('a', 0)).toBe(true);
});
