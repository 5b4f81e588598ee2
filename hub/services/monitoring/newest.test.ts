import { expect, test } from 'vitest';
import { AGGREGATE_ATTRIBUTE } from '#proto/metrics.ts';
import { createNewest } from './newest.ts';

test('the companions of a gauge that an agent folded are no live series: its average is', () => {
  const newest = createNewest();
  const busy = { name: 'system.cpu.busy', kind: 'gauge' } as const;
  const companions = ['min', 'max'].map((aggregate) => ({ ...busy, attributes: { [AGGREGATE_ATTRIBUTE]: aggregate } }));
  newest.learn([{ id: 1n, series: [{ ...busy, attributes: {} }, ...companions] }]);
  const { changed } = newest.take([{ table: 1n, timeMs: 1000, values: Float64Array.of(0.5, 0, 1) }], true);
  expect(changed.map(({ attributes, value }) => [attributes, value])).toEqual([[{}, 0.5]]);
  expect(newest.series).toHaveLength(1);
});
