import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createManualClock, type ManualClock } from '#kit/manual-clock.ts';
import { createMovingHost, type MovingHost } from '#kit/moving-host.ts';
import { until } from '#kit/programs.ts';
import { buildTrainingProgram } from '#kit/training-program.ts';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '#sdk';
import type { HostModel } from '../../../plugins/models/index.ts';
import { createDetector } from '../../scoring/index.ts';
import { createWatch } from '../watch.ts';
import { createOwnModel, type OwnGiven } from './own.ts';

const DAY = 86_400_000;
const START = 1_795_000_000_000 - (1_795_000_000_000 % 10_000);
const LIMITS = { choosing: 20, rows: 300, againMs: 7 * DAY, retryMs: DAY, pauseMs: 600_000 };

let programFolder: string;
let entry: string;
beforeAll(async () => {
  programFolder = mkdtempSync(join(tmpdir(), 'outrider-training-'));
  entry = await buildTrainingProgram(programFolder);
});
afterAll(() => rmSync(programFolder, { recursive: true }));

let dataFolder: string;
let clock: ManualClock;
let host: MovingHost;
let ended: (() => Promise<void>)[];
beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'outrider-own-'));
  clock = createManualClock(START);
  host = createMovingHost(6);
  ended = [];
});
afterEach(async () => {
  await Promise.all(ended.map((stop) => stop()));
  rmSync(dataFolder, { recursive: true });
});
const fileOf = (name: string): string => join(dataFolder, 'own-model', name);

/** An agent's own model, and the windows that it sees. */
function begin(more: Partial<OwnGiven> = {}) {
  const learned: HostModel[] = [];
  const own = createOwnModel({
    ...{ dataFolder, clock, log: silentLogger, isWanted: true, entry, limits: LIMITS },
    ...{ isStrained: () => false, isAlone: () => true, learned: (model: HostModel) => void learned.push(model) },
    ...more,
  });
  ended.push(() => own.stop());
  const watch = createWatch({ detector: createDetector(), known: new Map() });
  const play = (windows: number): void => {
    for (let n = 0; n <= windows; n++) {
      const window = watch.look(host.block(clock.now()));
      if (n < windows) clock.jump(10_000);
      if (window !== undefined) own.look(window);
    }
  };
  return { own, learned, play, phase: () => own.state().phase };
}
const gathered = LIMITS.choosing + LIMITS.rows;

test(
  'an agent alone gathers windows, learns a model from them in a process that ends, has it again after a restart, and learns the next one a week later',
  { timeout: 120_000 },
  async () => {
    const { own, learned, play, phase } = begin();
    play(LIMITS.choosing);
    expect(own.state()).toMatchObject({ phase: 'gathering', rows: 0, of: 300 });
    play(LIMITS.rows);
    expect([phase(), own.state().rows]).toEqual(['waiting', 300]);
    expect(statSync(fileOf('rows')).mode & 0o777).toBe(0o600);
    play(1);
    expect(phase()).toBe('training');
    await until('a model is learnt', () => learned.length > 0, 90);
    const [first] = learned;
    expect(first?.document).toMatchObject({ architecture: 'autoencoder', window: { rows: 300 } });
    expect(first?.document.version).toMatch(/^own-2026-/);
    expect(
      first?.document.features.map(({ metric, attributes }) => metric + (attributes['place'] ?? '')).sort(),
    ).toEqual(host.series.map(({ name, attributes }) => name + (attributes['place'] ?? '')).sort());
    await until('it is over', () => phase() === 'resting');
    expect([existsSync(fileOf('rows')), existsSync(fileOf('tried.json'))]).toEqual([false, false]);
    const next = begin();
    expect(next.learned[0]?.document).toEqual(first?.document);
    expect(next.phase()).toBe('resting');
    play(LIMITS.choosing);
    expect(phase()).toBe('resting');
    clock.jump(7 * DAY - (gathered + LIMITS.choosing) * 10_000);
    play(gathered + 1);
    expect(phase()).toBe('training');
    await until('the next one is learnt', () => learned.length > 1, 90);
    expect(learned[1]?.document.version).not.toBe(first?.document.version);
  },
);

test('what was gathered survives a restart, but for a row that a crash has cut', async () => {
  const first = begin();
  first.play(LIMITS.choosing + 100);
  expect(first.own.state().rows).toBe(100);
  await first.own.stop();
  ended = [];
  truncateSync(fileOf('rows'), statSync(fileOf('rows')).size - 5);
  const next = begin();
  expect(next.own.state()).toMatchObject({ phase: 'gathering', rows: 99 });
  next.play(3);
  expect(next.own.state().rows).toBe(102);
});

test.each([
  ['damaged', () => writeFileSync(fileOf('rows'), 'what is this?\n')],
  ['older than two days', () => clock.jump(2 * DAY + 60_000)],
])('rows that are %s are gathered anew', async (_what, spoil) => {
  const first = begin();
  first.play(LIMITS.choosing + 50);
  await first.own.stop();
  ended = [];
  spoil();
  const next = begin();
  next.play(2);
  expect(next.own.state()).toMatchObject({ phase: 'choosing', rows: 0, problem: '' });
});

test(
  'nothing is learnt while the agent is strained, and a training ends when it becomes so',
  { timeout: 60_000 },
  async () => {
    let isStrained = true;
    const { own, learned, play, phase } = begin({ isStrained: () => isStrained });
    play(gathered + 5);
    expect(phase()).toBe('waiting');
    isStrained = false;
    play(1);
    expect(phase()).toBe('training');
    isStrained = true;
    play(1);
    await until('it has ended', () => phase() === 'waiting');
    expect(own.state()).toMatchObject({ rows: 300, problem: '' });
    isStrained = false;
    play(3);
    expect(phase()).toBe('waiting'); // Not at once again.
    clock.jump(LIMITS.pauseMs);
    play(1);
    expect(phase()).toBe('training');
    await own.stop(); // Cancelled by the end of the agent, which is no failure.
    ended = [];
    expect([learned, existsSync(fileOf('tried.json'))]).toEqual([[], false]);
  },
);

test(
  'a failure is told, costs no rows, and is tried again a day later, also by the next run',
  { timeout: 60_000 },
  async () => {
    const failing = join(programFolder, 'failing.mjs');
    writeFileSync(failing, 'process.exit(3)');
    const { own, play, phase } = begin({ entry: failing });
    play(gathered + 1);
    await until('it has failed', () => own.state().problem !== '');
    expect(own.state()).toMatchObject({
      phase: 'waiting',
      rows: 300,
      problem: expect.stringContaining('code 3') as string,
    });
    play(5);
    expect(phase()).toBe('waiting');
    await own.stop();
    ended = [];
    const next = begin();
    next.play(5);
    expect(next.own.state()).toMatchObject({ phase: 'waiting', problem: expect.stringContaining('code 3') as string });
    clock.jump(DAY);
    next.play(1);
    expect(next.phase()).toBe('training');
  },
);

test('a run that died while it learnt is not followed by one that does so at once', { timeout: 60_000 }, async () => {
  const first = begin();
  first.play(gathered + 1);
  const tried = readFileSync(fileOf('tried.json'));
  await first.own.stop();
  ended = [];
  writeFileSync(fileOf('tried.json'), tried); // As a kill leaves it.
  const next = begin();
  next.play(3);
  expect(next.own.state()).toMatchObject({ phase: 'waiting', problem: expect.stringContaining('ended') as string });
});

test('nothing is gathered while the hub’s model judges, where nobody wants it, or where no program can learn', async () => {
  let isAlone = false;
  const aside = begin({ isAlone: () => isAlone });
  aside.play(gathered);
  expect(aside.own.state()).toMatchObject({ phase: 'aside', rows: 0 });
  isAlone = true;
  aside.play(gathered + 1);
  expect(aside.phase()).toBe('training');
  isAlone = false;
  aside.play(1);
  expect(aside.phase()).toBe('aside');
  await aside.own.stop();
  isAlone = true;
  expect(aside.phase()).toBe('waiting');
  ended = [];
  rmSync(join(dataFolder, 'own-model'), { recursive: true });
  for (const [more, phase] of [
    [{ isWanted: false }, 'off'],
    [{ entry: undefined }, 'impossible'],
  ] as const) {
    const one = begin(more);
    one.play(gathered + 2);
    expect(one.phase()).toBe(phase);
  }
  expect(existsSync(join(dataFolder, 'own-model'))).toBe(false);
}, 60_000);

test('a host of too few series that move is told so, and looked at again a day later', () => {
  host = createMovingHost(3);
  const { own, play } = begin();
  play(LIMITS.choosing + 2);
  expect(own.state()).toMatchObject({ phase: 'resting', problem: expect.stringContaining('3 series') as string });
  clock.jump(DAY);
  play(1);
  expect(own.state().phase).toBe('choosing');
});
