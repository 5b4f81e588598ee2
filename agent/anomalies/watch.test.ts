import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '#sdk';
import { tableOf, type Series } from '../table.ts';
import { createDetector } from '../scoring/index.ts';
import { readMemory, writeMemory } from './memory.ts';
import { createWatch, keyOfSeries, type Window } from './watch.ts';

const START = Date.UTC(2026, 10, 27);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-anomalies-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const SERIES: readonly Series[] = [
  { name: 'system.cpu.busy', kind: 'gauge', attributes: {} },
  { name: 'system.disk.io', kind: 'counter', attributes: { 'system.device': 'sda' } },
  { name: 'outrider.agent.cpu.time', kind: 'counter', attributes: {} },
  { name: 'process.memory.usage', kind: 'gauge', attributes: { 'process.executable.name': 'outrider-agent' } },
];
const table = tableOf(SERIES);

/** A noise that is the same in each run. */
const noise = (second: number): number => Math.sin(second * 12.9898) * Math.cos(second * 78.233);

/** Plays seconds of a host and gives the windows that ended. */
function play(watch: ReturnType<typeof createWatch>, from: number, to: number, lift = 0): Window[] {
  const windows: Window[] = [];
  for (let second = from; second < to; second++) {
    const values = Float64Array.of(
      0.2 + 0.02 * noise(second) + lift,
      1000 * second + 50 * noise(second),
      second,
      second,
    );
    const window = watch.look({ collector: 'a', timeMs: START + 1000 * second, table, values });
    if (window !== undefined) windows.push(window);
  }
  return windows;
}

test('a window has what was strange in it, with the value and what was usual; the agent’s own doing is not judged', () => {
  const watch = createWatch({ detector: createDetector(), known: new Map() });
  const calm = play(watch, 0, 4000);
  expect(watch.size()).toBe(2);
  expect(calm).toHaveLength(399);
  expect(calm.at(-1)).toMatchObject({ endMs: START + 3_990_000, judged: 2, speakers: [] });
  const strange = play(watch, 4000, 4040, 0.6);
  const [speaker] = strange.at(-1)?.speakers ?? [];
  expect(speaker).toMatchObject({ series: SERIES[0], direction: 1 });
  expect(speaker?.value).toBeCloseTo(0.8, 1);
  expect(speaker?.usual).toBeGreaterThan(0.15);
  expect(speaker?.usual).toBeLessThan(0.4);
});

test('a window tells what each series was like: the average of a gauge, the rate of a counter; nothing of one without a sample', () => {
  const watch = createWatch({ detector: createDetector(), known: new Map() });
  const disk = keyOfSeries(SERIES[1]!);
  const seen: [cpu: number, disk: number, all: string[]][] = [];
  for (let second = 0; second < 41; second++) {
    const cpu = second < 20 ? second : NaN;
    const window = watch.look({ collector: 'a', timeMs: START + 1000 * second, table, values: Float64Array.of(cpu, 50 * second, 1) }); // prettier-ignore
    if (window === undefined) continue;
    const all = [...window.values()].map(([series, value]) => `${series.name} ${value}`);
    seen.push([window.valueOf('system.cpu.busy'), window.valueOf(disk), all]);
    expect(window.valueOf('system.nothing')).toBeNaN();
    expect(window.valueOf('outrider.agent.cpu.time')).toBeNaN();
  }
  expect(seen).toEqual([
    [4.5, NaN, ['system.cpu.busy 4.5']],
    [14.5, NaN, ['system.cpu.busy 14.5']], // A rate is first known after two windows.
    [NaN, 50, ['system.disk.io 50']],
    [NaN, 50, ['system.disk.io 50']],
  ]);
});

test('a slow collector closes no window early; a clock that was set back begins anew', () => {
  const watch = createWatch({ detector: createDetector(), known: new Map() });
  const slow = tableOf([{ name: 'system.disk.health', kind: 'gauge', attributes: {} }]);
  const ends: number[] = [];
  const note = (window: Window | undefined): void => void (window !== undefined && ends.push((window.endMs - START) / 1000)); // prettier-ignore
  for (let second = 0; second < 60; second++) {
    note(watch.look({ collector: 'a', timeMs: START + 1000 * second, table, values: Float64Array.of(1, second, 1) }));
    if (second === 45) note(watch.look({ collector: 'b', timeMs: START + 12_000, table: slow, values: Float64Array.of(1) })); // prettier-ignore
  }
  expect(ends).toEqual([10, 20, 30, 40, 50]);
  ends.length = 0;
  for (let second = -3600; second < -3540; second++)
    note(watch.look({ collector: 'a', timeMs: START + 1000 * second, table, values: Float64Array.of(1, second, 1) }));
  expect(ends).toEqual([60, -3580, -3570, -3560, -3550]);
});

test('a series that still comes is never forgotten for one that is new, and who comes again has a place', () => {
  const known = new Map(Array.from({ length: 20_000 }, (_, n) => [`old.${n}`, { place: 0, seenMs: START }] as const));
  const detector = createDetector();
  for (const [, one] of known) Object.assign(one, { place: detector.add('gauge') });
  const watch = createWatch({ detector, known });
  const [kept, other] = [['old.0'], ['new.0']].map(([name]) =>
    tableOf([{ name: name!, kind: 'gauge', attributes: {} }]),
  );
  const day = 86_400_000;
  for (let n = 0; n < 10; n++) watch.look({ collector: 'a', timeMs: START + n * day, table: kept!, values: Float64Array.of(1) }); // prettier-ignore
  watch.look({ collector: 'a', timeMs: START + 9 * day + 20_000, table: other!, values: Float64Array.of(1) });
  expect([...known.keys()]).toEqual(['old.0', 'new.0']);
});

test('a series whose threshold people moved is so much less surprising, also one that has yet to come', () => {
  const shifted = (nats: number) => new Map([['system.cpu.busy', nats]]);
  const loudest = (windows: readonly Window[]) =>
    windows.flatMap(({ speakers }) => speakers).reduce((a, b) => (a.nats >= b.nats ? a : b));
  const [plain, raised, later] = [0, 3, 3].map((nats, n) => {
    const watch = createWatch({ detector: createDetector(), known: new Map() });
    if (n === 2) watch.shift(shifted(nats));
    play(watch, 0, 4000);
    if (n !== 2) watch.shift(shifted(nats));
    return loudest(play(watch, 4000, 4040, 0.6));
  });
  expect(plain?.nats).toBeGreaterThan(9);
  expect(raised?.nats).toBeCloseTo((plain?.nats ?? NaN) - 3, 9);
  expect(raised?.score).toBeLessThan(plain?.score ?? 0);
  expect(later).toEqual(raised);
});

test('what was learnt survives a restart: the next agent judges at once, and the same', () => {
  const first = readMemory(folder, silentLogger, START);
  play(createWatch(first), 0, 4000);
  first.host.windows = 399;
  writeMemory(folder, first);
  const next = readMemory(folder, silentLogger, START + 4_000_000);
  expect(next).toMatchObject({ sinceMs: START, host: first.host, known: first.known });
  const [before, after] = [createWatch(first), createWatch(next)].map((watch) =>
    play(watch, 4000, 4060, 0.6).map(({ endMs, judged, speakers }) => ({ endMs, judged, speakers })),
  );
  expect(after).toEqual(before);
  expect(after?.at(-1)?.speakers).not.toEqual([]);
});

test.each([
  ['cut short', (file: Buffer) => file.subarray(0, file.length - 9)],
  ['changed', (file: Buffer) => file.fill(7, file.length >> 1, (file.length >> 1) + 4)],
  ['empty', () => Buffer.alloc(0)],
  ['something else', () => Buffer.from('ORA1 what is this?')],
])('a memory that is %s is learnt anew', (_what, spoil) => {
  const first = readMemory(folder, silentLogger, START);
  play(createWatch(first), 0, 600);
  writeMemory(folder, first);
  const file = join(folder, 'anomalies.state');
  writeFileSync(file, spoil(readFileSync(file)));
  const next = readMemory(folder, silentLogger, START + 1);
  expect(next.known.size).toBe(0);
  expect(next.sinceMs).toBe(START + 1);
});

test('of a host steps that go on say more than of a single metric', () => {
  // Its past brings more than the climb does, but at once.
  const past = (n: number): number => (n % 150 < 3 ? 40 : noise(n));
  const said = [readMemory(folder, silentLogger, START).detector, createDetector()].map((detector) => {
    const place = detector.add('gauge');
    for (let n = 0; n < 2000; n++) detector.push(place, START + 10_000 * n, past(n));
    let most = 0;
    for (let n = 1; n < 6; n++) most = Math.max(most, detector.push(place, START + 10_000 * (1999 + n), 3 * n).nats);
    return most;
  });
  expect(said[0]!).toBeGreaterThan(1.2 * said[1]!);
});

test('of a host a change of less than half a percent is none, however steady a series was; a larger one is', () => {
  const loudest = (detector: ReturnType<typeof createDetector>, share: number): number => {
    const place = detector.add('gauge');
    for (let n = 0; n < 2000; n++) detector.push(place, START + 10_000 * n, 7e6 + noise(n));
    let most = 0;
    for (let n = 2000; n < 2060; n++) {
      const value = (1 + share) * 7e6 + noise(n);
      most = Math.max(most, detector.push(place, START + 10_000 * n, value).nats);
    }
    return most;
  };
  const ofHost = () => readMemory(folder, silentLogger, START).detector;
  expect(loudest(ofHost(), 0.002)).toBeLessThan(1);
  expect(loudest(ofHost(), 0.01)).toBeGreaterThan(20);
  expect(loudest(createDetector(), 0.002)).toBeGreaterThan(20);
});
