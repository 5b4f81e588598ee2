import fc from 'fast-check';
import { expect, test } from 'vitest';
import { conditionOf, spansBackward } from './conditions.ts';

test('pieces of a range meet without gap or overlap, newest first', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e12 }), fc.integer({ min: 1, max: 1e11 }), (from, length) => {
      const spans = spansBackward({ from, to: from + length });
      expect(spans[0]?.to).toBe(from + length);
      expect(spans.at(-1)?.from).toBe(from);
      for (const [index, span] of spans.entries()) {
        expect(span.from).toBeLessThan(span.to);
        if (index > 0) expect(span.to).toBe(spans[index - 1]?.from);
      }
      expect(spans.length).toBeLessThan(20);
    }),
  );
});

test('an empty range has no pieces', () => {
  expect(spansBackward({ from: 5, to: 5 })).toEqual([]);
});

test('quotes of a searched text end no literal', () => {
  expect(conditionOf({ from: 0, to: 1, text: "it's '; DROP" }, undefined)).toBe(
    "contains(lower(text), 'it''s ''; drop')",
  );
});
