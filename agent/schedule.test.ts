import { expect, test } from 'vitest';
import { createManualClock } from '#kit/manual-clock.ts';
import { silentLogger, type Collector, type Logger } from '#sdk';
import { createSeriesBudget } from './budgets/index.ts';
import { createSchedule, type MetricBlock, type ScheduledCollector, type ScheduleOptions } from './schedule.ts';

const START = 1_750_000_000_400;

function createWorld(
  scheduled: Record<string, Collector['collect'] | Partial<ScheduledCollector>>,
  clock = createManualClock(START),
  more: Pick<ScheduleOptions, 'stretch' | 'series'> = {},
) {
  const blocks: MetricBlock[] = [];
  const warnings: Record<string, unknown>[] = [];
  const log: Logger = {
    ...silentLogger,
    warn: (message, facts) => void warnings.push({ message, ...facts }),
    child: () => log,
  };
  const collectors = Object.entries(scheduled).map(([name, given]): ScheduledCollector => {
    const own = typeof given === 'function' ? { collector: { collect: given } } : given;
    return { name, intervalMs: 1000, collector: { collect: () => {} }, ...own };
  });
  const schedule = createSchedule({ collectors, clock, log, sink: (block) => void blocks.push(block), ...more });
  const of = (name: string) => blocks.filter((block) => block.collector === name);
  const valueOf = (block: MetricBlock | undefined, metric: string): number | undefined =>
    block?.values[block.table.series.findIndex((one) => one.name === metric)];
  const successes = (name: string) => of(name).map((block) => valueOf(block, 'outrider.collector.success'));
  return { clock, schedule, blocks, warnings, of, valueOf, successes };
}

test('runs begin on the ticks of the wall clock and carry their time', async () => {
  const { clock, schedule, of } = createWorld({ a: (emit) => emit('system.uptime', 1) });
  await schedule.start();
  await clock.advance(3000);
  expect(of('a').map(({ timeMs }) => timeMs - START)).toEqual([600, 1600, 2600]);
  expect(new Set(of('a').map(({ table }) => table)).size).toBe(1);
});

test('a clock that was set gets its ticks anew', async () => {
  const { clock, schedule, of } = createWorld({ a: (emit) => emit('system.uptime', 1) });
  await schedule.start();
  await clock.advance(600);
  clock.jump(-7250);
  await clock.advance(3000);
  const times = of('a').map(({ timeMs }) => timeMs);
  expect(times).toHaveLength(4);
  expect(times.slice(2).map((timeMs) => timeMs % 1000)).toEqual([0, 0]);
  expect(times[1]).toBeLessThan(times[0] ?? 0);
});

test('a timer that fires a millisecond early does not make a tick twice', async () => {
  const clock = createManualClock(START);
  const { after } = clock;
  clock.after = (ms, work) => after(ms - 1, work);
  const { schedule, of } = createWorld({ a: () => {} }, clock);
  await schedule.start();
  await clock.advance(3000);
  expect(of('a').map(({ timeMs }) => timeMs - START)).toEqual([600, 1600, 2600]);
});

test('each interval has ticks of its own, and slow collectors tell something at once', async () => {
  const { clock, schedule, of } = createWorld({ fast: () => {}, slow: { intervalMs: 10_000 } });
  await schedule.start();
  await clock.advance(20_000);
  expect(of('fast')).toHaveLength(20);
  expect(of('slow').map(({ timeMs }) => timeMs - START)).toEqual([0, 9600, 19_600]);
});

test('intervals under ten seconds are stretched while CPU is to be saved, on ticks that all collectors share', async () => {
  let stretch = 5;
  const clock = createManualClock(START);
  const { schedule, of } = createWorld(
    { one: () => {}, four: { intervalMs: 4000 }, ten: { intervalMs: 10_000 } },
    clock,
    { stretch: () => stretch },
  );
  await schedule.start();
  await clock.advance(20_000);
  expect(of('one').map(({ timeMs }) => timeMs % 10_000)).toEqual([5000, 0, 5000, 0]);
  const ticks = of('four').filter(({ timeMs }) => timeMs % 4000 === 0);
  expect(ticks.map(({ timeMs }) => timeMs % 8000)).toEqual([0, 0]);
  expect(of('ten')).toHaveLength(3); // The first at once.
  stretch = 1;
  await clock.advance(10_000);
  expect(of('one')).toHaveLength(14);
});

test('values of series beyond the budget are left out, told as a fault and counted; what a collector says of itself has its place', async () => {
  const series = createSeriesBudget({ total: 100, perMetric: 3 });
  const { clock, schedule, of, valueOf, warnings } = createWorld(
    {
      many: (emit) => {
        for (let n = 0; n < 5; n++) emit('system.disk.io', n, { 'system.device': `d${n}` });
      },
    },
    createManualClock(START),
    { series },
  );
  await schedule.start();
  await clock.advance(2000);
  expect(
    of('many')
      .at(-1)
      ?.table.series.filter(({ name }) => name === 'system.disk.io'),
  ).toHaveLength(3);
  expect(valueOf(of('many').at(-1), 'outrider.collector.success')).toBe(0);
  expect(series.overflowing()).toEqual([{ collector: 'many', metric: 'system.disk.io', series: 3, overflow: 4 }]);
  expect(warnings).toMatchObject([{ reason: 'it has too many series; the newest are left out' }]);
});

test('success and duration stand in the block of the run', async () => {
  const { clock, schedule, of, valueOf } = createWorld({
    async: async (emit) => {
      await clock.sleep(250);
      emit('system.uptime', 7);
    },
  });
  const once = schedule.runOnce();
  await clock.advance(250);
  await once;
  const [block] = of('async');
  expect(valueOf(block, 'system.uptime')).toBe(7);
  expect(valueOf(block, 'outrider.collector.success')).toBe(1);
  expect(valueOf(block, 'outrider.collector.duration')).toBe(0.25);
  expect(block?.table.series.at(-1)?.attributes).toEqual({ 'outrider.collector': 'async' });
});

test('one that throws or rejects hurts no other, and what it emitted before counts', async () => {
  const { clock, schedule, of, valueOf, successes } = createWorld({
    throws: (emit) => {
      emit('system.uptime', 3);
      throw new Error('no such file');
    },
    rejects: () => Promise.reject(new Error('no answer')),
    good: (emit) => emit('system.uptime', 1),
  });
  await schedule.start();
  await clock.advance(2000);
  expect(successes('throws')).toEqual([0, 0]);
  expect(successes('rejects')).toEqual([0, 0]);
  expect(successes('good')).toEqual([1, 1]);
  expect(valueOf(of('throws')[0], 'system.uptime')).toBe(3);
});

test('one that hangs is never called again meanwhile, says so on each tick after its deadline, and recovers', async () => {
  let calls = 0;
  let aborted = false;
  const answers: (() => void)[] = [];
  const { clock, schedule, successes, of } = createWorld({
    hangs: (emit, signal) => {
      calls++;
      if (calls > 1) return;
      signal.addEventListener('abort', () => (aborted = true));
      return new Promise((resolve) => answers.push(() => (emit('system.uptime', 9), resolve())));
    },
    good: () => {},
  });
  await schedule.start();
  await clock.advance(8000);
  expect({ calls, aborted }).toEqual({ calls: 1, aborted: true });
  expect(successes('hangs')).toEqual([0, 0, 0, 0]); // At 5.6 s by its deadline, then on each tick.
  expect(successes('good')).toHaveLength(8);
  answers[0]?.();
  await clock.advance(0);
  await clock.advance(1000);
  expect(calls).toBe(2);
  expect(successes('hangs')).toEqual([0, 0, 0, 0, 1]); // The late answer itself is not told.
  expect(of('hangs').some(({ table }) => table.series.some(({ name }) => name === 'system.uptime'))).toBe(false);
});

test('a fault is logged once for each cause, and again after an hour', async () => {
  let reason = 'first';
  const { clock, schedule, warnings } = createWorld({
    bad: () => {
      throw new Error(reason);
    },
  });
  await schedule.start();
  await clock.advance(5000);
  reason = 'second';
  await clock.advance(5000);
  expect(warnings.map(({ reason: told, count }) => [told, count])).toEqual([
    ['first', 1],
    ['second', 1],
  ]);
  await clock.advance(3_600_000);
  expect(warnings.at(-1)).toMatchObject({ reason: 'second', count: 3601 });
});

test('after stop nothing runs and nothing is told; stop is safe twice and without start', async () => {
  let stops = 0;
  const { clock, schedule, blocks } = createWorld({
    a: { collector: { collect: () => new Promise(() => {}), stop: () => void stops++ } },
    b: () => {},
  });
  await schedule.stop();
  await schedule.stop();
  await schedule.start();
  await schedule.stop();
  await clock.advance(10_000);
  expect(blocks).toEqual([]);
  expect(stops).toBeGreaterThan(0);
});

test('a collector is replaced by another one, at its own interval, without disturbing the others', async () => {
  const stopped: string[] = [];
  const counting = (value: number): Collector => ({
    collect: (emit) => emit('system.uptime', value),
    stop: () => void stopped.push(String(value)),
  });
  const { clock, schedule, of, valueOf } = createWorld({ a: { collector: counting(1) }, b: () => {} });
  await schedule.start();
  await clock.advance(2000);
  schedule.replace('a', { name: 'a', intervalMs: 5000, collector: counting(2) });
  await clock.advance(10_000);
  expect(of('a').map((block) => valueOf(block, 'system.uptime'))).toEqual([1, 1, 2, 2, 2]);
  expect(of('b')).toHaveLength(12);
  expect(stopped).toEqual(['1']);
  schedule.replace('a', undefined);
  await clock.advance(10_000);
  expect(of('a')).toHaveLength(5);
  expect(of('b')).toHaveLength(22);
  await schedule.stop();
  await clock.advance(10_000);
  expect(of('b')).toHaveLength(22);
});

test('which targets of a collector answered last is known, also of one that is asked more seldom', async () => {
  const up = (name: string) => ({ 'outrider.collector': 'a', 'outrider.target': name });
  const [fast, slow] = [up('fast'), up('slow')];
  let run = 0;
  const { clock, schedule } = createWorld({
    a(emit) {
      run++;
      if (run === 1) emit('outrider.target.up', 1, slow);
      emit('outrider.target.up', run < 3 ? 1 : 0, fast);
    },
    b: (emit) => emit('system.uptime', 1),
  });
  const targets = (name: string) => Object.fromEntries(schedule.outcomes().get(name)?.targets ?? []);
  await schedule.start();
  await clock.advance(2000);
  expect([targets('a'), targets('b')]).toEqual([{ slow: true, fast: true }, {}]);
  await clock.advance(1000);
  expect(targets('a')).toEqual({ slow: true, fast: false });
});
