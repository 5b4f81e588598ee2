import { randomUUID } from 'node:crypto';
import { createManualClock, type ManualClock } from '#kit/manual-clock.ts';
import { until } from '#kit/programs.ts';
import { startRelational, type StartedRelational } from '#kit/relational.ts';
import { silentLogger } from '#sdk';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createStore } from '../store.ts';
import { createJobs, type Jobs } from './jobs.ts';
import { createRunner, type Running } from './runner.ts';

let database: StartedRelational;
let clock: ManualClock;
let jobs: Jobs;
let org: string;
beforeAll(async () => {
  database = await startRelational();
  await createStore(database.relational).migrate();
});
afterAll(() => database.stop());
beforeEach(() => {
  clock = createManualClock();
  jobs = createJobs(createStore(database.relational), clock);
  org = randomUUID();
});

const add = () => jobs.add(org, { resource: randomUUID(), days: 1, by: 'editor' });
/** Work that goes on until its signal ends it or `finish` is called, and how often it was begun. */
function work() {
  const running: Running[] = [];
  const finishes: (() => void)[] = [];
  const begin = (one: Running): Promise<string> => {
    running.push(one);
    return new Promise((resolve, reject) => {
      finishes.push(() => resolve('v1'));
      one.signal.addEventListener('abort', () => reject(new Error('ended')), { once: true });
    });
  };
  return { running, begin, finish: () => finishes.at(-1)?.() };
}
const runnerOf = (begin: (running: Running) => Promise<string>) =>
  createRunner({ jobs, work: begin, clock, log: silentLogger });
const stateOf = async (id: string): Promise<string> => (await jobs.get(org, id)).state;
const becomes = (id: string, state: string) =>
  until(`it is ${state}`, async () => {
    await clock.advance(1000);
    return (await stateOf(id)) === state ? true : undefined;
  });

test('two runners share the work, each job is done once, and how far it is can be read', async () => {
  const [one, two] = [work(), work()];
  const [first, second] = [await add(), await add()];
  const runners = [runnerOf(one.begin), runnerOf(two.begin)];
  for (const runner of runners) runner.kick();
  await until('both run', () => one.running.length + two.running.length === 2);
  expect([one.running.length, two.running.length]).toEqual([1, 1]);
  one.running[0]!.progress(0.4, 'half-way');
  const id = one.running[0]!.job.id;
  await until('it is written down', async () => {
    await clock.advance(5000);
    const { progress, step } = await jobs.get(org, id);
    return progress === 0.4 && step === 'half-way';
  });
  for (const { finish } of [one, two]) finish();
  for (const { id: each } of [first, second]) await becomes(each, 'done');
  expect(await jobs.get(org, id)).toMatchObject({ version: 'v1', progress: 1, problem: null });
  for (const runner of runners) await runner.stop?.();
});

test('what a runner leaves undone at its end waits for another; what fails says why; what is cancelled ends', async () => {
  const [leaving, staying] = [work(), work()];
  const { id } = await add();
  const first = runnerOf(leaving.begin);
  first.kick();
  await until('it runs', () => leaving.running.length === 1);
  await first.stop?.();
  expect(await stateOf(id)).toBe('queued');
  const second = runnerOf(staying.begin);
  second.kick();
  await until('it runs again', () => staying.running.length === 1);
  await jobs.cancel(org, id);
  await becomes(id, 'cancelled');
  await second.stop?.();
  const failing = runnerOf(() => Promise.reject(new Error('no rows')));
  const { id: failed } = await add();
  failing.kick();
  await becomes(failed, 'failed');
  expect((await jobs.get(org, failed)).problem).toEqual({ code: 'predictions.failed', detail: 'no rows' });
  await failing.stop?.();
});

test('a job whose runner is gone is begun anew, three times at most', async () => {
  const { id } = await add();
  for (let attempt = 1; attempt <= 3; attempt++) {
    expect(await jobs.claim(randomUUID())).toMatchObject({ job: { id } });
    expect(await jobs.claim(randomUUID())).toBeUndefined();
    await clock.advance(61_000);
  }
  expect(await jobs.claim(randomUUID())).toBeUndefined();
  expect(await jobs.get(org, id)).toMatchObject({ state: 'failed', problem: { code: 'predictions.lost' } });
});
