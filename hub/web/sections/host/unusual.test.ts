import { expect, test } from 'vitest';
import { CHARTS } from './charts.ts';
import { marksOf } from './firings.ts';
import type { HostChart } from './lines.ts';
import { barsOf, contextMarks, unusualOf, type AnomalyEvent } from './unusual.ts';

const T0 = 1_800_000_000_000;
const charts = ['cpu', 'memory'].map((id): HostChart => ({ definition: CHARTS.find((chart) => chart.id === id)!, help: '', unit: '1', lines: [] })); // prettier-ignore
const scores = (metric: string, points: readonly (readonly [seconds: number, score: number])[]) => ({
  attributes: { 'outrider.metric': metric },
  times: points.map(([seconds]) => T0 + seconds * 1000),
  max: points.map(([, score]) => score),
});
const event = (of: Partial<AnomalyEvent>): AnomalyEvent => ({
  ...{ id: 'a', kind: 'host', startMs: T0, endMs: T0 + 60_000, score: 0.7 },
  ...{ causes: [{ metric: 'system.cpu.utilization' }], contexts: [] },
  ...of,
});

test('a chart has the strange times of its own metrics, those that touch as one, as tall as the strangest', () => {
  const found = unusualOf(
    charts,
    [scores('system.cpu.utilization', [[10, 0.5], [20, 0.75], [60, 0.49], [90, 1]]), scores('system.disk.io', [[10, 0.9]])],
    1000,
  ); // prettier-ignore
  expect(Object.keys(found)).toEqual(['cpu']);
  expect(found['cpu']?.map(({ fromMs, toMs, weight }) => [fromMs - T0, (toMs ?? NaN) - T0, weight])).toEqual([
    [0, 21_000, 0.5],
    [80_000, 91_000, 1],
  ]);
  expect(found['cpu']?.[0]?.label).toBe('unusual: 0.75 of 1');
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
