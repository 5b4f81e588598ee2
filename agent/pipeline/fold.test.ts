import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MetricBlock } from '../schedule.ts';
import { tableOf, type MetricTable } from '../table.ts';
import { createFolder } from './fold.ts';

const START = 1_750_000_000_000;
const table = tableOf([
  { name: 'system.cpu.busy', kind: 'gauge', attributes: {} },
  { name: 'system.disk.io', kind: 'counter', attributes: { 'system.device': 'sda' } },
]);
const run = (second: number, values: number[], of: MetricTable = table): MetricBlock => ({
  collector: 'a',
  timeMs: START + 1000 * second,
  table: of,
  values: Float64Array.from(values),
});
const described = ({ table: { series }, values }: MetricBlock) =>
  series.map(({ name, attributes }, place) => [name, attributes['outrider.aggregate'] ?? '', values[place]]);

test('ten seconds of a gauge become its average, minimum and maximum; a counter keeps its last value and time', () => {
  const folder = createFolder();
  for (let second = 0; second < 10; second++) {
    const values = [second === 4 ? 1 : second === 7 ? 0.2 : 0.1, 100 + second];
    expect(folder.add(run(second, values))).toEqual([]);
  }
  const [done] = folder.add(run(10, [0, 0]));
  expect(done?.runs).toBe(10);
  expect(done?.block.timeMs).toBe(START + 9000);
  expect(described(done?.block ?? run(0, []))).toEqual([
    ['system.cpu.busy', '', expect.closeTo(0.2)],
    ['system.disk.io', '', 109],
    ['system.cpu.busy', 'min', 0.1],
    ['system.cpu.busy', 'max', 1],
  ]);
});

test('windows lie on the wall clock; one that nobody adds to any more is taken when it has ended', () => {
  const folder = createFolder();
  for (let second = 0; second < 10; second++) folder.add(run(second, [1, 1]));
  expect(folder.take(START + 9999)).toEqual([]);
  expect(folder.take(START + 10_000)).toHaveLength(1);
  expect(folder.take()).toEqual([]);
});

test('a few runs stay as they are', () => {
  const folder = createFolder();
  for (const second of [0, 5]) folder.add(run(second, [second, second]));
  expect(folder.take().map(({ block }) => [...block.values])).toEqual([
    [0, 0],
    [5, 5],
  ]);
});

test('values that are missing count for nothing, and a series without any has none', () => {
  const folder = createFolder();
  for (let second = 0; second < 10; second++) folder.add(run(second, [second % 2 === 0 ? NaN : 4, NaN]));
  expect(described(folder.take()[0]?.block ?? run(0, []))).toEqual([
    ['system.cpu.busy', '', 4],
    ['system.disk.io', '', NaN],
    ['system.cpu.busy', 'min', 4],
    ['system.cpu.busy', 'max', 4],
  ]);
});

test('a table that changes, or a clock that is set back, ends the window', () => {
  const folder = createFolder();
  const other = tableOf([{ name: 'system.uptime', kind: 'gauge', attributes: {} }]);
  for (const second of [0, 1, 2, 3]) folder.add(run(second, [1, 1]));
  expect(folder.add(run(4, [1], other)).map(({ runs }) => runs)).toEqual([4]);
  expect(folder.add(run(-30, [1], other)).map(({ runs }) => runs)).toEqual([1]);
});

test('a table with companions is never larger than what the hub takes', () => {
  const series = Array.from({ length: 10_000 }, (_one, n) => ({
    name: 'system.cpu.busy',
    kind: 'gauge' as const,
    attributes: { n: `${n}` },
  }));
  const large = tableOf(series);
  const folder = createFolder();
  for (let second = 0; second < 10; second++)
    folder.add(
      run(
        second,
        Array.from({ length: 10_000 }, () => 1),
        large,
      ),
    );
  const [done] = folder.take();
  expect(done?.block.table.series).toHaveLength(20_000);
  expect(done?.block.values.every((value) => value === 1)).toBe(true);
});

test('whatever the values, nothing lies outside what was read and every run is accounted for', () => {
  const value = fc.oneof(fc.double({ min: -1e9, max: 1e9, noNaN: true }), fc.constant(NaN));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(3), value, value), { maxLength: 60 }), (runs) => {
      const folder = createFolder();
      let second = 0;
      const done = runs.flatMap(([later, gauge, counter]) => folder.add(run((second += later), [gauge, counter])));
      const all = [...done, ...folder.take()];
      expect(all.reduce((sum, one) => sum + one.runs, 0)).toBe(runs.length);
      for (const { block, runs: count } of all) {
        const [avg = NaN, , min = NaN, max = NaN] = block.values;
        if (count <= 3 || Number.isNaN(avg)) continue;
        expect(avg).toBeGreaterThanOrEqual(min - 1e-3);
        expect(avg).toBeLessThanOrEqual(max + 1e-3);
      }
    }),
  );
});
