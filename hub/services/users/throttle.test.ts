import { createManualClock } from '#kit/manual-clock.ts';
import { Problem, silentLogger } from '#sdk';
import { Registry } from 'prom-client';
import { beforeEach, expect, test } from 'vitest';
import { memoryCache } from '../../adapters/cache/memory/index.ts';
import { createCounters, type Counters } from './counters.ts';
import { createThrottle, waitAfter, type Throttle } from './throttle.ts';

const clock = createManualClock();
let throttle: Throttle;
beforeEach(() => {
  const given = { clock, log: silentLogger, metrics: new Registry(), dataFolder: '', fail: () => undefined };
  throttle = createThrottle(memoryCache.create({ ...given, config: { entries: 1000 } }).port);
});

const verdict = (account: string, network: string): Promise<number> =>
  throttle.demand(account, network).then(
    () => 0,
    (error: { facts: { retryAfter: number } }) => error.facts.retryAfter,
  );

test('five tries are free, then each waits twice as long as the one before', async () => {
  for (let n = 0; n < 5; n++) expect(await verdict('ada', 'net')).toBe(0);
  for (const wait of [1, 2, 4, 8]) {
    expect(await verdict('ada', 'net')).toBe(wait);
    await clock.advance(wait * 1000 - 1);
    expect(await verdict('ada', 'net')).toBe(1);
    await clock.advance(1);
    expect(await verdict('ada', 'net')).toBe(0);
  }
});

test('many tries at once gain nothing over one after the other', async () => {
  const verdicts = await Promise.all(Array.from({ length: 100 }, () => verdict('ada', 'net')));
  expect(verdicts.filter((wait) => wait === 0)).toHaveLength(5);
});

test('another network is not held up, and letter case is no other account', async () => {
  for (let n = 0; n < 5; n++) await verdict('ada', 'net');
  expect(await verdict('ADA', 'net')).toBe(1);
  expect(await verdict('ada', 'elsewhere')).toBe(0);
  expect(await verdict('bob', 'net')).toBe(0);
});

test('a network that fails at many accounts waits whatever it tries', async () => {
  for (let n = 0; n < 50; n++) {
    expect(await verdict(`account ${n}`, 'net')).toBe(0);
    await throttle.failed('net');
  }
  expect(await verdict('ada', 'net')).toBe(1);
  expect(await verdict('ada', 'elsewhere')).toBe(0);
});

test('success forgets the tries, and so does a quarter of an hour', async () => {
  for (let n = 0; n < 5; n++) await verdict('ada', 'net');
  await throttle.succeeded('ada', 'net');
  expect(await verdict('ada', 'net')).toBe(0);
  for (let n = 0; n < 8; n++) await verdict('ada', 'net');
  await clock.advance(15 * 60_000);
  for (let n = 0; n < 5; n++) expect(await verdict('ada', 'net')).toBe(0);
});

test('no wait is longer than the time after which tries are forgotten', () => {
  expect(waitAfter(1000, 5)).toBe(900_000);
  expect(waitAfter(4, 5)).toBe(0);
});

test('while the shared counts are away this process counts by itself, and asks for them again after a second', async () => {
  let asked = 0;
  const away = (): Promise<never> => {
    asked += 1;
    return Promise.reject(new Problem('cache.unavailable', { status: 503, title: 'away', retryable: true }, 'away'));
  };
  const cache: Counters = { get: away, increment: away, delete: away };
  throttle = createThrottle(createCounters(cache, clock, silentLogger));
  for (let n = 0; n < 5; n++) expect(await verdict('ada', 'net')).toBe(0);
  expect(await verdict('ada', 'net')).toBe(1);
  expect(asked).toBe(1);
  await clock.advance(1_000);
  expect(await verdict('ada', 'net')).toBe(0);
  expect(asked).toBe(2);
  await throttle.succeeded('ada', 'net');
  for (let n = 0; n < 5; n++) expect(await verdict('ada', 'net')).toBe(0);
});
