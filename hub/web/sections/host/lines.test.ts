import { describe, expect, test } from 'vitest';
import { createBuffer } from '../../chart/buffer.ts';
import { CHARTS } from './charts.ts';
import { feed, highest, targetsOf } from './feed.ts';
import { headlineOf } from './headline.ts';
import { batchesOf, chartsOf, keepSame, type Series } from './lines.ts';

const T0 = 1_800_000_000_000;
const gauge = (name: string, attributes: Record<string, string> = {}, unit = '1'): Series => ({
  name,
  kind: 'gauge',
  unit,
  attributes,
});
const PICKS = CHARTS.flatMap(({ picks }) => picks);
const modes = ['idle', 'user', 'system'].map((mode) => gauge('system.cpu.utilization', { 'cpu.mode': mode }));
const core = gauge('system.cpu.utilization', { 'cpu.mode': 'user', 'cpu.logical_number': '0' });

describe('charts of a host', () => {
  test('are those that it has series for, with lines in a fixed order', () => {
    const charts = chartsOf(CHARTS, [...modes, core]);
    expect(charts.map(({ definition }) => definition.id)).toEqual(['cpu']);
    expect(charts[0]?.lines.map(({ label, color }) => [label, color])).toEqual([
      ['user', 0],
      ['system', 1],
    ]);
  });

  test('draw counters as rates, and cores by their number', () => {
    const cores = ['10', '9'].map((number) => gauge('system.cpu.busy', { 'cpu.logical_number': number }));
    const disk: Series = {
      name: 'system.disk.io',
      kind: 'counter',
      unit: 'By',
      attributes: { 'system.device': 'vda', 'disk.io.direction': 'read' },
    };
    const charts = chartsOf(CHARTS, [...cores, disk]);
    expect(charts.map(({ unit }) => unit)).toEqual(['1', 'By/s']);
    expect(charts[0]?.lines.map(({ label }) => label)).toEqual(['core 9', 'core 10']);
  });

  test('stay the objects that they were while their lines are the same', () => {
    const before = chartsOf(CHARTS, [...modes, gauge('system.cpu.load_average.1m')]);
    expect(keepSame(before, chartsOf(CHARTS, [...modes, gauge('system.cpu.load_average.1m')]))).toBe(before);
    const more = [...modes, gauge('system.cpu.load_average.1m'), gauge('system.cpu.load_average.5m')];
    const after = keepSame(before, chartsOf(CHARTS, more));
    expect([after[0] === before[0], after[1] === before[1]]).toEqual([true, false]);
  });

  test('have ids of their own', () => {
    expect(new Set(CHARTS.map(({ id }) => id)).size).toBe(CHARTS.length);
  });

  test('ask for names that split alike in one call', () => {
    const charts = chartsOf(CHARTS, [
      gauge('system.linux.memory.available'),
      gauge('system.cpu.load_average.1m'),
      ...modes,
    ]);
    const batches = batchesOf(charts);
    expect(batches).toHaveLength(2);
    expect(batches[0]).toMatchObject({ by: ['cpu.mode'], without: 'cpu.logical_number' });
    expect(batches[1]?.names).toContain('system.linux.memory.available');
  });
});

describe('the stream', () => {
  const named = [
    gauge('system.filesystem.utilization', { 'system.filesystem.mountpoint': '/', 'system.device': 'a' }),
    gauge('system.filesystem.utilization', { 'system.filesystem.mountpoint': '/', 'system.device': 'b' }),
    gauge('process.memory.usage', { 'process.executable.name': 'node' }, 'By'),
  ].map((series, index) => ({ ...series, index }));
  const key = 'system.filesystem.utilization /';

  test('brings values to their lines, and merges what is one line as the catalogue says', () => {
    const buffer = createBuffer({ stepMs: 1000, spanMs: 60_000 });
    feed(buffer, targetsOf(named, PICKS), { resource: 'h', timeMs: T0, values: [[0, 0.4], [1, 0.6], [2, 9], [77, 1]] }); // prettier-ignore
    expect(buffer.newest(key)).toBe(0.6);
    expect(buffer.newest('process.memory.usage node')).toBe(9);
  });

  test('tells which lines were highest', () => {
    const buffer = createBuffer({ stepMs: 1000, spanMs: 60_000 });
    for (const [name, value] of [['a', 1], ['b', 5], ['c', 3]] as const) buffer.add(name, T0, value); // prettier-ignore
    expect(highest(buffer, ['a', 'b', 'c', 'd'], { from: T0, to: T0, most: 2 })).toEqual(['b', 'c']);
  });

  test('gives the headline numbers, without what was not measured for a while', () => {
    const at = (value: number, timeMs: number) => ({ value, timeMs });
    const newest = new Map([[0, at(0.9, T0 - 120_000)], [1, at(0.4, T0)]]); // prettier-ignore
    expect(headlineOf(named, newest, T0)).toEqual({ disk: 0.4, fullest: '/' });
    expect(headlineOf(named, newest, T0 - 100_000)).toEqual({ disk: 0.9, fullest: '/' });
    expect(headlineOf(named, new Map(), T0)).toEqual({});
  });
});
