import { randomUUID } from 'node:crypto';
import { readEvents } from '#kit/event-reader.ts';
import { feedHost, feedResource, type HostFeed } from '#kit/host-feed.ts';
import { createManualClock } from '#kit/manual-clock.ts';
import { MONITORING, startMonitoring, type StartedMonitoring } from '#kit/monitored.ts';
import { until } from '#kit/programs.ts';
import type { SignedInPerson } from '#kit/sign-in.ts';
import { startWeb } from '#kit/web.ts';
import { SUBJECTS, type AlertChanged } from '#proto/subjects.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

interface Firing {
  id: string;
  rule: string;
  resource: string;
  state: string;
  outcome: string | null;
  title: string;
  value: number;
  peak: number;
  startedMs: number;
  firedMs: number;
  told: boolean;
  silenced: boolean;
  acknowledged: { by: string; note: string } | null;
}

const API = '/api/v1/monitoring/alerts';
const RULE = { name: 'Queue is long', metric: 'shop.queue', operator: 'gt', threshold: 10 };

let hub: StartedMonitoring;
let editor: SignedInPerson;
let host: HostFeed;
const told: AlertChanged[] = [];
beforeAll(async () => {
  hub = await startMonitoring();
  hub.bus.subscribe(SUBJECTS.alertChanged, 'test', async (_org, news) => {
    told.push(news);
    await Promise.resolve();
  });
});
afterAll(() => hub.stop());
beforeEach(async () => {
  editor = await hub.join('editor');
  host = await feedHost(hub.bus, editor.org, 'web-1');
  told.length = 0;
});

const call = (method: string, path: string, body?: unknown, by = editor) =>
  hub.call(method, `${API}${path}`, { token: by.token, body });
const newRule = async (more: Record<string, unknown> = {}): Promise<string> => {
  const { status, body } = await call('POST', '', { ...RULE, resource: host.resource, ...more });
  expect(status, JSON.stringify(body)).toBe(201);
  return String(body['id']);
};
const firings = async (list: 'active' | 'history', rule: string): Promise<Firing[]> =>
  (await call('GET', `/${list}?rule=${rule}`)).body['items'] as Firing[];
const active = (rule: string): Promise<Firing[]> => firings('active', rule);
const send = (value: number, to = host): Promise<void> =>
  to.send({ timeMs: hub.clock.now(), samples: [{ name: 'shop.queue', value, attributes: { queue: 'mail' } }] });
/** A value each second for so long. */
const sendFor = async (seconds: number, value: number): Promise<void> => {
  for (let second = 0; second < seconds; second++) {
    await send(value);
    await hub.clock.advance(1000);
  }
};
const firing = (rule: string): Promise<Firing> => until('it fires', async () => (await active(rule))[0]);
const over = (rule: string) => until('it is over', async () => (await active(rule)).length === 0);
const toldOf = (rule: string) => told.filter((news) => news.rule === rule).map(({ state }) => state);

describe('a rule', () => {
  test('is made, read, changed and removed', async () => {
    const id = await newRule({ severity: 'critical', channels: ['ops'], filter: { queue: 'mail' } });
    const { body } = await call('GET', `/${id}`);
    expect(body).toMatchObject({ ...RULE, severity: 'critical', channels: ['ops'], builtIn: null, firing: 0 });
    expect(body['warnings']).toHaveLength(1);
    const changed = { ...RULE, resource: host.resource, threshold: 20, enabled: false };
    expect((await call('PUT', `/${id}`, changed)).body).toMatchObject({ threshold: 20, enabled: false });
    const all = (await call('GET', '?limit=1000')).body['items'] as { id: string; threshold: number }[];
    expect(all.find((rule) => rule.id === id)?.threshold).toBe(20);
    expect((await call('DELETE', `/${id}`)).status).toBe(204);
    expect((await call('GET', `/${id}`)).status).toBe(404);
  });

  test.each([
    [{ operator: 'like' }, 400, 'http.invalid-request'],
    [{ threshold: 'much' }, 400, 'http.invalid-request'],
    [{ forSeconds: -1 }, 400, 'http.invalid-request'],
    [{ name: '' }, 400, 'http.invalid-request'],
    [{ org: randomUUID() }, 400, 'http.invalid-request'],
    [{ clear: 20 }, 400, 'alerts.invalid-rule'],
    [{ resource: randomUUID() }, 400, 'alerts.unknown-resource'],
  ])('with %j is refused', async (wrong, status, code) => {
    const made = await call('POST', '', { ...RULE, resource: host.resource, ...wrong });
    expect([made.status, made.body['code']]).toEqual([status, code]);
  });

  test('can be tried on the past before it is saved', async () => {
    const start = hub.clock.now() - 1_200_000;
    for (let minute = 0; minute < 20; minute++)
      await host.send({
        timeMs: start + minute * 60_000,
        samples: [{ name: 'shop.queue', value: minute >= 5 && minute < 10 ? 30 : 1, attributes: { queue: 'mail' } }],
      });
    const { body } = await call('POST', '/preview?hours=1', { ...RULE, resource: host.resource });
    expect(body).toMatchObject({ total: 1, complete: true });
    expect(body['episodes']).toEqual([
      expect.objectContaining({ resource: host.resource, resourceName: 'web-1', peak: 30, fromMs: start + 300_000 }),
    ]);
    const strict = await call('POST', '/preview?hours=1', { ...RULE, resource: host.resource, threshold: 30 });
    expect(strict.body['total']).toBe(0);
  });

  test('that everyone has may be made milder and switched off, not turned into another or removed', async () => {
    const { body } = await call('GET', '?limit=1000');
    const rules = body['items'] as { id: string; builtIn: string | null; enabled: boolean }[];
    const built = rules.filter(({ builtIn }) => builtIn !== null);
    expect(built.map(({ builtIn }) => builtIn).sort()).toEqual([
      'clock-skew', 'collector-failing', 'disk-filling', 'disk-full', 'host-anomaly', 'host-silent', 'lines-lost', 'memory-exhausted', 'settings-faulty',
    ]); // prettier-ignore
    expect(built.filter(({ enabled }) => !enabled).map(({ builtIn }) => builtIn)).toEqual(['host-anomaly']);
    const skew = rules.find(({ builtIn }) => builtIn === 'clock-skew');
    const path = `/${skew?.id ?? ''}`;
    const { id, builtIn, unit, firing: _firing, warnings, ...kept } = (await call('GET', path)).body;
    void [id, builtIn, unit, warnings];
    expect((await call('DELETE', path)).body['code']).toBe('alerts.built-in');
    expect((await call('PUT', path, { ...kept, metric: 'system.cpu.busy' })).body['code']).toBe('alerts.built-in');
    expect((await call('PUT', path, { ...kept, threshold: 30 })).body).toMatchObject({ threshold: 30 });
    expect((await call('PUT', path, kept)).status).toBe(200);
  });
});

describe('an alert', () => {
  test('fires once values were bad for long enough, is told once, and is resolved when they are good', async () => {
    const rule = await newRule({ forSeconds: 30 });
    await sendFor(25, 50);
    await send(5);
    await sendFor(25, 60);
    expect(await active(rule)).toEqual([]);
    await sendFor(10, 70);
    const fired = await firing(rule);
    expect(fired).toMatchObject({ resource: host.resource, state: 'firing', peak: 70, acknowledged: null });
    expect(fired.firedMs - fired.startedMs).toBe(30_000);
    await until('people are told', () => toldOf(rule).length === 1);
    await sendFor(5, 90);
    expect((await active(rule))[0]).toMatchObject({ id: fired.id, value: 90, peak: 90, told: true });
    await send(3);
    await over(rule);
    await until('people are told again', () => toldOf(rule).length === 2);
    expect(toldOf(rule)).toEqual(['firing', 'resolved']);
    const [past] = await firings('history', rule);
    expect(past).toMatchObject({ id: fired.id, state: 'resolved', outcome: 'recovered', value: 3, peak: 90 });
    const title = told.find((news) => news.rule === rule)?.title;
    expect(title).toBe('shop.queue (queue=mail) on web-1 is 70, above 10');
  });

  test('looks only at what its filter names', async () => {
    const rule = await newRule({ filter: { queue: 'print' } });
    await send(50);
    await host.send({
      timeMs: hub.clock.now(),
      samples: [{ name: 'shop.queue', value: 40, attributes: { queue: 'print' } }],
    });
    expect((await firing(rule)).value).toBe(40);
    expect(await active(rule)).toHaveLength(1);
  });

  test('is acknowledged and given back, with the name of who did it', async () => {
    const rule = await newRule();
    await send(50);
    const { id } = await firing(rule);
    const path = `/active/${id}/acknowledge`;
    expect((await call('POST', path, { note: 'on it' })).body['acknowledged']).toMatchObject({
      by: editor.username,
      note: 'on it',
    });
    expect((await active(rule))[0]?.acknowledged?.note).toBe('on it');
    expect((await call('DELETE', path)).body['acknowledged']).toBeNull();
    await send(1);
    await over(rule);
    expect((await call('POST', path, {})).status).toBe(404);
  });

  test('under a silence tells nobody until the silence ends', async () => {
    const rule = await newRule();
    const wish = { rule, toMs: hub.clock.now() + 120_000, reason: 'maintenance' };
    const silence = await call('POST', '/silences', wish);
    expect(silence.body).toMatchObject({ author: editor.username, resource: null });
    await send(50);
    expect(await firing(rule)).toMatchObject({ silenced: true, told: false });
    await hub.clock.advance(60_000);
    await send(50);
    expect(toldOf(rule)).toEqual([]);
    await hub.clock.advance(60_000);
    await send(50);
    await until('people are told', async () => {
      await hub.clock.advance(31_000); // A look that falls into a slow one before it is left to the next.
      return toldOf(rule).length === 1;
    });
    const listed = (await call('GET', '/silences')).body['items'] as { rule: string }[];
    expect(listed.filter((one) => one.rule === rule)).toEqual([]);
  });

  test('that comes and goes under a silence is never told, and a silence can be ended early', async () => {
    const rule = await newRule();
    const wish = { resource: host.resource, toMs: hub.clock.now() + 3_600_000, reason: 'moving' };
    const { body } = await call('POST', '/silences', wish);
    await send(50);
    await firing(rule);
    await send(1);
    await over(rule);
    await hub.clock.advance(31_000);
    expect(toldOf(rule)).toEqual([]);
    expect((await call('DELETE', `/silences/${String(body['id'])}`)).status).toBe(204);
    await send(50);
    await until('people are told', () => toldOf(rule).length > 0);
    for (const wrong of [{ toMs: hub.clock.now() - 1 }, { toMs: hub.clock.now() + 1, fromMs: hub.clock.now() + 2 }])
      expect((await call('POST', '/silences', { reason: 'x', ...wrong })).body['code']).toBe('alerts.invalid-silence');
  });

  test.each([
    ['recovers', () => send(1)],
    ['loses its rule', (rule: string) => call('DELETE', `/${rule}`)],
  ])('that was told and then %s under a silence ends without a word, also later', async (_how, end) => {
    const rule = await newRule();
    await send(50);
    await until('people are told', () => toldOf(rule).length === 1);
    const wish = { resource: host.resource, toMs: hub.clock.now() + 60_000, reason: 'moving' };
    expect((await call('POST', '/silences', wish)).status).toBe(201);
    await end(rule);
    await over(rule);
    await hub.clock.advance(31_000);
    await hub.clock.advance(61_000);
    await hub.clock.advance(31_000);
    expect(toldOf(rule)).toEqual(['firing']);
    expect((await firings('history', rule))[0]).toMatchObject({ state: 'resolved', told: true });
  });

  test.each([
    ['switched off', { enabled: false }, 'rule-changed'],
    ['pointed at another metric', { metric: 'shop.other' }, 'rule-changed'],
  ])('is closed when its rule is %s', async (_how, change, outcome) => {
    const rule = await newRule();
    await send(50);
    await firing(rule);
    await call('PUT', `/${rule}`, { ...RULE, resource: host.resource, ...change });
    await over(rule);
    expect((await firings('history', rule))[0]).toMatchObject({ outcome, state: 'resolved' });
  });

  test('is closed when its rule is removed, and gone when its host is', async () => {
    const rule = await newRule();
    await send(50);
    const { id } = await firing(rule);
    expect((await call('DELETE', `/${rule}`)).status).toBe(204);
    await over(rule);
    const other = await newRule();
    await send(50);
    await firing(other);
    const admin = await hub.join('admin');
    const path = `/api/v1/monitoring/resources/${host.resource}`;
    expect((await hub.call('DELETE', path, { token: admin.token })).status).toBe(204);
    const left = (await call('GET', `/history?resource=${host.resource}`)).body['items'] as Firing[];
    expect(left.filter((one) => one.id === id || one.rule === other)).toEqual([]);
    expect((await call('GET', `/${other}`)).status).toBe(404);
  });

  test('is seen by who reads the live stream', async () => {
    const events = await readEvents(`${hub.base}/api/v1/monitoring/stream`, editor.token);
    try {
      await events.next('clock');
      const rule = await newRule();
      await send(50);
      const { id } = await firing(rule);
      const ours = ({ firing: one }: { firing: string }): boolean => one === id;
      expect(await events.next('alert', ours)).toMatchObject({ state: 'firing', resource: host.resource });
      await call('POST', `/active/${id}/acknowledge`, {});
      expect(await events.next('alert', ours)).toMatchObject({ state: 'acknowledged' });
    } finally {
      events.close();
    }
  });
});

describe('a hub that starts anew', () => {
  test('knows how bad it was, and stores that at the end', async () => {
    const rule = await newRule();
    for (const value of [50, 90, 60]) await send(value);
    await firing(rule);
    await hub.clock.advance(5000);
    const ports = { relational: hub.relational, series: hub.stores.series };
    const peakOf = async (list: string): Promise<number | undefined> => {
      const principal = { org: editor.org, user: editor.id, name: 'x', role: 'viewer', via: 'session' } as const;
      const request = { method: 'GET', path: `${API}/${list}`, query: `rule=${rule}`, principal } as const;
      return (await next.peers.json<{ items: Firing[] }>('monitoring', request)).items[0]?.peak;
    };
    const next = await startWeb({ services: [MONITORING], ports, clock: createManualClock(hub.clock.now() + 60_000) });
    try {
      expect(await peakOf('active')).toBe(90);
      await send(1, feedResource(next.bus, editor.org, host.resource, 2n));
      await until('it is over', async () => (await peakOf('active')) === undefined);
      expect(await peakOf('history')).toBe(90);
    } finally {
      await next.stop();
    }
  });

  test('knows what fires, tells nobody of it again, and resolves it', async () => {
    const rule = await newRule();
    await send(50);
    const { id } = await firing(rule);
    await until('people are told', () => toldOf(rule).length === 1);
    const ports = { relational: hub.relational, series: hub.stores.series };
    const next = await startWeb({ services: [MONITORING], ports, clock: createManualClock(hub.clock.now() + 60_000) });
    const news: string[] = [];
    next.bus.subscribe(SUBJECTS.alertChanged, 'test', async (_org, one) => {
      if (one.rule === rule) news.push(one.state);
      await Promise.resolve();
    });
    const principal = { org: editor.org, user: editor.id, name: 'x', role: 'viewer', via: 'session' } as const;
    const listed = async (): Promise<Firing[]> => {
      const request = { method: 'GET', path: `${API}/active`, query: `rule=${rule}`, principal } as const;
      return (await next.peers.json<{ items: Firing[] }>('monitoring', request)).items;
    };
    try {
      expect(await listed()).toEqual([expect.objectContaining({ id, told: true })]);
      const again = feedResource(next.bus, editor.org, host.resource, 2n);
      await send(60, again);
      await next.clock.advance(10_000);
      expect(await listed()).toEqual([expect.objectContaining({ id, value: 60 })]);
      expect(news).toEqual([]);
      await send(1, again);
      await until('it is over', async () => (await listed()).length === 0);
      await until('people are told', () => news.length === 1);
      expect(news).toEqual(['resolved']);
    } finally {
      await next.stop();
    }
  });
});

describe('people', () => {
  test('who may only look change nothing', async () => {
    const viewer = await hub.join('viewer');
    const rule = await newRule();
    await send(50);
    const { id } = await firing(rule);
    const calls = [
      ['POST', '', RULE],
      ['PUT', `/${rule}`, RULE],
      ['DELETE', `/${rule}`, undefined],
      ['POST', `/active/${id}/acknowledge`, {}],
      ['DELETE', `/active/${id}/acknowledge`, undefined],
      ['POST', '/silences', { toMs: hub.clock.now() + 1000, reason: 'x' }],
      ['DELETE', `/silences/${randomUUID()}`, undefined],
    ] as const;
    for (const [method, path, body] of calls) expect((await call(method, path, body, viewer)).status).toBe(403);
    expect((await call('GET', `/${rule}`, undefined, viewer)).status).toBe(200);
  });

  test('of another organisation see and touch no rule, alert or silence', async () => {
    const outsider = await hub.outsider();
    const rule = await newRule();
    const made = await call('POST', '/silences', { rule, toMs: hub.clock.now() + 1000, reason: 'x' });
    await send(50);
    const { id } = await firing(rule);
    const calls = [
      ['GET', `/${rule}`, undefined],
      ['PUT', `/${rule}`, { ...RULE }],
      ['DELETE', `/${rule}`, undefined],
      ['GET', `/${rule}/preview`, undefined],
      ['POST', `/active/${id}/acknowledge`, {}],
      ['DELETE', `/silences/${String(made.body['id'])}`, undefined],
    ] as const;
    for (const [method, path, body] of calls) expect((await call(method, path, body, outsider)).status).toBe(404);
    for (const list of ['/active', '/history', '/silences'])
      expect((await call('GET', list, undefined, outsider)).body['total']).toBe(0);
    const theirs = { ...RULE, resource: host.resource };
    expect((await call('POST', '', theirs, outsider)).body['code']).toBe('alerts.unknown-resource');
  });
});
