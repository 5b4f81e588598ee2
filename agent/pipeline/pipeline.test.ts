import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createManualClock } from '#kit/manual-clock.ts';
import { silentLogger, systemClock, type Logger } from '#sdk';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPressure } from '../budgets/index.ts';
import type { MetricBlock } from '../schedule.ts';
import { openSpool, type Spool, type SpooledBatch } from '../spool/index.ts';
import { tableOf } from '../table.ts';
import { createPipeline, type Pipeline } from './pipeline.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-pipeline-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const table = tableOf([{ name: 'system.uptime', kind: 'gauge', attributes: {} }]);
const block = (values = 1): MetricBlock => ({ collector: 'a', timeMs: 0, table, values: new Float64Array(values) });
const until = (probe: () => boolean): Promise<void> =>
  vi.waitFor(() => expect(probe()).toBe(true), { timeout: 10_000, interval: 10 });

let offset = 0;
/** As many lines as asked for; random bytes, so that packing does not make them small. */
function addLines(pipeline: Pipeline, count: number, length = 10): void {
  const lines = Array.from({ length: count }, () => `${randomText(length)}\n`).join('');
  offset += lines.length;
  const checkpoint = { path: '/a', device: 1, inode: 2, fingerprint: '', fingerprintLength: 0, offset };
  pipeline.addEvents({ path: '/a', events: Buffer.from(lines), lines: count, size: lines.length, checkpoint });
}
function randomText(length: number): string {
  let text = '';
  while (text.length < length) text += Math.random().toString(36).slice(2);
  return text.slice(0, length);
}

/** Everything that waits, as a link would send it. */
function waiting(spool: Spool): SpooledBatch[] {
  return (['backfill', 'live'] as const).flatMap((lane) => {
    const reader = spool.reader(lane);
    const all = [];
    for (let batch = reader.next(); batch !== undefined; batch = reader.next()) all.push(batch);
    reader.close();
    return all;
  });
}
/** Read and carried over = on its way + waiting + acknowledged + lost. */
function balance(spool: Spool, pipeline: Pipeline): number {
  const { linesRead, linesSpooled } = pipeline.ledger();
  const { carried, put, waiting: left, acknowledged, lost } = spool.lines();
  expect(put).toBe(linesSpooled);
  expect(left).toBe(waiting(spool).reduce((sum, { lines }) => sum + lines, 0));
  return linesRead + carried - (linesRead - linesSpooled) - left - acknowledged - lost;
}

test('the ledger adds up over acknowledgements, restarts and batches that were given up', async () => {
  const open = (): Promise<Spool> => openSpool({ folder, limit: 1e9, log: silentLogger });
  for (let life = 0; life < 4; life++) {
    const spool = await open();
    const pipeline = createPipeline({ spool, clock: systemClock, log: silentLogger });
    for (let n = 0; n < 6; n++) {
      addLines(pipeline, 1 + n);
      await pipeline.stop(); // Puts what was gathered into the spool.
      expect(balance(spool, pipeline)).toBe(0);
    }
    const [first, second, third] = waiting(spool);
    if (first === undefined || second === undefined || third === undefined) throw new Error('too little waits');
    spool.acknowledge(first);
    spool.giveUp(second, 'a test');
    spool.acknowledge(third);
    expect(spool.lines()).toMatchObject({ acknowledged: first.lines + third.lines, lost: second.lines });
    expect(balance(spool, pipeline)).toBe(0);
    await spool.close();
  }
});

test('a spool at its limit: files wait, samples are dropped and counted, and it goes on when there is room', async () => {
  const spool = await openSpool({ folder, limit: 3_000_000, log: silentLogger, segmentBytes: 500_000 });
  const pipeline = createPipeline({ spool, clock: systemClock, log: silentLogger });
  pipeline.start();
  while (!spool.isFull()) {
    if (pipeline.hasRoom()) addLines(pipeline, 1000, 500);
    await pipeline.room().then(() => new Promise(setImmediate));
  }
  await until(() => pipeline.ledger().linesRead === pipeline.ledger().linesSpooled);
  expect(pipeline.hasRoom()).toBe(false);
  expect(spool.bytes()).toBeLessThan(3_000_000 + 1_500_000);
  const dropped = pipeline.ledger().dropped['spool-full'].runs;
  for (let n = 0; n < 7; n++) pipeline.addBlock(block());
  expect(pipeline.ledger().dropped['spool-full'].runs).toBe(dropped + 7);
  expect(balance(spool, pipeline)).toBe(0);

  let isThereRoom = false;
  void pipeline.room().then(() => (isThereRoom = true));
  for (const batch of waiting(spool)) spool.acknowledge(batch);
  await until(() => isThereRoom);
  pipeline.addBlock(block());
  expect(pipeline.ledger().dropped['spool-full'].runs).toBe(dropped + 7);
  expect(balance(spool, pipeline)).toBe(0);
  expect(spool.lines().lost).toBe(0);
  await pipeline.stop();
  await spool.close();
});

test('under pressure files wait first, then seconds become tens with minimum and maximum, and only a full spool drops', async () => {
  const limit = 2_000_000;
  const spool = await openSpool({ folder, limit, log: silentLogger, segmentBytes: 50_000 });
  const clock = createManualClock(1_750_000_000_000);
  const usage = {
    cpuSeconds: () => 0,
    rss: () => 0,
    spoolBytes: () => spool.bytes(),
    collectGarbage: () => undefined,
  };
  const limits = { cpu: 1, memory: 1e9, spool: limit };
  const pressure = createPressure(limits, { usage, clock, log: silentLogger });
  const story: [read: number, steps: string][] = [];
  const told: Spool = {
    ...spool,
    async append(entry) {
      const seq = await spool.append(entry);
      pressure.look();
      story.push([pipeline.ledger().linesRead, pressure.steps().join('+')]);
      return seq;
    },
  };
  const pipeline = createPipeline({ spool: told, clock, log: silentLogger, pressure });
  pipeline.start();
  const wide = tableOf(
    Array.from({ length: 500 }, (_one, n) => ({
      name: 'system.cpu.busy',
      kind: 'gauge',
      attributes: { n: `${n}` },
    })),
  );
  /** One second: lines as far as there is room, and a run of values that do not pack. */
  const second = async (): Promise<void> => {
    if (pipeline.hasRoom()) addLines(pipeline, 400, 100);
    pipeline.addBlock({
      collector: 'a',
      timeMs: clock.now(),
      table: wide,
      values: Float64Array.from(wide.series, Math.random),
    });
    await clock.advance(1000); // The tick puts all of it into the spool.
    await pipeline.flush();
  };
  let seconds = 0;
  for (; !pressure.steps().includes('drop'); seconds++) await second();
  const linesAt = (step: string): number[] => story.filter(([, steps]) => steps.startsWith(step)).map(([read]) => read);
  expect(new Set(linesAt('files-wait')).size).toBe(1); // Not one more line was read.
  expect(story.map(([, steps]) => steps).filter((steps, n, all) => steps !== all[n - 1])).toEqual([
    '',
    'files-wait',
    'files-wait+aggregate',
    'files-wait+aggregate+drop',
  ]);
  const wideBatches = waiting(spool).filter(({ tables }) => tables.size > 0);
  expect(wideBatches.length).toBeLessThan(seconds);
  expect(pipeline.ledger().dropped['spool-full'].runs).toBe(0);
  for (let n = 0; n < 20; n++) await second();
  expect(pipeline.ledger().dropped['spool-full'].runs).toBeGreaterThanOrEqual(10);
  expect(pipeline.ledger().dropped['disk-stuck'].runs).toBe(0);
  expect(balance(spool, pipeline)).toBe(0);

  for (const batch of waiting(spool)) spool.acknowledge(batch);
  await until(() => {
    pressure.look();
    return pressure.steps().length === 0;
  });
  await pipeline.stop();
  await spool.close();
});

/** A spool whose disk takes nothing for as long as `broken` says so. */
function breakable(spool: Spool) {
  const state = { broken: false, tries: 0 };
  const breaking: Spool = {
    ...spool,
    append(entry) {
      state.tries++;
      return state.broken ? Promise.reject(new Error('ENOSPC: no space left on device')) : spool.append(entry);
    },
  };
  return { state, breaking };
}

test('a disk that takes nothing loses no line; samples wait within a bound, and both go in once there is room', async () => {
  const errors: string[] = [];
  const infos: string[] = [];
  const log: Logger = {
    ...silentLogger,
    error: (text) => void errors.push(text),
    info: (text) => void infos.push(text),
  };
  const spool = await openSpool({ folder, limit: 1e9, log: silentLogger });
  const { state, breaking } = breakable(spool);
  const clock = createManualClock();
  const pipeline = createPipeline({ spool: breaking, clock, log });
  pipeline.start();
  state.broken = true;
  addLines(pipeline, 5);
  await clock.advance(1000);
  await until(() => state.tries > 0);
  while (pipeline.hasRoom()) addLines(pipeline, 1000, 100);
  for (let n = 0; n < 400; n++) pipeline.addBlock(block(1000));
  const { linesRead, dropped, linesSpooled } = pipeline.ledger();
  expect(linesSpooled).toBe(0);
  expect(dropped['disk-stuck'].runs).toBeGreaterThan(200);
  expect(dropped['disk-stuck'].runs).toBeLessThan(300);
  expect(dropped['disk-stuck'].samples).toBe(1000 * dropped['disk-stuck'].runs);
  await clock.advance(10_000);
  expect(errors).toHaveLength(1);
  state.broken = false;
  for (let n = 0; n < 200 && pipeline.ledger().linesSpooled < linesRead; n++) {
    await clock.advance(1000);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(pipeline.ledger().linesSpooled).toBe(linesRead);
  expect(infos).toEqual(['the spool takes batches again']);
  expect(waiting(spool).every(({ metrics, logs }) => metrics.length + logs.length < 4_000_000)).toBe(true);
  await pipeline.stop();
  await spool.close();
});

test.each([-3_600_000, 3_600_000])('a wall clock that jumps by %d ms holds no batch back', async (jump) => {
  const spool = await openSpool({ folder, limit: 1e9, log: silentLogger });
  const clock = createManualClock(1_750_000_000_400);
  const pipeline = createPipeline({ spool, clock, log: silentLogger });
  pipeline.start();
  for (let second = 0; second < 4; second++) {
    addLines(pipeline, 1);
    if (second === 1) clock.jump(jump);
    await clock.advance(1200);
    await until(() => pipeline.ledger().linesSpooled === second + 1);
  }
  await pipeline.stop();
  await spool.close();
});

/** A file system of its own with so many bytes; undefined where that is not allowed. */
function mountSmall(at: string, bytes: number): (() => void) | undefined {
  mkdirSync(at);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', at], { stdio: 'ignore' });
  } catch {
    return undefined; // Not root, or a container without the right to mount.
  }
  return () => void execFileSync('umount', ['--lazy', at]);
}

test('a disk that is really full: what was acknowledged by the spool stays, nothing is torn, and it goes on', async (context) => {
  const at = join(folder, 'small');
  const unmount = mountSmall(at, 4_000_000);
  if (unmount === undefined) return context.skip('mounting a small file system needs root');
  try {
    const spool = await openSpool({ folder: join(at, 'spool'), limit: 1e9, log: silentLogger, segmentBytes: 500_000 });
    const pipeline = createPipeline({ spool, clock: systemClock, log: silentLogger });
    pipeline.start();
    writeFileSync(join(at, 'ballast'), Buffer.alloc(1_000_000));
    const full = (): boolean => pipeline.ledger().linesRead > pipeline.ledger().linesSpooled && !pipeline.hasRoom();
    for (let stuckMs = 0; stuckMs < 1500; stuckMs += 20) {
      if (pipeline.hasRoom()) addLines(pipeline, 200, 1000);
      if (!full()) stuckMs = 0;
      await systemClock.sleep(20);
    }
    const { linesSpooled, linesRead } = pipeline.ledger();
    expect(linesSpooled).toBeGreaterThan(500);
    expect(waiting(spool).reduce((sum, { lines }) => sum + lines, 0)).toBe(linesSpooled);
    rmSync(join(at, 'ballast'));
    const [, second] = waiting(spool);
    if (second !== undefined) spool.acknowledge(second);
    await until(() => pipeline.ledger().linesSpooled === linesRead);
    expect(balance(spool, pipeline)).toBe(0);
    await pipeline.stop();
    await spool.close();
    const again = await openSpool({ folder: join(at, 'spool'), limit: 1e9, log: silentLogger });
    expect(again.lostBytes).toBe(0);
    expect(again.checkpoints().get('1:2')).toMatchObject({ offset });
    await again.close();
  } finally {
    unmount();
  }
}, 60_000);
