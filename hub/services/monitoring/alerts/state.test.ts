import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  breaches, GAP_MS, GONE_MS, keepMs, NO_DATA_MS, OPERATORS, quiet, step, worse,
  type Change, type Limits, type SeriesState,
} from './state.ts'; // prettier-ignore

const LIMITS: Limits = { operator: 'gt', threshold: 10, clear: undefined, forMs: 0, keepMs: 0 };

/** Feeds one value a second (or the given pace) and gives every change with its second. */
function play(values: readonly number[], limits: Partial<Limits> = {}, paceMs = 1000) {
  let state: SeriesState | undefined;
  const changes: [number, Change][] = [];
  values.forEach((value, i) => {
    const next = step(state, value, i * paceMs, { ...LIMITS, ...limits });
    state = next.state;
    if (next.change !== undefined) changes.push([i, next.change]);
  });
  return { state, changes };
}

const times = (n: number, value: number): number[] => Array.from({ length: n }, () => value);

describe('a series under a rule', () => {
  test('fires at the first bad value when nothing must last, and is over at the first good one', () => {
    expect(play([1, 11, 12, 9]).changes).toEqual([
      [1, 'fired'],
      [3, 'resolved'],
    ]);
  });

  test('fires only after bad values without a break', () => {
    const bad = times(5, 11);
    expect(play([...bad, 9, ...bad, 11], { forMs: 5000 }).changes).toEqual([[11, 'fired']]);
  });

  test('does not count a pause as bad', () => {
    expect(play([11, 11], { forMs: 5000 }, GAP_MS + 1).changes).toEqual([]);
    expect(play([11, 11], { forMs: 5000 }, GAP_MS - 1).changes).toEqual([[1, 'fired']]);
  });

  test('stays firing between threshold and clear value', () => {
    expect(play([11, 9, 8.5, 8], { clear: 8 }).changes).toEqual([
      [0, 'fired'],
      [3, 'resolved'],
    ]);
  });

  test('is over only when values were good long enough', () => {
    expect(play([11, 9, 9, 11, 9, 9, 9, 9], { keepMs: 3000 }).changes).toEqual([
      [0, 'fired'],
      [7, 'resolved'],
    ]);
  });

  test('keeps its worst value', () => {
    expect(play([11, 40, 12]).state?.peak).toBe(40);
    expect(play([1, -4, 2], { operator: 'lt', threshold: 5 }).state?.peak).toBe(-4);
  });

  test('takes no notice of a value that is none', () => {
    expect(play([NaN, 11, NaN]).changes).toEqual([[1, 'fired']]);
  });
});

describe('a series that goes quiet', () => {
  const firing = play([11]).state as SeriesState;

  test('keeps firing, and says that it has no data', () => {
    expect(quiet(firing, NO_DATA_MS, false).state?.noData).toBe(false);
    const late = quiet(firing, NO_DATA_MS + 1, false);
    expect(late).toMatchObject({ state: { phase: 'firing', noData: true } });
    expect(late.change).toBeUndefined();
    expect(step(late.state, 12, NO_DATA_MS + 2, LIMITS).state?.noData).toBe(false);
  });

  test('is never closed while its host is silent, and closed aloud when its host lives', () => {
    expect(quiet(firing, GONE_MS * 100, false).change).toBeUndefined();
    expect(quiet(firing, GONE_MS + 1, true).change).toBe('gone');
  });

  test('starts anew when it was only pending', () => {
    const pending = play([11], { forMs: 5000 }).state as SeriesState;
    expect(quiet(pending, GAP_MS, false).state).toBe(pending);
    expect(quiet(pending, GAP_MS + 1, false).state).toBeUndefined();
  });

  test('is forgotten an hour after it was over', () => {
    const idle = play([11, 9]).state as SeriesState;
    expect(quiet(idle, 1_800_000, true).state).toBeDefined();
    expect(quiet(idle, 3_600_001, true).state).toBeUndefined();
  });
});

describe('whatever the values', () => {
  const values = fc.array(fc.double({ min: 0, max: 20, noNaN: true }), { maxLength: 200 });
  const limits = fc.record({
    operator: fc.constantFrom(...OPERATORS),
    threshold: fc.constant(10),
    clear: fc.constant(undefined),
    forMs: fc.integer({ min: 0, max: 10_000 }),
    keepMs: fc.integer({ min: 0, max: 10_000 }),
  });

  test('firing and resolved alternate, and each follows from the values before it', () => {
    fc.assert(
      fc.property(values, limits, (series, rule) => {
        const { changes } = play(series, rule);
        changes.forEach(([at, change], i) => {
          expect(change).toBe(i % 2 === 0 ? 'fired' : 'resolved');
          const bad = breaches(rule.operator, series[at] ?? NaN, 10);
          expect(bad).toBe(change === 'fired');
          if (change !== 'fired') return;
          const need = Math.ceil(rule.forMs / 1000);
          for (let j = at - need; j <= at; j++) expect(breaches(rule.operator, series[j] ?? NaN, 10)).toBe(true);
        });
      }),
    );
  });

  test('a series that flaps for an hour tells at most nine times', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 3600, maxLength: 3600 }), (bits) => {
        const fired = play(bits.map((bit) => (bit ? 11 : 9))).changes.filter(([, change]) => change === 'fired');
        expect(fired.length).toBeLessThanOrEqual(9);
      }),
      { numRuns: 20 },
    );
    const slow = Array.from({ length: 3600 }, (_, i) => (i % 70 === 0 ? 11 : 9));
    expect(play(slow).changes.filter(([, change]) => change === 'fired').length).toBeLessThanOrEqual(9);
  });

  test('the time to be good never shrinks with more firings, and ends at a quarter of an hour', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), (n) => {
        expect(keepMs(LIMITS, n + 1)).toBeGreaterThanOrEqual(keepMs(LIMITS, n));
        expect(keepMs(LIMITS, n)).toBeLessThanOrEqual(900_000);
      }),
    );
    expect(worse('lte', 1, 2)).toBe(1);
  });
});
