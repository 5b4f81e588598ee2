import { expect, test } from 'vitest';
import type { Span } from '../../chart/line.ts';
import { CHARTS } from './charts.ts';
import { marksOf } from './firings.ts';
import { chartsOf, type Series } from './lines.ts';
import {
  barsOf, contextMarks, heardOf, JUDGED, SCORE, scoreBatchesOf, scoreTargetsOf, stretchesOf, unusualOf, type AnomalyEvent, type Stretch,
} from './unusual.ts'; // prettier-ignore

const T0 = 1_800_000_000_000;
const CPU = 'system.cpu.utilization';
const USER = { 'cpu.mode': 'user' };
const definitions = ['cpu', 'memory', 'container-cpu'].map((id) => CHARTS.find((chart) => chart.id === id)!);
const series = (name: string, attributes: Record<string, string>): Series => ({ name, kind: 'gauge', unit: '1', attributes }); // prettier-ignore
const score = (metric: string, attributes: Record<string, string>) => series(SCORE, { [JUDGED]: metric, ...attributes }); // prettier-ignore
const charts = chartsOf(definitions, [
  series(CPU, USER), series(CPU, { 'cpu.mode': 'system' }), series('system.memory.usage', { 'system.memory.state': 'used' }),
]); // prettier-ignore
const stretch = (key: string, from: number, to: number, score: number): Stretch => ({ key, fromMs: T0 + from * 1000, toMs: T0 + to * 1000, score }); // prettier-ignore
const event = (of: Partial<AnomalyEvent>): AnomalyEvent => ({
  ...{ id: 'a', kind: 'host', startMs: T0, endMs: T0 + 60_000, score: 0.7 },
  ...{ causes: [{ metric: CPU, attributes: USER }], contexts: [] },
  ...of,
});
const times = (spans: readonly Span[] | undefined) =>
  spans?.map(({ fromMs, toMs }) => [(fromMs - T0) / 1000, toMs === undefined ? undefined : (toMs - T0) / 1000]);

test('a chart has the strange times of the lines that it shows, those that touch as one, as tall as the strangest', () => {
  const found = unusualOf(
    charts,
    [
      stretch(`${CPU} user`, 10, 20, 0.75), stretch(`${CPU} system`, 0, 10, 0.5), stretch(`${CPU} user`, 80, 91, 1),
      stretch(`${CPU} idle`, 40, 50, 1), stretch('system.disk.io sda read', 0, 10, 0.9),
    ],
    [],
  ); // prettier-ignore
  expect(Object.keys(found)).toEqual(['cpu']);
  expect(times(found['cpu'])).toEqual([[0, 20], [80, 91]]); // prettier-ignore
  expect(found['cpu']?.map(({ weight }) => weight)).toEqual([0.5, 1]);
  expect(found['cpu']?.[0]?.label).toBe('unusual: 0.75 of 1');
});

test('a line that is shown alone has its own strange times alone; other charts keep theirs', () => {
  const stretches = [
    stretch(`${CPU} user`, 0, 10, 0.7), stretch(`${CPU} system`, 40, 50, 0.9), stretch('system.memory.usage used', 5, 15, 0.9),
  ]; // prettier-ignore
  const found = unusualOf(charts, stretches, [], `cpu:${CPU} system`);
  expect(times(found['cpu'])).toEqual([[40, 50]]);
  expect(times(found['memory'])).toEqual([[5, 15]]);
});

test('an event stands in where no scores of the chart are kept, in the charts of its causes', () => {
  const events = [
    event({ id: 'old', startMs: T0, endMs: T0 + 20_000 }),
    event({ id: 'scored', startMs: T0 + 50_000, endMs: T0 + 60_000 }),
    event({ id: 'open', startMs: T0 + 90_000, endMs: null }),
    event({ id: 'idle', startMs: T0, endMs: null, causes: [{ metric: CPU, attributes: { 'cpu.mode': 'idle' } }] }),
    event({ id: 'core', startMs: T0, endMs: null, causes: [{ metric: CPU, attributes: { ...USER, 'cpu.logical_number': '1' } }] }),
  ]; // prettier-ignore
  const found = unusualOf(charts, [stretch(`${CPU} user`, 55, 65, 0.9)], events);
  expect(Object.keys(found)).toEqual(['cpu']);
  expect(times(found['cpu'])).toEqual([[55, 65], [0, 20], [90, undefined]]); // prettier-ignore
  expect(found['cpu']?.[1]?.label).toBe('in an event: 0.70 of 1');
});

test('scores are asked for as the history of the lines is, and only where there was one', () => {
  const told = [score(CPU, USER), score(CPU, { ...USER, 'cpu.logical_number': '0' }), score('container.cpu.utilization', { 'container.id': 'c', 'container.name': 'web' })]; // prettier-ignore
  expect(scoreBatchesOf(definitions, told)).toEqual([
    { names: [CPU], by: ['cpu.mode'], without: 'cpu.logical_number' },
    { names: ['container.cpu.utilization'], by: ['container.name'], without: undefined },
  ]);
  expect(scoreBatchesOf(definitions, [series(CPU, USER)])).toEqual([]);
});

test('what the hub keeps of a batch becomes stretches of its lines, those of other metrics do not', () => {
  const batch = { names: [CPU], by: ['cpu.mode'], without: 'cpu.logical_number' };
  const scores = (metric: string) => ({ attributes: { [JUDGED]: metric, ...USER }, times: [T0 + 10_000, T0 + 20_000], max: [0.49, 0.5] }); // prettier-ignore
  expect(stretchesOf(batch, [scores(CPU), scores('system.cpu.busy')], 2000)).toEqual([stretch(`${CPU} user`, 10, 22, 0.5)]); // prettier-ignore
});

test('live scores are of the ten seconds before them, and two in a row are one', () => {
  const live = [score(CPU, USER), score(CPU, { 'cpu.mode': 'idle' }), series('outrider.other', { [JUDGED]: CPU, ...USER })].map((one, index) => ({ ...one, index })); // prettier-ignore
  const targets = scoreTargetsOf(live, definitions);
  expect([...targets]).toEqual([[0, [`${CPU} user`]]]);
  const heard = [10_000, 20_050].flatMap((ms) => heardOf(targets, { timeMs: T0 + ms, values: [[0, 0.6], [1, 0.9], [2, 0.9]] })); // prettier-ignore
  expect(times(unusualOf(charts, heard, [])['cpu'])).toEqual([[0, 21.05]]);
  expect(heardOf(targets, { timeMs: T0, values: [[0, 0.4]] })).toEqual([]);
});

test('what was done to the host stands in all charts, once however many events name it', () => {
  const context = { kind: 'deploy', name: 'shop 4.2', fromMs: T0 + 5, toMs: null };
  const reboot = { kind: 'reboot', name: 'the machine started', fromMs: T0, toMs: null };
  const marks = contextMarks([event({ contexts: [context] }), event({ id: 'b', contexts: [context, reboot] })]);
  expect(marks.map(({ atMs, label }) => [atMs - T0, label])).toEqual([
    [0, 'the machine started'],
    [5, 'deploy shop 4.2'],
  ]);
  const firing = { firedMs: T0 + 2, resolvedMs: null, severity: 'warning', title: 'busy', metric: 'system.cpu.utilization' } as const; // prettier-ignore
  const all = marksOf(charts, [firing], marks);
  expect(all['cpu']?.map(({ label }) => label)).toEqual(['the machine started', 'busy', 'deploy shop 4.2']);
  expect(all['memory']).toHaveLength(2);
});

test('events are bars where they lie in the shown time; those outside of it are left out', () => {
  const shown = { from: T0, to: T0 + 100_000 };
  const bars = barsOf(
    [
      event({ id: 'open', startMs: T0 + 50_000, endMs: null }),
      event({ id: 'before', startMs: T0 - 50_000, endMs: T0 + 25_000 }),
      event({ id: 'over', startMs: T0 - 50_000, endMs: T0 - 1 }),
      event({ id: 'later', startMs: T0 + 100_001 }),
      event({ id: 'line', kind: 'template-new', startMs: T0 + 99_000, endMs: T0 + 99_000 }),
      event({ id: 'lines', kind: 'log-sequence', startMs: T0 + 100_000, endMs: T0 + 100_000 }),
    ],
    shown,
  );
  expect(bars.map(({ id, left, width, isOpen }) => [id, left, width, isOpen])).toEqual([
    ['before', 0, 0.25, false],
    ['open', 0.5, 0.5, true],
    ['line', 0.99, 0, false],
    ['lines', 1, 0, false],
  ]);
  expect(bars[1]?.words).toBe('system.cpu.utilization, goes on, score 0.70');
  expect(bars[2]?.words).toMatch(/^new kind of log line/);
  expect(bars[3]?.words).toMatch(/^log lines unlike their past/);
});
