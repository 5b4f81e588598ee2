import fc from 'fast-check';
import { createManualClock } from '#kit/manual-clock.ts';
import { expect, test } from 'vitest';
import { walk, type Span } from './walk.ts';

const times = fc.record({ from: fc.integer({ min: 0, max: 1e12 }), length: fc.integer({ min: 1, max: 1e11 }) });

test.each(['back', 'forth'] as const)('pieces meet without gap or overlap, going %s', async (direction) => {
  await fc.assert(
    fc.asyncProperty(times, async ({ from, length }) => {
      const pieces: Span[] = [];
      const range = { from, to: from + length };
      const left = await walk(range, { clock: createManualClock(), budgetMs: 1, direction }, async (span) => {
        pieces.push(span);
        return true;
      });
      if (direction === 'back') pieces.reverse();
      expect(pieces[0]?.from).toBe(range.from);
      expect(pieces.at(-1)?.to).toBe(range.to);
      for (const [index, span] of pieces.entries()) {
        expect(span.from).toBeLessThan(span.to);
        if (index > 0) expect(span.from).toBe(pieces[index - 1]?.to);
      }
      expect(left.from).toBe(left.to);
      expect(pieces.length).toBeLessThan(20);
    }),
  );
});

test('what is left says where the walk ended', async () => {
  const clock = createManualClock();
  const ended = await walk({ from: 0, to: 1e9 }, { clock, budgetMs: 1e3, direction: 'back' }, async () => false);
  expect(ended).toEqual({ from: 0, to: 1e9 - 60_000 });
  const late = await walk({ from: 0, to: 1e9 }, { clock, budgetMs: 1e3, direction: 'back' }, async () => {
    await clock.advance(600);
    return true;
  });
  expect(late).toEqual({ from: 0, to: 1e9 - 75_000 });
});

test('an empty range has no pieces', async () => {
  const options = { clock: createManualClock(), budgetMs: 1e3, direction: 'back' } as const;
  expect(await walk({ from: 5, to: 5 }, options, () => Promise.reject(new Error('visited')))).toEqual({
    from: 5,
    to: 5,
  });
});
