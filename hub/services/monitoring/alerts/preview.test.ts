import { expect, test } from 'vitest';
import type { SeriesPoints } from '../../../ports/series.ts';
import { replay } from './preview.ts';

const MINUTE = 60_000;

function points(pairs: readonly (readonly [min: number, max: number])[]): SeriesPoints {
  return {
    name: 'system.cpu.busy',
    kind: 'gauge',
    attributes: { core: '1' },
    times: pairs.map((_, i) => i * MINUTE),
    avg: pairs.map(([min, max]) => (min + max) / 2),
    min: pairs.map(([min]) => min),
    max: pairs.map(([, max]) => max),
    last: pairs.map(([, max]) => max),
  };
}
const LIMITS = { operator: 'gt', threshold: 0.9, clear: undefined, forMs: 0, keepMs: 0 } as const;

test('a rule that fires at once would have fired in each minute with one bad sample', () => {
  const found = replay('web-1', points([[0.1, 0.2], [0.1, 0.95], [0.1, 0.2]]), LIMITS); // prettier-ignore
  expect(found).toEqual([
    { resource: 'web-1', attributes: { core: '1' }, fromMs: MINUTE, toMs: 2 * MINUTE, peak: 0.95 },
  ]);
});

test('a rule that needs five bad minutes would not have fired for single spikes', () => {
  const spikes = points(Array.from({ length: 10 }, () => [0.1, 0.99] as const));
  expect(replay('web-1', spikes, { ...LIMITS, forMs: 5 * MINUTE })).toEqual([]);
  const busy = points(Array.from({ length: 10 }, () => [0.92, 0.99] as const));
  expect(replay('web-1', busy, { ...LIMITS, forMs: 5 * MINUTE })).toMatchObject([{ fromMs: 5 * MINUTE, toMs: null }]);
});
