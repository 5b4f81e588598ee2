import { createManualClock } from '#kit/manual-clock.ts';
import { silentLogger } from '#sdk';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { memoryCache } from '../../../adapters/cache/memory/index.ts';
import type { Cache } from '../../../ports/cache.ts';
import { createOwnership } from './ownership.ts';
import { shardOf, SHARDS, type Fences } from './shards.ts';

const ORG = '11111111-1111-4111-8111-111111111111';
/** One resource of each shard. */
const RESOURCES = Array.from({ length: SHARDS }, (_one, shard) => {
  for (let n = 0; ; n++) if (shardOf(ORG, `resource ${n}`) === shard) return `resource ${n}`;
});

/** Processes that share a cache; each may be cut off from it. */
function createFleet() {
  const clock = createManualClock();
  const given = {
    config: { entries: 1000 },
    log: silentLogger,
    clock,
    fail: () => undefined,
    dataFolder: '',
    metrics: new Registry(),
  };
  const cache = memoryCache.create(given);
  let fence = 0;
  const join = async (ahead: Fences = new Map()) => {
    let away = false;
    const reach = <A extends unknown[], T>(work: (...given: A) => Promise<T>) => (...args: A): Promise<T> =>
      away ? Promise.reject(new Error('the cache is away')) : work(...args); // prettier-ignore
    const { acquire, release, get, set, delete: remove, increment } = cache.port;
    const own = {
      acquire: reach(acquire),
      release: reach(release),
      get: reach(get),
      set: reach(set),
      delete: reach(remove),
    };
    const owned = createOwnership({
      cache: { ...own, increment } as Cache,
      clock,
      log: silentLogger,
      takeOver(fences) {
        fence = Math.max(fence, ...fences.values());
        const behind = [...ahead].filter(([shard, higher]) => (fences.get(shard) ?? Infinity) < higher);
        return Promise.resolve({ ahead: new Map(behind), adopt: () => undefined });
      },
    });
    await owned.start();
    return {
      owned,
      mine: () => RESOURCES.filter((resource) => owned.fenceOf(ORG, resource) !== undefined),
      cutOff: (yes: boolean) => void (away = yes),
      async leave() {
        await owned.rest();
        await owned.leave();
      },
    };
  };
  return { clock, join, cache: cache.port, newest: () => fence, empty: () => cache.stop?.() };
}

test('one process owns everything at once', async () => {
  const { join } = createFleet();
  expect((await join()).mine()).toEqual(RESOURCES);
});

test('processes share evenly, and nothing has two owners', async () => {
  const { clock, join } = createFleet();
  const fleet = [await join(), await join(), await join()];
  await clock.advance(10_000);
  expect(fleet.map(({ mine }) => mine().length).sort()).toEqual([2, 3, 3]);
  expect(fleet.flatMap(({ mine }) => mine()).sort()).toEqual([...RESOURCES].sort());
});

test('who stops hands over with the next look, who is cut off within ten seconds, each time under a higher token', async () => {
  const { clock, join, newest } = createFleet();
  const [first, second, third] = [await join(), await join(), await join()];
  await clock.advance(10_000);
  await first.leave();
  expect(first.mine()).toEqual([]);
  await clock.advance(2_000);
  await clock.advance(2_000);
  expect([...second.mine(), ...third.mine()].sort()).toEqual([...RESOURCES].sort());
  second.cutOff(true);
  const before = newest();
  await clock.advance(10_000);
  expect(third.mine()).toEqual(RESOURCES);
  expect(newest()).toBeGreaterThan(before);
  const [resource = ''] = second.mine();
  expect(second.owned.fenceOf(ORG, resource)).toBeLessThan(third.owned.fenceOf(ORG, resource) ?? 0);
  second.cutOff(false);
  await clock.advance(10_000);
  expect([second, third].map(({ mine }) => mine().length)).toEqual([4, 4]);
});

test('while the cache is away everyone keeps what they have', async () => {
  const { clock, join } = createFleet();
  const fleet = [await join(), await join()];
  await clock.advance(10_000);
  for (const one of fleet) one.cutOff(true);
  await clock.advance(60_000);
  expect(fleet.map(({ mine }) => mine().length)).toEqual([4, 4]);
});

test('a database that knows a higher token is convinced with the lease in hand', async () => {
  const { clock, join } = createFleet();
  const high = clock.now() + 1_000_000;
  const one = await join(new Map([[3, high]]));
  expect(one.mine()).toHaveLength(SHARDS - 1);
  await clock.advance(2_000);
  expect(one.mine()).toHaveLength(SHARDS);
  expect(one.owned.fenceOf(ORG, RESOURCES[3] ?? '')).toBe(high + 1);
});

test('a refused token is no right to write until the shard was taken over again', async () => {
  const { clock, join } = createFleet();
  const { owned, mine } = await join();
  const [resource = ''] = RESOURCES;
  owned.lost(0, owned.fenceOf(ORG, resource) ?? 0);
  expect(mine()).not.toContain(resource);
  await clock.advance(2_000);
  expect(mine()).toContain(resource);
});
