import { randomUUID } from 'node:crypto';
import { readEvents } from '#kit/event-reader.ts';
import { feedHost, feedResource, type FedSample, type HostFeed } from '#kit/host-feed.ts';
import { createManualClock } from '#kit/manual-clock.ts';
import { MONITORING, startMonitoring, type StartedMonitoring } from '#kit/monitored.ts';
import type { SignedInPerson } from '#kit/sign-in.ts';
import { startWeb } from '#kit/web.ts';
import { SUBJECTS } from '#proto/subjects.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

interface Points {
  name: string;
  unit: string;
  kind: string;
  attributes: Record<string, string>;
  times: number[];
  avg: number[];
  min: number[];
  max: number[];
  last: number[];
}

const API = '/api/v1/monitoring';
const DAY = 86_400_000;

let hub: StartedMonitoring;
let admin: SignedInPerson;
let host: HostFeed;
beforeAll(async () => {
  hub = await startMonitoring();
});
afterAll(() => hub.stop());
beforeEach(async () => {
  admin = await hub.join('admin');
  host = await feedHost(hub.bus, admin.org, 'web-1');
});

const call = (method: string, path: string, body?: unknown, by = admin) =>
  hub.call(method, `${API}${path}`, { token: by.token, body });
const metrics = async (query: Record<string, string> | string, resource = host.resource): Promise<Points[]> => {
  const { status, body } = await call('GET', `/metrics/${resource}?${new URLSearchParams(query)}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body['series'] as Points[];
};
/** Sends a batch for each value, a second apart, the last one before now. */
const sendSeconds = async (values: readonly number[], sample: (value: number) => FedSample[]): Promise<number> => {
  const start = hub.clock.now() - values.length * 1000;
  await Promise.all(
    values.map((value, second) => host.send({ timeMs: start + second * 1000, samples: sample(value) })),
  );
  return start;
};

describe('a resource', () => {
  test('that no agent brings is added, found, renamed and labelled', async () => {
    const name = `shop-${randomUUID()}`;
    const made = await call('POST', '/resources', { type: 'endpoint', name, endpoint: 'https://shop.example' });
    expect(made.status).toBe(201);
    const path = `/resources/${String(made.body['id'])}`;
    expect((await call('GET', path)).body).toMatchObject({
      type: 'endpoint',
      name,
      connected: false,
      lastSeenMs: null,
    });
    expect((await call('PUT', path, { name: `${name}_%`, labels: { team: 'a' } })).status).toBe(204);
    const found = await call('GET', `/resources?${new URLSearchParams({ q: `${name.toUpperCase()}_%` })}`);
    expect(found.body).toMatchObject({
      total: 1,
      items: [{ labels: { team: 'a' }, endpoint: 'https://shop.example' }],
    });
    expect((await call('GET', '/resources?q=_%25_%25')).body['total']).toBe(0);
  });

  test('comes with its agent, and shows whether it is connected and what it is', async () => {
    const connection = { agent: host.resource, atMs: hub.clock.now(), version: '1.2.3' };
    const connected = { ...connection, connected: true, inventory: { 'os.type': 'linux' } };
    await hub.bus.publish(SUBJECTS.agentConnection, admin.org, connected);
    const { body } = await call('GET', `/resources/${host.resource}`);
    expect(body).toMatchObject({
      type: 'host',
      name: 'web-1',
      connected: true,
      version: '1.2.3',
      inventory: { 'os.type': 'linux' },
      lastSeenMs: hub.clock.now(),
    });
    const gone = { ...connection, connected: false, version: '', inventory: {} };
    await hub.bus.publish(SUBJECTS.agentConnection, admin.org, gone);
    const after = await call('GET', `/resources/${host.resource}`);
    expect(after.body).toMatchObject({ connected: false, version: '1.2.3', inventory: { 'os.type': 'linux' } });
  });

  test('lists its series with units, and pages with others', async () => {
    await host.send({ timeMs: hub.clock.now(), samples: [{ name: 'system.memory.limit', value: 8e9 }] });
    const { body } = await call('GET', `/resources/${host.resource}/series`);
    expect(body['items']).toEqual([
      expect.objectContaining({ name: 'system.memory.limit', kind: 'gauge', unit: 'By', lastMs: hub.clock.now() }),
    ]);
    const page = await call('GET', '/resources?limit=1&offset=1');
    expect(page.body).toMatchObject({ limit: 1, offset: 1 });
    expect(page.body['items']).toHaveLength(1);
  });

  test('goes with its data, and says so to all who own some', async () => {
    const told: string[] = [];
    const end = hub.bus.subscribe(SUBJECTS.resourceDeleted, 'test', async (_org, { resource }) => {
      told.push(resource);
      await Promise.resolve();
    });
    await host.send({ timeMs: hub.clock.now(), samples: [{ name: 'system.cpu.busy', value: 1 }] });
    expect((await call('DELETE', `/resources/${host.resource}`)).status).toBe(204);
    end();
    expect(told).toEqual([host.resource]);
    expect(await hub.stores.series.list(admin.org, host.resource)).toEqual([]);
    for (const path of [`/resources/${host.resource}`, `/metrics/${host.resource}?name=system.cpu.busy`])
      expect((await call('GET', path)).status).toBe(404);
    expect((await call('DELETE', `/resources/${host.resource}`)).status).toBe(404);
  });

  test.each([
    ['POST', '/resources', { type: '', name: 'x' }],
    ['POST', '/resources', { type: 'host', name: 'x', org: randomUUID() }],
    ['PUT', `/resources/${randomUUID()}`, {}],
    ['GET', '/resources?limit=0', undefined],
    ['GET', '/resources/1', undefined],
    ['GET', "/resources/'%20OR%20''='", undefined],
  ])('%s %s with %j is not valid', async (method, path, body) => {
    expect((await call(method, path, body)).body['code']).toBe('http.invalid-request');
  });
});

describe('samples', () => {
  test('come with average, least, most and last of each step', async () => {
    const values = Array.from({ length: 30 }, (_, n) => n);
    const start = await sendSeconds(values, (value) => [{ name: 'system.memory.limit', value }]);
    const query = { name: 'system.memory.limit', from: String(start), to: String(start + 30_000), step: '10s' };
    expect(await metrics(query)).toEqual([
      {
        name: 'system.memory.limit',
        unit: 'By',
        kind: 'gauge',
        attributes: {},
        times: [start, start + 10_000, start + 20_000],
        avg: [4.5, 14.5, 24.5],
        min: [0, 10, 20],
        max: [9, 19, 29],
        last: [9, 19, 29],
      },
    ]);
  });

  test('of several names come in one answer, by commas or repeated; unknown names are left out', async () => {
    await host.send({
      timeMs: hub.clock.now() - 1000,
      samples: [
        { name: 'a.one', value: 1 },
        { name: 'a.two', value: 2 },
      ],
    });
    for (const query of ['name=a.one,a.two,a.three', 'name=a.one&name=a.two'])
      expect((await metrics(query)).map(({ name, last }) => [name, last[0]])).toEqual([
        ['a.one', 1],
        ['a.two', 2],
      ]);
    expect(await metrics('name=a.three')).toEqual([]);
  });

  test('are picked by attributes, split by them, and a total stands for its parts', async () => {
    const core = (n: number, value: number) => ({ 'cpu.logical_number': String(n), value });
    const busy = ({ value, ...attributes }: { value: number } & Record<string, unknown>): FedSample => ({
      name: 'system.cpu.busy',
      value,
      attributes: attributes as Record<string, string>,
    });
    const samples = [busy({ value: 0.5 }), busy(core(0, 0.2)), busy(core(1, 0.8))];
    await host.send({ timeMs: hub.clock.now() - 1000, samples });
    const lasts = async (query: string) => (await metrics(`name=system.cpu.busy&${query}`)).map(({ last }) => last[0]);
    expect(await lasts('')).toEqual([0.5]);
    expect(await lasts('attr.cpu.logical_number=1')).toEqual([0.8]);
    expect(await lasts('attr.cpu.logical_number=7')).toEqual([]);
    const split = await metrics('name=system.cpu.busy&by=cpu.logical_number');
    expect(split.map(({ attributes, last }) => [attributes['cpu.logical_number'], last[0]])).toEqual([
      ['0', 0.2],
      ['1', 0.8],
    ]);
  });

  test('of counters come as rates a second, also over a restart', async () => {
    const samples = (value: number): FedSample[] => [{ name: 'system.network.io', kind: 'counter', value }];
    const start = await sendSeconds([1000, 1100, 1200, 1300, 50, 150], samples);
    const query = { name: 'system.network.io', from: String(start), to: String(start + 6000), step: '1s' };
    const [{ times, avg } = { times: [], avg: [] }] = await metrics(query);
    expect(times.map((at) => (at - start) / 1000)).toEqual([1, 2, 3, 4, 5]);
    expect(avg).toEqual([100, 100, 100, 50, 100]);
  });

  test('are merged as they are asked for', async () => {
    const part = (value: number, device: string): FedSample => ({ name: 'x.part', value, attributes: { device } });
    await host.send({ timeMs: hub.clock.now() - 1000, samples: [part(1, 'a'), part(5, 'b')] });
    for (const [merge, value] of [
      ['sum', 6],
      ['avg', 3],
      ['max', 5],
    ] as const)
      expect((await metrics({ name: 'x.part', merge }))[0]?.last).toEqual([value]);
  });

  test.each([
    ['name=a&from=now&to=-1h', 'time.bad-range'],
    ['name=a&from=-30d&step=1s', 'time.bad-range'],
    ['name=a&step=often', 'time.unreadable'],
    ['name=a&from=last%20week', 'time.unreadable'],
    ['name=a&merge=median', 'http.invalid-request'],
    ['from=-1h', 'http.invalid-request'],
    [`name=${'n'.repeat(2001)}`, 'http.invalid-request'],
  ])('%s is refused with %s', async (query, code) => {
    const { status, body } = await call('GET', `/metrics/${host.resource}?${query}`);
    expect([status, body['code']]).toEqual([400, code]);
  });

  test.each([
    ['name=a&attrs.cpu.mode=user', 'There is no parameter "attrs.cpu.mode"; there are name, from, '],
    ['name=a&attr.=user', 'There is no parameter "attr."'],
    ['name=a&attr.cpu.mode=user&attr.cpu.mode=idle', 'attr.cpu.mode must be string'],
    ['name=a&merge=median', 'merge must be one of sum, avg, max'],
    ['name=a&step=0', 'A step is at least 1 s.'],
    ['name=a&step=1ms', 'A step is at least 1 s.'],
  ])('%s is refused in words that help', async (query, words) => {
    const { status, body } = await call('GET', `/metrics/${host.resource}?${query}`);
    expect(status).toBe(400);
    expect(body['detail']).toContain(words);
  });

  test('of names that would be code elsewhere are samples like others', async () => {
    const name = "x'); DROP TABLE raw; --";
    const attributes = { "k'": "v'\0%" };
    await host.send({ timeMs: hub.clock.now() - 1000, samples: [{ name, value: 7, attributes }] });
    const query = new URLSearchParams({ name, "attr.k'": "v'\0%" });
    expect((await metrics(query.toString()))[0]?.last).toEqual([7]);
    expect(await metrics(new URLSearchParams({ name, "attr.k'": '%' }).toString())).toEqual([]);
  });
});

describe('retention', () => {
  const settings = { rawDays: 3, tenSecondDays: 14, minuteDays: 365, hourDays: 1826, diskGb: 20 };

  test('has defaults, and says what the samples take', async () => {
    const { body } = await call('GET', '/retention');
    expect(body).toMatchObject({ settings, usage: { bytes: expect.any(Number), samples: expect.any(Number) } });
  });

  test('that is shortened lets old samples go at once and keeps coarse ones', async () => {
    const old = Math.floor((hub.clock.now() - 2 * DAY) / 60_000) * 60_000;
    for (const [at, value] of [
      [old, 1],
      [old + 1000, 3],
      [hub.clock.now() - 1000, 9],
    ] as const)
      await host.send({ timeMs: at, samples: [{ name: 'a.kept', value }] });
    const query = { name: 'a.kept', from: String(old), to: String(old + 5000), step: '1s' };
    expect((await metrics(query))[0]?.last).toEqual([1, 3]);
    expect((await call('PUT', '/retention', { ...settings, rawDays: 1 })).status).toBe(204);
    expect((await call('GET', '/retention')).body['settings']).toEqual({ ...settings, rawDays: 1 });
    const [coarse] = await metrics(query);
    expect([coarse?.times, coarse?.avg, coarse?.last]).toEqual([[old], [2], [3]]);
    expect((await metrics({ name: 'a.kept', from: '-1m', step: '1s' }))[0]?.last).toEqual([9]);
    await call('PUT', '/retention', settings);
  });

  test('is changed by administrators alone, within reason', async () => {
    const editor = await hub.join('editor');
    expect((await call('PUT', '/retention', settings, editor)).status).toBe(403);
    expect((await call('PUT', '/retention', { ...settings, rawDays: 0 })).status).toBe(400);
    expect((await call('PUT', '/retention', { rawDays: 1 })).status).toBe(400);
  });
});

describe('the overview', () => {
  const verdict = async (resource = host.resource) => {
    const { body } = await call('GET', '/overview');
    return (body['hosts'] as { id: string; state: string; verdict: string; headline: object }[]).find(
      ({ id }) => id === resource,
    );
  };
  const busy = (value: number): FedSample[] => [{ name: 'system.cpu.busy', value }];

  test('says of each host how it is, in one word and one sentence', async () => {
    expect(await verdict()).toMatchObject({ state: 'new' });
    await host.send({ timeMs: hub.clock.now(), samples: busy(0.25) });
    expect(await verdict()).toMatchObject({ state: 'healthy', verdict: 'Healthy.', headline: { cpu: 0.25 } });
    await host.send({ timeMs: hub.clock.now() + 1000, samples: busy(0.97) });
    expect(await verdict()).toMatchObject({ state: 'healthy', headline: { cpu: 0.97 } });
    await host.send({ timeMs: hub.clock.now() + 61_000, samples: busy(0.97) });
    expect(await verdict()).toMatchObject({ state: 'strained', verdict: 'CPU 97 % busy over the last minute.' });
    await hub.clock.advance(240_000);
    expect(await verdict()).toMatchObject({ state: 'silent', verdict: 'Silent for 4 min.' });
  });
});

describe('the overview of a hub that starts anew', () => {
  test('calls no host healthy of which nothing came since, and takes its time to call it silent', async () => {
    const busy = [{ name: 'system.cpu.busy', value: 0.25 }];
    await host.send({ timeMs: hub.clock.now(), samples: busy });
    const other = await feedHost(hub.bus, admin.org, 'web-2');
    const ports = { relational: hub.relational, series: hub.stores.series };
    await other.send({ timeMs: hub.clock.now(), samples: busy });
    const next = await startWeb({ services: [MONITORING], ports, clock: createManualClock(hub.clock.now() + 42_000) });
    const verdict = async ({ resource }: HostFeed): Promise<unknown> => {
      const principal = { org: admin.org, user: admin.id, name: 'x', role: 'viewer', via: 'session' } as const;
      const request = { method: 'GET', path: `${API}/overview`, principal } as const;
      const { hosts } = await next.peers.json<{ hosts: { id: string }[] }>('monitoring', request);
      return hosts.find(({ id }) => id === resource);
    };
    const sentence = (seconds: number) => `Not heard since the hub started; last seen ${seconds} s ago.`;
    try {
      expect(await verdict(host)).toMatchObject({ state: 'new', verdict: sentence(42) });
      await next.clock.advance(30_000);
      expect(await verdict(host)).toMatchObject({ state: 'new', verdict: sentence(72) });
      await feedResource(next.bus, admin.org, host.resource, 2n).send({ timeMs: next.clock.now(), samples: busy });
      expect(await verdict(host)).toMatchObject({ state: 'healthy' });
      await next.clock.advance(61_000);
      expect(await verdict(host)).toMatchObject({ state: 'silent', verdict: 'Silent for 61 s.' });
      expect(await verdict(other)).toMatchObject({ state: 'silent', verdict: 'Silent for 2 min.' });
    } finally {
      await next.stop();
    }
  });
});

describe('a host whose clock jumps', () => {
  const busy = (value: number): FedSample[] => [{ name: 'system.cpu.busy', value }];
  const shown = async (): Promise<unknown> =>
    ((await call('GET', `/resources/${host.resource}`)).body['headline'] as { cpu?: number }).cpu;

  test('is live again as soon as the clock is right', async () => {
    await host.send({ timeMs: hub.clock.now(), samples: busy(0.1) });
    await host.send({ timeMs: hub.clock.now() + DAY, samples: busy(0.2) });
    expect(await shown()).toBe(0.2);
    await host.send({ timeMs: hub.clock.now() + 1000, samples: busy(0.3) });
    expect(await shown()).toBe(0.3);
  });

  test('shows nothing old as new when it fills in what was missed', async () => {
    await host.send({ timeMs: hub.clock.now(), samples: busy(0.4) });
    await host.send({ timeMs: hub.clock.now() - 60_000, samples: busy(0.5), lane: 2 });
    expect(await shown()).toBe(0.4);
    const query = { name: 'system.cpu.busy', from: '-2m', step: '1s' };
    expect((await metrics(query))[0]?.last).toEqual([0.5]);
  });
});

describe('the live stream', () => {
  const stream = (query: string, by = admin) => readEvents(`${hub.base}${API}/stream?${query}`, by.token);
  const sent = (value: number): FedSample[] => [
    { name: 'system.cpu.busy', value },
    { name: 'system.memory.limit', value: 8e9 },
  ];

  test('names series, then brings each new value, of the names that were asked for', async () => {
    await host.send({ timeMs: hub.clock.now(), samples: sent(0.1) });
    const events = await stream(`resource=${host.resource}&name=system.cpu.busy`);
    try {
      expect(events.contentType).toBe('text/event-stream');
      const named = await events.next<{ series: { index: number; name: string; unit: string }[] }>('series');
      expect(named.series).toEqual([expect.objectContaining({ name: 'system.cpu.busy', unit: '1' })]);
      const index = named.series[0]?.index;
      expect(await events.next('sample')).toMatchObject({ values: [[index, 0.1]] });
      expect(await events.next('clock')).toEqual({ nowMs: hub.clock.now() });
      await host.send({ timeMs: hub.clock.now() + 1000, samples: sent(0.2) });
      expect(await events.next('sample')).toEqual({
        resource: host.resource,
        timeMs: hub.clock.now() + 1000,
        values: [[index, 0.2]],
      });
      const more = [...sent(0.3), { name: 'system.cpu.busy', value: 0.4, attributes: { 'cpu.logical_number': '0' } }];
      await host.send({ timeMs: hub.clock.now() + 2000, samples: more });
      expect((await events.next<{ series: unknown[] }>('series')).series).toHaveLength(2);
      expect((await events.next<{ values: unknown[] }>('sample')).values).toHaveLength(2);
    } finally {
      events.close();
    }
  });

  test('begins with each newest value under its own time', async () => {
    const now = hub.clock.now();
    await host.send({ timeMs: now - 5000, samples: [{ name: 'a.disk.that.left', value: 7 }] });
    await host.send({ timeMs: now, samples: sent(0.1) });
    const events = await stream(`resource=${host.resource}`);
    try {
      expect(await events.next('sample')).toMatchObject({ timeMs: now - 5000, values: [[0, 7]] });
      expect(await events.next('sample')).toMatchObject({ timeMs: now });
    } finally {
      events.close();
    }
  });

  test('brings headline numbers of all hosts once a second', async () => {
    const events = await stream('hosts=true');
    try {
      await events.next('clock');
      await host.send({ timeMs: hub.clock.now(), samples: sent(0.6) });
      await hub.clock.advance(1000);
      const { hosts } = await events.next<{ hosts: { resource: string; cpu: number }[] }>('hosts');
      expect(hosts).toEqual([expect.objectContaining({ resource: host.resource, cpu: 0.6 })]);
    } finally {
      events.close();
    }
  });

  test('shows nothing of another organisation, and nothing to who is not signed in', async () => {
    expect((await readEvents(`${hub.base}${API}/stream`, 'x')).status).toBe(401);
    const outsider = await hub.outsider();
    const own = await feedHost(hub.bus, outsider.org, 'theirs');
    const events = await stream(`resource=${host.resource},${own.resource}&hosts=true`, outsider);
    try {
      await host.send({ timeMs: hub.clock.now(), samples: sent(0.6) });
      await own.send({ timeMs: hub.clock.now(), samples: sent(0.7) });
      expect((await events.next<{ resource: string }>('sample')).resource).toBe(own.resource);
      await hub.clock.advance(1000);
      expect((await events.next<{ hosts: unknown[] }>('hosts')).hosts).toHaveLength(1);
    } finally {
      events.close();
    }
  });
});

describe('people', () => {
  test('who may only look change nothing', async () => {
    const viewer = await hub.join('viewer');
    const path = `/resources/${host.resource}`;
    expect((await call('POST', '/resources', { type: 'host', name: 'x' }, viewer)).status).toBe(403);
    expect((await call('PUT', path, { name: 'x' }, viewer)).status).toBe(403);
    expect((await call('DELETE', path, undefined, await hub.join('editor'))).status).toBe(403);
    expect((await call('GET', path, undefined, viewer)).status).toBe(200);
  });

  test('of another organisation see no resource and no sample', async () => {
    await host.send({ timeMs: hub.clock.now() - 1000, samples: [{ name: 'system.cpu.busy', value: 1 }] });
    const outsider = await hub.outsider();
    const path = `/resources/${host.resource}`;
    expect((await call('GET', '/resources', undefined, outsider)).body['total']).toBe(0);
    expect((await call('GET', '/overview', undefined, outsider)).body['total']).toBe(0);
    for (const [method, at, body] of [
      ['GET', path, undefined],
      ['GET', `${path}/series`, undefined],
      ['GET', `/metrics/${host.resource}?name=system.cpu.busy`, undefined],
      ['PUT', path, { name: 'mine' }],
      ['DELETE', path, undefined],
    ] as const)
      expect((await call(method, at, body, outsider)).status).toBe(404);
    expect((await metrics('name=system.cpu.busy'))[0]?.last).toEqual([1]);
  });

  test('who are not signed in get nothing', async () => {
    for (const path of ['/resources', '/overview', '/retention', `/metrics/${host.resource}?name=a`, '/alerts'])
      expect((await hub.call('GET', `${API}${path}`)).status).toBe(401);
  });
});

test('a host that comes and goes is removed with its data after long silence, and no other is', async () => {
  const own = await startMonitoring({ guestDays: 0.01 });
  try {
    const person = await own.join('viewer');
    const [guest, stays] = [
      await feedHost(own.bus, person.org, 'runner-1', { ephemeral: true }),
      await feedHost(own.bus, person.org, 'web-1'),
    ];
    for (const one of [guest, stays])
      await one.send({ timeMs: own.clock.now(), samples: [{ name: 'system.cpu.busy', value: 1 }] });
    const statusOf = async ({ resource }: HostFeed): Promise<number> => {
      const { token } = await own.signIn(person);
      return (await own.call('GET', `${API}/resources/${resource}`, { token })).status;
    };
    await own.clock.advance(600_000);
    await own.runScheduled('remove-guests');
    expect(await statusOf(guest)).toBe(200);
    await own.clock.advance(600_000);
    await own.runScheduled('remove-guests');
    expect(await statusOf(guest)).toBe(404);
    expect(await own.stores.series.list(person.org, guest.resource)).toEqual([]);
    expect(await statusOf(stays)).toBe(200);
  } finally {
    await own.stop();
  }
});
