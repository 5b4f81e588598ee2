import { feedHost, type FedSample, type HostFeed } from '#kit/host-feed.ts';
import { startMonitoring, type StartedMonitoring } from '#kit/monitored.ts';
import { until } from '#kit/programs.ts';
import type { SignedInPerson } from '#kit/sign-in.ts';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { BUILT_IN_KINDS, type BuiltIn } from './rule.ts';

interface Firing {
  builtIn: BuiltIn;
  title: string;
  attributes: Record<string, string>;
  severity: string;
  outcome: string | null;
}

const EVERY = 10_000;

let hub: StartedMonitoring;
let viewer: SignedInPerson;
let host: HostFeed;
beforeAll(async () => {
  hub = await startMonitoring();
  const first = await hub.join('viewer');
  // The rules of an org are read when its first batch comes.
  const early = await feedHost(hub.bus, first.org, 'early', { ephemeral: true });
  await early.send({ timeMs: hub.clock.now(), samples: [{ name: 'system.cpu.busy', value: 0 }] });
  await until('the rules are there', async () => {
    const { body } = await hub.call('GET', '/api/v1/monitoring/alerts', { token: first.token });
    return body['total'] === BUILT_IN_KINDS.length;
  });
});
afterAll(() => hub.stop());
beforeEach(async () => {
  viewer = await hub.join('viewer');
  host = await feedHost(hub.bus, viewer.org, 'web-1');
});

const listed = async (list: 'active' | 'history', of = host): Promise<Firing[]> => {
  const { token } = await hub.signIn(viewer);
  const path = `/api/v1/monitoring/alerts/${list}?resource=${of.resource}`;
  return (await hub.call('GET', path, { token })).body['items'] as Firing[];
};
const active = (of = host): Promise<Firing[]> => listed('active', of);
const fires = (builtIn: BuiltIn): Promise<Firing> =>
  until(`${builtIn} fires`, async () => (await active()).find((one) => one.builtIn === builtIn));
const resolves = async (builtIn: BuiltIn): Promise<void> => {
  await until(`${builtIn} is over`, async () => (await active()).every((one) => one.builtIn !== builtIn));
  expect((await listed('history')).find((one) => one.builtIn === builtIn)?.outcome).toBe('recovered');
};
/** Sends the same samples every ten seconds for so long. */
const sendFor = async (seconds: number, samples: readonly FedSample[]): Promise<void> => {
  for (let passed = 0; passed <= seconds * 1000; passed += EVERY) {
    await host.send({ timeMs: hub.clock.now(), samples });
    await hub.clock.advance(EVERY);
  }
};

const memory = (available: number): FedSample[] => [
  { name: 'system.memory.limit', value: 8e9 },
  { name: 'system.linux.memory.available', value: available },
];
const disk = (value: number): FedSample[] => [
  { name: 'system.filesystem.utilization', value, attributes: { 'system.filesystem.mountpoint': '/data' } },
];
const collector = (value: number): FedSample[] => [
  { name: 'outrider.collector.success', value, attributes: { 'outrider.collector': 'disk' } },
];
const skew = (value: number): FedSample[] => [{ name: 'outrider.agent.clock.skew', value }];
const faults = (value: number): FedSample[] => [{ name: 'outrider.agent.settings.faults', value }];

interface Case {
  builtIn: BuiltIn;
  /** Seconds of bad samples after which nobody is told yet, and after which somebody is. */
  seconds: [not: number, fires: number];
  bad: FedSample[];
  good: FedSample[];
  severity: string;
  title: RegExp;
}
const CASES: Case[] = [
  { builtIn: 'disk-full', seconds: [40, 30], bad: disk(0.97), good: disk(0.6), severity: 'critical', title: /^Disk \/data on web-1 is 97 % full$/ },
  { builtIn: 'memory-exhausted', seconds: [40, 30], bad: memory(2e8), good: memory(4e9), severity: 'critical', title: /^Memory of web-1 is exhausted: 2.5 % left$/ },
  { builtIn: 'collector-failing', seconds: [280, 30], bad: collector(0), good: collector(1), severity: 'warning', title: /^Collector disk on web-1 fails$/ },
  { builtIn: 'settings-faulty', seconds: [100, 30], bad: faults(2), good: faults(0), severity: 'warning', title: /^The agent’s settings file on web-1 is not in force: 2 faults$/ },
  { builtIn: 'clock-skew', seconds: [40, 30], bad: skew(-12), good: skew(0.1), severity: 'warning', title: /^Clock of web-1 is 12 s off$/ },
]; // prettier-ignore

test.each(CASES)('$builtIn fires after its time, and is over once all is well', async (one) => {
  await sendFor(20, one.good);
  await sendFor(one.seconds[0], one.bad);
  expect(await active()).toEqual([]);
  await sendFor(one.seconds[1], one.bad);
  const fired = await fires(one.builtIn);
  expect(fired).toMatchObject({ severity: one.severity, title: expect.stringMatching(one.title) });
  await sendFor(70, one.good);
  await resolves(one.builtIn);
});

test('a host that swaps in both directions at once has no memory left either', async () => {
  const operations = (total: number): FedSample[] =>
    ['in', 'out'].map((direction) => ({
      name: 'system.paging.operations',
      kind: 'counter',
      value: total,
      attributes: { 'system.paging.direction': direction },
    }));
  for (let turn = 0; turn < 10; turn++) {
    await host.send({ timeMs: hub.clock.now(), samples: operations(turn * 20_000) });
    await hub.clock.advance(EVERY);
  }
  expect((await fires('memory-exhausted')).title).toBe('web-1 swaps 2,000 pages/s in and out at once');
});

test('a host that loses lines is told, with how many, and it is over when it loses none for minutes', async () => {
  const lost = (total: number): FedSample[] => [
    { name: 'outrider.agent.log.lines', kind: 'counter', value: total, attributes: { 'outrider.ledger.state': 'lost' } },
    { name: 'outrider.agent.log.lines', kind: 'counter', value: hub.clock.now(), attributes: { 'outrider.ledger.state': 'read' } },
  ]; // prettier-ignore
  await sendFor(20, lost(7));
  expect(await active()).toEqual([]);
  await sendFor(0, lost(880));
  expect((await fires('lines-lost')).title).toBe('web-1 loses log lines: 87.3 lines/s');
  await sendFor(330, lost(880));
  await resolves('lines-lost');
});

test('a host that is unlike its past is told of by who wants it, and what a shadow model says never is', async () => {
  const score = (value: number, alias: string): FedSample => ({
    name: 'outrider.host.anomaly.score',
    value,
    attributes: alias === '' ? {} : { 'outrider.model.alias': alias },
  });
  await sendFor(120, [score(0.9, 'champion')]);
  expect(await active()).toEqual([]);
  const { token } = await hub.signIn(hub.owner);
  const path = '/api/v1/monitoring/alerts';
  const rules = (await hub.call('GET', `${path}?limit=1000`, { token })).body['items'] as Record<string, unknown>[];
  const { id, builtIn, unit, firing, warnings, ...rule } = rules.find((one) => one['builtIn'] === 'host-anomaly') ?? {};
  void [unit, firing, warnings];
  expect(builtIn).toBe('host-anomaly');
  const set = (enabled: boolean) =>
    hub.call('PUT', `${path}/${String(id)}`, { token, body: { ...rule, enabled } }).then(({ status }) => status);
  expect(await set(true)).toBe(200);
  await sendFor(120, [score(0.1, 'champion'), score(0.99, 'shadow')]);
  expect(await active()).toEqual([]);
  await sendFor(70, [score(0.9, 'champion'), score(0.1, 'shadow')]);
  expect(await fires('host-anomaly')).toMatchObject({
    severity: 'warning',
    title: 'web-1 behaves unlike its past',
    attributes: { 'outrider.model.alias': 'champion' },
  });
  await sendFor(140, [score(0.1, 'champion')]);
  await resolves('host-anomaly');
  await set(false);
});

test('a host is silent after a minute, once, and comes back', async () => {
  const ephemeral = await feedHost(hub.bus, viewer.org, 'runner', { ephemeral: true });
  for (const one of [host, ephemeral])
    await one.send({ timeMs: hub.clock.now(), samples: [{ name: 'system.cpu.busy', value: 0 }] });
  await hub.clock.advance(50_000);
  expect(await active()).toEqual([]);
  // A look at silence asks the database, in real time; one that is under way leaves out the next.
  const silent = await until('host-silent fires', async () => {
    await hub.clock.advance(5000);
    return (await active()).find((one) => one.builtIn === 'host-silent');
  });
  expect(silent.title).toMatch(/^web-1 has been silent for 1 min/);
  expect(await active(ephemeral)).toEqual([]);
  await until('it is over', async () => {
    await sendFor(10, [{ name: 'system.cpu.busy', value: 0 }]);
    return (await active()).length === 0;
  });
  await resolves('host-silent');
});

test('a host that was never heard of is not silent', async () => {
  await hub.clock.advance(180_000);
  expect(await active()).toEqual([]);
});

test('a disk that will be full within four hours is told of, one that fills slowly is not', async () => {
  const start = hub.clock.now();
  const at = (mount: string, value: number): FedSample => ({
    name: 'system.filesystem.utilization',
    value,
    attributes: { 'system.device': mount, 'system.filesystem.mountpoint': mount, 'system.filesystem.type': 'ext4' },
  });
  const both = (minute: number): FedSample[] => [
    at('/fast', 0.7 + (minute / 60) * 0.1),
    at('/slow', 0.7 + (minute / 60) * 0.01),
  ];
  await Promise.all(
    Array.from({ length: 60 }, (_, n) => n - 60).map((minute) =>
      host.send({ timeMs: start + minute * 60_000, samples: both(minute) }),
    ),
  );
  // The look at trends reads the store, which answers in its own time.
  const looks = vi.spyOn(hub.stores.series, 'query');
  for (let minute = 0; minute < 8; minute++) {
    await host.send({ timeMs: hub.clock.now(), samples: both(minute) });
    const before = looks.mock.calls.length;
    await hub.clock.advance(60_000);
    await expect.poll(() => looks.mock.calls.length).toBeGreaterThan(before);
    await Promise.all(looks.mock.results.map(({ value }) => value as Promise<unknown>));
  }
  looks.mockRestore();
  const fired = await fires('disk-filling');
  expect(fired.title).toMatch(/^Disk \/fast on web-1 will be full in 2 h/);
  expect((await active()).filter(({ builtIn }) => builtIn === 'disk-filling')).toHaveLength(1);
});

test('a clock that jumps on the hub makes no host silent and ends no alert', async () => {
  await sendFor(80, disk(0.99));
  await fires('disk-full');
  for (const hours of [24, -48, 24]) {
    hub.clock.jump(hours * 3_600_000);
    await sendFor(20, disk(0.99));
    expect((await active()).map(({ builtIn }) => builtIn)).toEqual(['disk-full']);
  }
});
