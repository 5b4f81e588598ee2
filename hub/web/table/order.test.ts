import fc from 'fast-check';
import { expect, test } from 'vitest';
import { holds, ordered, readOrder, writeOrder, type Rank } from './order.ts';

const by = (ranks: Rank[], down: boolean): Rank[] => ordered(ranks, (rank) => rank, down);

test('numbers go by size, names as people count, nothing goes last', () => {
  expect(by([10, 9, null, 100], false)).toEqual([9, 10, 100, null]);
  expect(by([10, undefined, 9, 100], true)).toEqual([100, 10, 9, undefined]);
  expect(by(['web-10', 'web-9', 'Web-1'], false)).toEqual(['Web-1', 'web-9', 'web-10']);
});

test('rows of equal rank stay in order, and none is lost', () => {
  const row = fc.record({ rank: fc.option(fc.integer({ min: 0, max: 3 })), place: fc.nat() });
  fc.assert(
    fc.property(fc.array(row), fc.boolean(), (rows, down) => {
      const placed = rows.map((one, place) => ({ ...one, place }));
      const out = ordered(placed, ({ rank }) => rank, down);
      expect(out).toHaveLength(placed.length);
      out.forEach((one, i) => {
        const next = out[i + 1];
        if (next !== undefined && next.rank === one.rank) expect(next.place).toBeGreaterThan(one.place);
      });
    }),
  );
});

test('an order is read as it was written', () => {
  expect(readOrder('-cpu')).toEqual({ column: 'cpu', down: true });
  expect(readOrder('cpu')).toEqual({ column: 'cpu', down: false });
  expect(readOrder('-')).toBeUndefined();
  expect(writeOrder({ column: 'cpu', down: true })).toBe('-cpu');
});

test('a filter wants each of its words', () => {
  expect(holds('Disk nearly full', 'full disk')).toBe(true);
  expect(holds('Disk nearly full', 'full memory')).toBe(false);
  expect(holds('anything', '')).toBe(true);
});
