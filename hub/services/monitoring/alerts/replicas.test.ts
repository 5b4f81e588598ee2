import { randomUUID } from 'node:crypto';
import { createManualClock } from '#kit/manual-clock.ts';
import { until } from '#kit/programs.ts';
import { startRelational, type StartedRelational } from '#kit/relational.ts';
import { silentLogger } from '#sdk';
import { Registry } from 'prom-client';
import type { AlertChanged } from '#proto/subjects.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { memoryCache } from '../../../adapters/cache/memory/index.ts';
import type { Bus } from '../../../ports/bus.ts';
import type { Cache } from '../../../ports/cache.ts';
import type { SeriesStore } from '../../../ports/series.ts';
import { migrations } from '../migrations/index.ts';
import { createAlerts } from './index.ts';
import type { Rule } from './rule.ts';
import { createStore } from './store.ts';

const ATTRIBUTES = { queue: 'mail' };
const RULE: Omit<Rule, 'id'> = {
  name: 'Queue is long',
  ...{ metric: 'shop.queue', resource: null, operator: 'gt', threshold: 10, clear: null },
  ...{ forSeconds: 10, keepFiringSeconds: 0, severity: 'warning', channels: [], filter: {} },
  ...{ enabled: true, builtIn: null },
};

let database: StartedRelational;
let fleet: Awaited<ReturnType<typeof createFleet>>;
beforeAll(async () => {
  database = await startRelational();
});
afterAll(() => database.stop());
beforeEach(async () => {
  fleet = await createFleet();
  return () => fleet.stop();
});

/** Processes with alerts on one database and one cache; each hears every batch, as over the bus. */
async function createFleet() {
  const clock = createManualClock();
  const [org, resource] = [randomUUID(), randomUUID()];
  const given = {
    config: { entries: 1000 },
    log: silentLogger,
    clock,
    fail: () => undefined,
    dataFolder: '',
    metrics: new Registry(),
  };
  const cache = memoryCache.create(given);
  const told: AlertChanged[] = [];
  const store = createStore(database.relational);
  const replicas: ReturnType<typeof make>[] = [];
  const make = () => {
    const state = { hears: true, reachesCache: true, tells: true };
    const guarded = Object.fromEntries(
      Object.entries(cache.port).map(([name, work]: [string, (...given: unknown[]) => Promise<unknown>]) => [
        name,
        (...args: unknown[]) => (state.reachesCache ? work(...args) : Promise.reject(new Error('away'))),
      ]),
    );
    const bus = {
      publish(_subject: unknown, of: string, news: AlertChanged) {
        if (!state.tells) return Promise.reject(new Error('cut off'));
        // An owner that is replaced after publishing and before noting it is followed by one that publishes again: notifications
        // take the same firing and state once, by the key of a delivery.
        const known = told.some(({ firing, state: before }) => firing === news.firing && before === news.state);
        if (of === org && !known) told.push(news);
        return Promise.resolve();
      },
      subscribe: () => () => undefined,
      listen: () => () => undefined,
    };
    const alerts = createAlerts({
      ports: {
        relational: database.relational,
        cache: guarded as unknown as Cache,
        bus: bus as unknown as Bus,
        series: {} as SeriesStore,
      },
      log: silentLogger,
      clock,
      resources: {
        list: () => Promise.resolve([]),
        find: (_org, id) => Promise.resolve({ id, name: 'web-1', ephemeral: false, lastSeenMs: undefined }),
      },
    });
    return { alerts, state };
  };
  const join = async () => {
    const replica = make();
    await database.relational.migrate('monitoring', [...migrations, ...replica.alerts.migrations]);
    await replica.alerts.start();
    replicas.push(replica);
    return replica;
  };
  const send = (value: number): void => {
    const values = [{ name: RULE.metric, kind: 'gauge' as const, attributes: ATTRIBUTES, value }];
    for (const { alerts, state } of replicas) if (state.hears) alerts.observe(org, resource, clock.now(), values);
  };
  return {
    ...{ clock, org, resource, told, store, cache: cache.port, join, send },
    /** A value each second for so long. */
    async sendFor(seconds: number, value: number): Promise<void> {
      for (let second = 0; second < seconds; second++) {
        send(value);
        await clock.advance(1000);
        // Reads and writes of a real database take their time.
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    emptyCache: () => cache.stop?.(),
    firings: async () => (await store.firings(org, {}, { limit: 100, offset: 0 })).items,
    addRule: (more: Partial<Rule> = {}) => store.addRule(org, { ...RULE, ...more }),
    async stop(): Promise<void> {
      for (const { alerts } of replicas) await alerts.stop();
      await cache.stop?.();
    },
  };
}
type Fleet = Awaited<ReturnType<typeof createFleet>>;
type Replica = Awaited<ReturnType<Fleet['join']>>;

const toldStates = () => fleet.told.map(({ state }) => state);
const firesOnce = (value = 50) =>
  until(
    'it fires and is told',
    async () => {
      await fleet.sendFor(1, value);
      const states = (await fleet.firings()).map(({ state }) => state);
      if (states.join() === 'firing' && toldStates().join() === 'firing') return true;
      throw new Error(`written: ${states.join()}; told: ${toldStates().join()}`);
    },
    20,
  );
const isOverOnce = async () => {
  await until('it is over and told', async () => {
    await fleet.sendFor(1, 1);
    return toldStates().join() === 'firing,resolved';
  });
  expect((await fleet.firings()).map(({ state }) => state)).toEqual(['resolved']);
};
/** Replicas with the one first that owns the shard of the resource. */
async function threeWithOwner(): Promise<[Replica, Replica, Replica]> {
  const all = [await fleet.join(), await fleet.join(), await fleet.join()];
  await fleet.addRule();
  await fleet.sendFor(12, 1);
  const heard = new Set<Replica>();
  const ends = all.map((one) => one.alerts.onChange(() => heard.add(one)));
  // A short episode of another rule shows who writes.
  const probe = await fleet.addRule({ name: 'probe', threshold: 3, forSeconds: 0 });
  await until('every process knows the rule, and one writes', async () => {
    await fleet.sendFor(1, 5);
    return heard.size > 0;
  });
  await fleet.store.removeRule(fleet.org, probe.id);
  // Every process has seen that it is gone.
  await fleet.sendFor(6, 1);
  await until('the probe is over', async () => {
    await fleet.sendFor(1, 1);
    const open = (await fleet.firings()).filter(({ state, told }) => state === 'firing' || told !== 'resolved');
    return open.length === 0 && toldStates().at(-1) === 'resolved';
  });
  ends.forEach((end) => end());
  await fleet.store.forgetResource(fleet.org, fleet.resource);
  fleet.told.length = 0;
  const [owner] = heard as unknown as Iterable<Replica>;
  const others = all.filter((one) => one !== owner);
  return [owner as Replica, others[0] as Replica, others[1] as Replica];
}

describe('with three processes', () => {
  test('an alert fires once and is resolved once', async () => {
    await threeWithOwner();
    await fleet.sendFor(15, 50);
    await firesOnce();
    await isOverOnce();
  });

  test('a process that stops hands over what is pending and what fires', async () => {
    const [owner] = await threeWithOwner();
    await fleet.sendFor(6, 50);
    await owner.alerts.stop();
    owner.state.hears = false;
    await fleet.sendFor(15, 50);
    await firesOnce();
    await isOverOnce();
  });

  test('what fires in the gap between two owners is told by the next', async () => {
    const [owner] = await threeWithOwner();
    await fleet.sendFor(8, 50);
    Object.assign(owner.state, { hears: false, reachesCache: false, tells: false });
    await fleet.sendFor(14, 50);
    await firesOnce();
    await isOverOnce();
  });

  test('what was written down and not told is told by the next owner', async () => {
    const [owner] = await threeWithOwner();
    owner.state.tells = false;
    await fleet.sendFor(12, 50);
    await until('it is written down', async () => (await fleet.firings()).length === 1);
    expect(fleet.told).toEqual([]);
    Object.assign(owner.state, { hears: false, reachesCache: false });
    await fleet.sendFor(12, 50);
    await firesOnce();
    await isOverOnce();
  });

  test('an owner that is cut off from the cache and goes on is refused by the database', async () => {
    const [owner] = await threeWithOwner();
    owner.state.reachesCache = false;
    await fleet.sendFor(30, 50);
    await firesOnce();
    await isOverOnce();
  });

  test('a cache that loses everything doubles nothing', async () => {
    await threeWithOwner();
    await fleet.sendFor(6, 50);
    await fleet.emptyCache();
    await fleet.sendFor(20, 50);
    await firesOnce();
    await isOverOnce();
  });

  test('a process that joins takes a share and tells nobody again', async () => {
    await threeWithOwner();
    await fleet.sendFor(15, 50);
    await firesOnce();
    await fleet.join();
    await fleet.join();
    await fleet.sendFor(15, 50);
    await firesOnce();
    await isOverOnce();
  });

  test('a rule that is changed anywhere counts everywhere', async () => {
    await threeWithOwner();
    const [rule] = (await fleet.store.rules(fleet.org)).filter(({ name }) => name === RULE.name);
    await fleet.store.changeRule(fleet.org, { ...(rule as Rule), threshold: 100 });
    await fleet.sendFor(6, 1);
    await fleet.sendFor(20, 50);
    expect(await fleet.firings()).toEqual([]);
    await fleet.sendFor(15, 200);
    await firesOnce(200);
  });
});
