import { expect, test } from 'vitest';
import { createManualClock } from '#kit/manual-clock.ts';
import { silentLogger, type Logger } from '#sdk';
import { createCpuAccount } from './cpu.ts';
import { createMemorySteps } from './memory.ts';
import { createPressure } from './pressure.ts';
import { createSeriesBudget } from './series.ts';

test('a burst may use what idle minutes saved; after that the average keeps to the budget', () => {
  const account = createCpuAccount(0.5);
  let seconds = 0;
  for (; !account.isOverdrawn(); seconds++) account.book(1, 1); // A whole core.
  expect(seconds).toBe(61);
  expect(account.share()).toBeCloseTo(1);
  expect(account.stretch()).toBe(1);
  for (; account.isOverdrawn(); seconds++) account.book(0.1, 1); // Files are read slowly.
  expect(seconds).toBe(70);
  for (let n = 0; n < 60; n++) account.book(0.1, 1);
  expect(account.share()).toBeCloseTo(0.1);
});

test('collectors that use too much run less often, step by step, and as often again when the debt is paid', () => {
  const account = createCpuAccount(0.1);
  const stretches = new Set<number>();
  for (let n = 0; n < 200; n++) {
    account.book(0.2, 1);
    stretches.add(account.stretch());
  }
  expect([...stretches]).toEqual([1, 2, 5, 10]);
  let paying = 0;
  for (; account.stretch() > 1; paying++) account.book(0.02, 1);
  expect(paying).toBe(75); // 6 CPU seconds of debt, 0.08 a second.
});

test('memory over its budget is answered in steps, taken back below nine tenths of it', () => {
  const steps = createMemorySteps(100);
  const seen: number[] = [];
  let garbage = 0;
  for (let second = 0; second < 90; second++) {
    if (steps.look(second < 40 ? 120 : second < 50 ? 95 : 80, 1000 * second)) garbage++;
    if (steps.step() !== seen.at(-1)) seen.push(steps.step());
  }
  expect(seen).toEqual([1, 2, 3, 2, 1, 0]);
  expect(garbage).toBe(4); // Once for each time that it was still too much, not each second.
});

test('series beyond a budget are counted by metric, and places that become free are given again', () => {
  const budget = createSeriesBudget({ total: 5, perMetric: 3 });
  const [one, other] = [budget.shareOf('one'), budget.shareOf('other')];
  expect([1, 2, 3, 4].map(() => one.admit('a'))).toEqual([true, true, true, false]);
  expect(['b', 'b', 'b'].map((name) => other.admit(name))).toEqual([true, true, false]);
  expect(budget.overflowing()).toEqual([
    { collector: 'one', metric: 'a', series: 3, overflow: 1 },
    { collector: 'other', metric: 'b', series: 2, overflow: 1 },
  ]);
  one.kept(['a']);
  expect(budget.total()).toBe(3);
  expect(other.admit('b')).toBe(true);
  expect(budget.largest(1)).toMatchObject([{ collector: 'other', metric: 'b', series: 3 }]);
});

test('endpoints that make up names of metrics do not grow the list for ever', () => {
  const budget = createSeriesBudget({ total: 1, perMetric: 1 });
  const share = budget.shareOf('prometheus');
  for (let n = 0; n < 20_000; n++) share.admit(`made_up_${n}`);
  expect(budget.overflowing().length).toBeLessThanOrEqual(5001);
  expect(budget.overflowing().reduce((sum, { overflow }) => sum + overflow, 0)).toBe(19_999);
});

function createWorld(limits: { cpu?: number; memory?: number; spool?: number } = {}) {
  const usage = { cpu: 0, rss: 50, spool: 0, collected: 0 };
  const told: string[] = [];
  const tell = (text: string): void => void told.push(text);
  const log: Logger = { ...silentLogger, warn: tell, info: tell, error: tell };
  const clock = createManualClock();
  const pressure = createPressure(
    { cpu: 0.5, memory: 100, spool: 1000, ...limits },
    {
      usage: {
        cpuSeconds: () => usage.cpu,
        rss: () => usage.rss,
        spoolBytes: () => usage.spool,
        collectGarbage: () => void usage.collected++,
      },
      clock,
      log,
    },
  );
  clock.every(1000, pressure.look);
  return { usage, told, clock, pressure };
}

test('a spool that fills gives up in order: files, then seconds, then samples; each is told once each way', async () => {
  const { usage, told, clock, pressure } = createWorld();
  const steps: string[] = [];
  const levels = [0, 790, 800, 899, 900, 1000, 1001, 950, 860, 800, 760, 740, 0];
  for (const spool of levels) {
    usage.spool = spool;
    await clock.advance(1000);
    steps.push(pressure.steps().join('+'));
    expect(pressure.mayRead()).toBe(!pressure.steps().includes('files-wait'));
  }
  expect(steps).toEqual([
    '',
    '',
    'files-wait',
    'files-wait',
    'files-wait+aggregate',
    'files-wait+aggregate',
    'files-wait+aggregate+drop',
    'files-wait+aggregate',
    'files-wait+aggregate',
    'files-wait',
    'files-wait',
    '',
    '',
  ]);
  expect(told).toEqual([
    'the spool is nearly full: files are not read on',
    'samples are kept as 10 s averages with minimum and maximum',
    'the spool is full: samples are dropped and counted',
    'samples are kept again',
    'every sample is kept again',
    'files are read on again',
  ]);
});

test('over a budget files are read slowly and never stand still', async () => {
  const { usage, clock, pressure } = createWorld();
  for (let second = 0; second < 100; second++) {
    usage.cpu += 1;
    await clock.advance(1000);
  }
  expect(pressure.steps()).toContain('slow-reading');
  for (let second = 0; second < 3; second++) {
    let read = 0;
    for (; pressure.mayRead(); read += 64_000) pressure.hasRead(64_000);
    expect(read).toBe(256_000);
    await clock.advance(1000);
  }
});

test('memory over its budget makes batches small, then aggregates, then reads slowly, and recovers by itself', async () => {
  const { usage, clock, pressure } = createWorld();
  usage.rss = 130;
  await clock.advance(1000);
  expect(pressure.batchBytes()).toBe(250_000);
  expect(usage.collected).toBe(1);
  expect(pressure.aggregates()).toBe(false);
  await clock.advance(10_000);
  expect(pressure.aggregates()).toBe(true);
  await clock.advance(10_000);
  expect(pressure.steps()).toEqual(['slow-reading', 'aggregate']);
  usage.rss = 60;
  await clock.advance(31_000);
  expect(pressure.steps()).toEqual([]);
  expect(pressure.batchBytes()).toBe(1_000_000);
});
