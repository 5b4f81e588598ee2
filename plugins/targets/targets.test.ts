import { expect, test } from 'vitest';
import { createManualClock } from '../../test/kit/manual-clock.ts';
import { silentLogger, type Connection, type Logger } from '#sdk';
import { createTargets } from './targets.ts';

const target = (name: string, more: object = {}) => ({ name, interval: 0, timeout: 4, labels: {}, ...more });
const never = new AbortController().signal;

/** A collector of these targets that a test answers by hand; it tells what was emitted and logged. */
function asked(targets: readonly ReturnType<typeof target>[], intervalMs?: number) {
  const clock = createManualClock();
  const waiting = new Map<string, { answer(text: string): void; fail(reason: string): void; signal: AbortSignal }>();
  const logged: string[] = [];
  const log: Logger = {
    ...silentLogger,
    child: (facts) => ({
      ...silentLogger,
      warn: (_message, more) => logged.push(`${String(facts['target'])}: ${String(more?.['reason'])}`),
      info: (message) => logged.push(`${String(facts['target'])}: ${message}`),
    }),
  };
  let opened = 0;
  let closed = 0;
  const connect = ({ name }: { name: string }): Connection => {
    opened += 1;
    return {
      ask: (_question, signal) =>
        new Promise((resolve, reject) => {
          waiting.set(name, { answer: resolve, fail: (reason) => reject(new Error(reason)), signal });
        }),
      close: () => (closed += 1),
    };
  };
  const collector = createTargets({
    collector: 'example',
    targets,
    context: { clock, log, intervalMs },
    connect,
    reader: ({ name }) => ({
      async read(ask) {
        const text = await ask('');
        return { tell: (emit) => emit({ name, kind: 'gauge' }, Number(text)) };
      },
    }),
  });
  const run = async (during: () => unknown = () => undefined): Promise<string[]> => {
    const told: string[] = [];
    const work = collector.collect((metric, value, attributes) => {
      const name = typeof metric === 'string' ? metric : metric.name;
      if (name !== 'outrider.target.duration') told.push(`${attributes?.['outrider.target'] ?? name} ${value}`);
    }, never);
    await during();
    await work;
    return told;
  };
  return { clock, waiting, logged, run, stop: () => collector.stop?.(), counts: () => ({ opened, closed }) };
}

test('all targets are asked at once, and a run ends when all have answered', async () => {
  const { run, waiting } = asked([target('a'), target('b')]);
  const told = await run(() => {
    waiting.get('b')?.answer('2');
    waiting.get('a')?.answer('1');
  });
  expect(told).toEqual(['a 1', 'a 1', 'b 2', 'b 1']);
});

test('a slow target does not delay another: it is told in the run after it answered, and is not asked twice meanwhile', async () => {
  const { run, waiting, clock, counts } = asked([target('quick'), target('slow')], 1000);
  const quick = async (): Promise<void> => {
    waiting.get('quick')?.answer('1');
    await clock.advance(0); // It answers at once.
    await clock.advance(900);
  };
  expect(await run(quick)).toEqual(['quick 1', 'quick 1']);
  expect(await run(quick)).toEqual(['quick 1', 'quick 1']);
  waiting.get('slow')?.answer('7');
  await clock.advance(100);
  expect(await run(quick)).toEqual(['slow 7', 'slow 1', 'quick 1', 'quick 1']);
  expect(counts().opened).toBe(2);
});

test('a target that does not answer within its time is not up, its question is called off and its connection closed', async () => {
  const { run, waiting, clock, logged, counts } = asked([target('slow', { timeout: 2 })]);
  expect(await run(() => clock.advance(2000))).toEqual(['slow 0']);
  expect(waiting.get('slow')?.signal.aborted).toBe(true);
  expect(logged).toEqual(['slow: no answer within 2 s']);
  expect(counts()).toEqual({ opened: 1, closed: 1 });
});

test('the reason of a failure is told once, and that it is over', async () => {
  const { run, waiting, clock, logged } = asked([target('a')]);
  for (let n = 0; n < 3; n += 1) expect(await run(() => waiting.get('a')?.fail('no route'))).toEqual(['a 0']);
  await run(() => waiting.get('a')?.answer('1'));
  expect(logged).toEqual(['a: no route', 'a: a target answers again']);
  await run(() => waiting.get('a')?.fail('no route'));
  expect(logged).toHaveLength(2);
  await clock.advance(3_600_000);
  await run(() => waiting.get('a')?.fail('no route'));
  expect(logged).toHaveLength(3);
});

test('a target with an interval of its own is asked when it is due', async () => {
  const { run, waiting, clock } = asked([target('rare', { interval: 30 })]);
  const answer = () => waiting.get('rare')?.answer('1');
  const runs: number[] = [];
  for (let second = 0; second <= 60; second += 10) {
    runs.push((await run(answer)).length);
    await clock.advance(10_000);
  }
  expect(runs).toEqual([2, 0, 0, 2, 0, 0, 2]);
});

test('stopping calls off what is under way', async () => {
  const { run, waiting, stop } = asked([target('a')]);
  expect(await run(stop)).toEqual(['a 0']);
  expect(waiting.get('a')?.signal.aborted).toBe(true);
});

test('two targets of one name are refused with what to do', () => {
  expect(() => asked([target('a'), target('a')])).toThrow(/example\.targets: two are named "a"; give each/);
});
