import { createHash } from 'node:crypto';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Kind, TableSchema } from '#proto/agent/v1/index.ts';
import { METRICS, type MetricName } from '#proto/metrics.ts';
import type { Attributes, ForeignMetric } from '#sdk';
import { createTableBuilder, tableOf, type MetricTable, type Row } from './table.ts';

type Sample = readonly [name: MetricName, value: number, attributes?: Attributes];

function run(builder: ReturnType<typeof createTableBuilder>, samples: readonly Sample[]): Row | undefined {
  for (const sample of samples) builder.emit(...sample);
  return builder.finish();
}

const readTable = ({ bytes }: MetricTable) => fromBinary(TableSchema, bytes);

/** What a reader of the wire would see: the values that were read, by series. */
function decode(row: Row | undefined): Map<string, number> {
  const found = new Map<string, number>();
  if (row === undefined) return found;
  const { series } = readTable(row.table);
  expect(series.length).toBe(row.values.length);
  series.forEach(({ name, attributes }, i) => {
    const value = row.values[i] ?? NaN;
    const key = JSON.stringify([name, Object.entries(attributes).sort()]);
    expect(found.has(key)).toBe(false);
    if (!Number.isNaN(value)) found.set(key, value);
  });
  return found;
}

const attributes = fc.option(fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2')), { nil: undefined });
const sample = fc.tuple(
  fc.constantFrom<MetricName>('system.cpu.busy', 'system.disk.io', 'system.uptime'),
  fc.oneof(fc.double(), fc.integer()),
  attributes,
);

test('whatever is emitted, the values decode back to the emitted pairs', () => {
  fc.assert(
    fc.property(fc.array(fc.array(sample, { maxLength: 12 }), { maxLength: 8 }), (runs) => {
      const builder = createTableBuilder();
      for (const samples of runs) {
        const told = new Map<string, number>();
        for (const [name, value, of = {}] of samples) {
          if (Number.isFinite(value)) told.set(JSON.stringify([name, Object.entries(of).sort()]), value);
        }
        expect(decode(run(builder, samples))).toEqual(told);
      }
    }),
  );
});

test('the table is the same object while no new series appears', () => {
  const builder = createTableBuilder();
  const core = { 'cpu.logical_number': '0' };
  const first = run(builder, [['system.cpu.busy', 0.1], ['system.cpu.busy', 0.2, core], ['system.uptime', 5]]); // prettier-ignore
  const same = run(builder, [['system.cpu.busy', 0.3], ['system.cpu.busy', 0.4, { ...core }], ['system.uptime', 6]]); // prettier-ignore
  const fewer = run(builder, [['system.uptime', 7]]);
  const shuffled = run(builder, [['system.uptime', 8], ['system.cpu.busy', 0.5, core]]); // prettier-ignore
  expect([same, fewer, shuffled].every((row) => row?.table === first?.table)).toBe(true);
  expect([...(same?.values ?? [])]).toEqual([0.3, 0.4, 6]);
  expect([...(fewer?.values ?? [])]).toEqual([NaN, NaN, 7]);
  expect([...(shuffled?.values ?? [])]).toEqual([NaN, 0.5, 8]);
});

test('values of one run are not those of the next', () => {
  const builder = createTableBuilder();
  const first = run(builder, [['system.uptime', 1]]);
  run(builder, [['system.uptime', 2]]);
  expect(first?.values[0]).toBe(1);
});

test('a new series makes a new table that keeps the others in place', () => {
  const builder = createTableBuilder();
  const first = run(builder, [['system.uptime', 1]]);
  const grown = run(builder, [['system.cpu.busy', 0.5], ['system.uptime', 2]]); // prettier-ignore
  expect(grown?.table.id).not.toBe(first?.table.id);
  expect(grown?.table.series.map(({ name }) => name)).toEqual(['system.uptime', 'system.cpu.busy']);
  expect([...(grown?.values ?? [])]).toEqual([2, 0.5]);
});

test('a series that was silent for a minute of runs is left out when the table is made anew', () => {
  const builder = createTableBuilder();
  const gone = { 'system.device': 'gone' };
  run(builder, [['system.disk.io', 1, gone], ['system.uptime', 1]]); // prettier-ignore
  for (let i = 0; i < 60; i++) run(builder, [['system.uptime', 1]]);
  const row = run(builder, [['system.uptime', 1], ['system.cpu.busy', 0]]); // prettier-ignore
  expect(row?.table.series.map(({ name }) => name)).toEqual(['system.uptime', 'system.cpu.busy']);
});

test('nothing was ever read: no row', () => {
  expect(run(createTableBuilder(), [['system.uptime', NaN]])).toBeUndefined();
});

test('the id is the hash of the encoded series, whatever the order of attributes', () => {
  const make = (of: Attributes) => tableOf([{ name: 'system.disk.io', kind: 'counter', attributes: of }]);
  const table = make({ a: '1', b: '2' });
  expect(make({ b: '2', a: '1' }).id).toBe(table.id);
  const { id, series } = readTable(table);
  expect([id, series[0]?.kind]).toEqual([table.id, Kind.COUNTER]);
  const bytes = toBinary(TableSchema, create(TableSchema, { series }));
  expect(table.id).toBe(createHash('sha256').update(bytes).digest().readBigUInt64LE(0));
  expect(make({ a: '1', b: '3' }).id).not.toBe(table.id);
});

test('the kind of a series is the one of the catalogue', () => {
  const names = Object.keys(METRICS) as MetricName[];
  const row = run(
    createTableBuilder(),
    names.map((name): Sample => [name, 1]),
  );
  expect(row?.table.series.map(({ kind }) => kind)).toEqual(names.map((name) => METRICS[name].kind));
});

test('a foreign metric keeps its own kind, and its name is cut to what the hub takes', () => {
  const builder = createTableBuilder();
  const requests: ForeignMetric = { name: 'http_requests_total', kind: 'counter' };
  builder.emit(requests, 7, { code: '200' });
  builder.emit({ name: 'x'.repeat(5000), kind: 'gauge' }, 1);
  const first = builder.finish();
  expect(first && readTable(first.table).series.map(({ name, kind }) => [name.length, kind])).toEqual([
    [19, Kind.COUNTER],
    [1024, Kind.GAUGE],
  ]);
  builder.emit(requests, 8, { code: '200' });
  expect([...(builder.finish()?.values ?? [])]).toEqual([8, NaN]);
});

test('series beyond what the hub takes are left out and told; silent ones make room for them', () => {
  const builder = createTableBuilder();
  const emitAll = (from: number): void => {
    for (let n = from; n < from + 10_500; n++) builder.emit('system.disk.io', n, { 'system.device': `d${n}` });
    builder.emit('outrider.collector.success', 1);
  };
  emitAll(0);
  expect(builder.isCrowded()).toBe(true);
  const row = builder.finish();
  expect(row?.values).toHaveLength(10_001);
  expect(row?.table.series.at(-1)?.name).toBe('outrider.collector.success');
  for (let runs = 0; runs < 61; runs++) run(builder, [['outrider.collector.success', 1]]);
  emitAll(20_000); // Nothing goes in yet, but those that were silent for a minute go out.
  builder.finish();
  emitAll(20_000);
  expect(builder.finish()?.table.series.some(({ attributes }) => attributes['system.device'] === 'd20000')).toBe(true);
  expect(builder.isCrowded()).toBe(false);
});

test('a text of an attribute that the hub would refuse is cut', () => {
  const row = run(createTableBuilder(), [['system.disk.io', 1, { 'system.device': 'x'.repeat(5000) }]]);
  expect(row && readTable(row.table).series[0]?.attributes['system.device']).toHaveLength(1024);
});
