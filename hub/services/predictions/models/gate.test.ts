import { expect, test } from 'vitest';
import { mayBeFeature, MOST_CHOSEN } from '../../../../plugins/models/index.ts';
import { chooseColumns, rowsThere, type Column } from './features.ts';
import { gateOf } from './gate.ts';
import { isBetter } from './upkeep.ts';

test('a model passes its gate when it alerts seldom on enough rows that it has not seen, and hardly more often than the champion', () => {
  const good = { rows: 1000, alerts: 0.012, high: 0.02 };
  const passes = (trial: Partial<typeof good>, champion?: typeof good): boolean =>
    gateOf({ ...good, ...trial }, champion).passed;
  expect(passes({})).toBe(true);
  expect(passes({ rows: 179 })).toBe(false);
  expect(passes({ alerts: 0.031 })).toBe(false);
  expect(passes({ high: 0.11 })).toBe(false);
  expect(passes({}, { ...good, alerts: 0.009 })).toBe(true);
  expect(passes({ alerts: 0.02 }, { ...good, alerts: 0.01 })).toBe(false);
  // One that hardly ever alerts is no reason to refuse what alerts as often as it is made to.
  expect(passes({ alerts: 0.01 }, { ...good, alerts: 0 })).toBe(true);
  expect(gateOf({ ...good, alerts: 0.5 }).checks.find(({ passed }) => !passed)?.words).toContain('50.0 %');
});

test('a shadow judges when it alerted hardly more often than the champion in half a day of windows', () => {
  expect(isBetter({ windows: 4319, champion: 10, shadow: 0 })).toBeUndefined();
  expect(isBetter({ windows: 8640, champion: 80, shadow: 100 })).toBe(true);
  expect(isBetter({ windows: 8640, champion: 80, shadow: 101 })).toBe(false);
  expect(isBetter({ windows: 8640, champion: 0, shadow: 86 })).toBe(true);
});

test('a model looks at series that are there and move, totals before their parts, and at no more than it can', () => {
  const column = (name: string, attributes: Record<string, string> = {}) => ({ name, attributes, kind: 'gauge' as const }); // prettier-ignore
  const columns = [
    column('part', { core: '1' }),
    column('still'),
    column('seldom'),
    column('whole'),
    column('gone-with-all'),
  ];
  const rows = [
    [1, 2, 3, 4, NaN],
    [5, 5, 5, 5, NaN],
    [1, NaN, NaN, 2, NaN],
    [1, 2, 3, 4, NaN],
    [1, 2, 2, 1, NaN],
  ];
  const choose = (of: readonly Column[], values: Float32Array) => chooseColumns({ columns: of, values }, rowsThere({ columns: of, values })); // prettier-ignore
  expect(choose(columns, Float32Array.from(rows.flat())).map(({ name }) => name)).toEqual([
    'gone-with-all',
    'whole',
    'part',
  ]);
  const many = Array.from({ length: 300 }, (_, n) => column(`m${n}`));
  expect(choose(many, Float32Array.from(many.flatMap((_, n) => [n, n + 1])))).toHaveLength(MOST_CHOSEN);
  expect(choose([], new Float32Array())).toEqual([]);
  expect(mayBeFeature(column('outrider.agent.cpu'))).toBe(false);
  expect(mayBeFeature(column('a', { 'outrider.aggregate': 'min' }))).toBe(false);
  expect(mayBeFeature(column('a', { x: 'y'.repeat(1001) }))).toBe(false);
  expect(mayBeFeature(column('a', { x: 'y' }))).toBe(true);
});
