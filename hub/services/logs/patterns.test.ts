import { createManualClock } from '#kit/manual-clock.ts';
import { readEvents } from '#kit/event-reader.ts';
import { feedHost, type FedLine, type HostFeed } from '#kit/host-feed.ts';
import { startUsers, type SignedInPerson, type StartedUsers } from '#kit/sign-in.ts';
import { startStores, type Stores } from '#kit/stores.ts';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ServiceDefinition } from '../../service.ts';
import { logs } from './index.ts';
import { idOfText } from './templates.ts';

interface Pattern {
  template: string | null;
  text: string;
  count: number;
  share: number;
  level: string;
  firstMs: number;
  lastMs: number;
  sparkline: number[];
  example: string;
  merged: string[];
}
interface Answer {
  items: Pattern[];
  total: number;
  complete: boolean;
  from: number;
  step: number;
  lines: number;
  without: number;
}

const API = '/api/v1/logs';
const START = Date.now() - 60_000;
const hex = (text: string): string => idOfText(text) ?? '';
const TOOK = 'took <num> ms';
const FAILED = 'failed: <*>';

let stores: Stores;
let hub: StartedUsers;
let viewer: SignedInPerson;
let host: HostFeed;
beforeAll(async () => {
  stores = await startStores();
  const services = [{ definition: logs as unknown as ServiceDefinition, prefixes: [API] }];
  hub = await startUsers(services, { clock: createManualClock(Date.now()), ports: { logstore: stores.logstore } });
  await hub.listener.listen({ host: '127.0.0.1', port: 0 });
  viewer = await hub.join('viewer');
});
afterAll(async () => {
  await hub.stop();
  await stores.stop();
});
beforeEach(async () => {
  host = await feedHost(hub.bus, viewer.org, 'web-1');
});

const told = (text: string, ...merged: string[]) => ({
  id: BigInt(`0x${hex(text)}`),
  text,
  merged: merged.map((one) => BigInt(`0x${hex(one)}`)),
});
const took = (n: number, more: FedLine = { text: '' }): FedLine => ({
  ...{ timeMs: START + n * 1000, template: told(TOOK).id, parameters: [5, String(n).length] },
  ...more,
  text: `took ${n} ms`,
});
const asked = (path: string, query: Record<string, string>, token = viewer.token) =>
  hub.call('GET', `${API}/${path}?${new URLSearchParams(query)}`, { token });
const patterns = async (query: Record<string, string> = {}, token = viewer.token): Promise<Answer> => {
  const { status, body } = await asked('patterns', { host: host.resource, ...query }, token);
  expect(status, JSON.stringify(body)).toBe(200);
  return body as unknown as Answer;
};
const send = (): Promise<void> =>
  host.send({
    timeMs: START,
    templates: [told(TOOK), told(FAILED)],
    lines: [
      ...[1, 2, 33].map((n) => took(n)),
      { text: 'failed: ü', level: 4, timeMs: START + 40_000, template: told(FAILED).id, parameters: [8, 2] },
      { text: 'of no kind', timeMs: START + 41_000 },
    ],
  });

describe('patterns', () => {
  test('are counted, with where they stand in time and what they look like', async () => {
    await send();
    const { items, lines, without, total, complete, from, step } = await patterns();
    expect({ lines, without, total, complete }).toEqual({ lines: 5, without: 1, total: 3, complete: true });
    const [first] = items;
    expect(first).toMatchObject({
      ...{ template: hex(TOOK), text: TOOK, count: 3, share: 0.6, level: 'info', example: 'took 33 ms', merged: [] },
      ...{ firstMs: START + 1000, lastMs: START + 33_000 },
    });
    expect(first?.sparkline.length).toBeLessThanOrEqual(60);
    expect(first?.sparkline[Math.floor((START + 33_000 - from) / step)]).toBeGreaterThan(0);
    expect(items.find(({ template }) => template === hex(FAILED))).toMatchObject({ text: FAILED, level: 'error' });
    expect(items.find(({ template }) => template === null)).toMatchObject({
      text: '',
      example: 'of no kind',
      count: 1,
    });
  });

  test('are ordered by count or by when they began, and turned by page', async () => {
    await send();
    const newest = await patterns({ sort: 'newest' });
    expect(newest.items.map(({ template }) => template).at(-1)).toBeNull();
    expect(newest.items[0]?.template).toBe(hex(FAILED));
    const second = await patterns({ limit: '1', offset: '1' });
    expect([second.items.length, second.total, second.lines]).toEqual([1, 3, 5]);
    expect((await patterns({ offset: '9' })).items).toEqual([]);
  });

  test('take the words of a search', async () => {
    await send();
    expect((await patterns({ level: 'error' })).items.map(({ text }) => text)).toEqual([FAILED]);
    expect((await patterns({ q: '33' })).items).toMatchObject([{ text: TOOK, count: 1, share: 1 }]);
    expect((await patterns({ notTemplate: hex(TOOK) })).total).toBe(2);
    expect((await patterns({ from: '-10s' })).items).toEqual([]);
  });

  test('that were merged count as the one that took them in, in searches too, and a circle hurts nobody', async () => {
    const [old, middle, wide] = ['login of alice', 'login of <*>', '<*> of <*>'].map(
      (text) => `${text} ${host.resource}`,
    ) as [string, string, string];
    const line = (text: string, n: number): FedLine => ({
      text: `line ${n}`,
      timeMs: START + n,
      template: told(text).id,
    });
    await host.send({ timeMs: START, templates: [told(old)], lines: [line(old, 1)] });
    await host.send({ timeMs: START, templates: [told(middle, old)], lines: [line(middle, 2)] });
    await host.send({ timeMs: START, templates: [told(wide, middle)], lines: [line(wide, 3), line(wide, 4)] });
    const { items } = await patterns();
    expect(items).toMatchObject([{ template: hex(wide), text: wide, count: 4, example: 'line 4', firstMs: START + 1 }]);
    expect(items[0]?.merged.toSorted()).toEqual([hex(old), hex(middle)].toSorted());
    for (const template of [hex(wide), hex(old)]) {
      expect((await asked('search', { host: host.resource, template })).body['total']).toBe(4);
      const { body } = await asked('histogram', { host: host.resource, from: '-5m', template });
      expect(body['buckets']).toMatchObject([{ counts: { info: 4 } }]);
    }
    expect((await asked('search', { host: host.resource, notTemplate: hex(middle) })).body['total']).toBe(0);
    await host.send({ timeMs: START, templates: [told(old, wide)], lines: [] });
    expect((await patterns()).items).toMatchObject([{ count: 4 }]);
  });

  test('keep their text when their lines come alone, and have none before an agent has said it', async () => {
    const text = `unsaid <num> ${host.resource}`;
    // Long enough before the last one that its time is written down.
    const line = { text: 'unsaid 1', template: told(text).id, timeMs: START - 400_000 };
    await host.send({ timeMs: START, lines: [line] });
    expect((await patterns()).items).toMatchObject([{ text: '', example: 'unsaid 1' }]);
    await host.send({ timeMs: START, templates: [told(text)], lines: [] });
    await host.send({ timeMs: START, lines: [{ ...line, timeMs: START }] });
    expect((await patterns()).items).toMatchObject([{ text, count: 2 }]);
    await host.send({ timeMs: START, templates: [{ id: told(text).id, text: 'invented' }], lines: [] });
    expect((await patterns()).items).toMatchObject([{ text }]);
  });

  test.each([
    [{ from: 'now', to: '-1h' }, 'logs.bad-range'],
    [{ template: 'took' }, 'logs.unknown-template'],
    [{ notTemplate: `${'0'.repeat(16)},'--` }, 'logs.unknown-template'],
    [{ sort: 'oldest' }, 'http.invalid-request'],
    [{ limit: '1001' }, 'http.invalid-request'],
    [{ step: '1s' }, 'http.unknown-parameter'],
  ])('refuse %j', async (query, code) => {
    const { status, body } = await asked('patterns', query as Record<string, string>);
    expect(status).toBe(400);
    if (code !== 'http.unknown-parameter') expect(body['code']).toBe(code);
  });

  test("of another org, and of people who are not signed in, are nobody else's", async () => {
    await send();
    expect((await hub.call('GET', `${API}/patterns`)).status).toBe(401);
    const outsider = await hub.outsider();
    expect(await patterns({}, outsider.token)).toMatchObject({ items: [], lines: 0 });
    // The same kind of line there has its own text and times.
    const theirs = await feedHost(hub.bus, outsider.org, 'theirs');
    await theirs.send({ timeMs: START, lines: [took(7)] });
    const own = await patterns({ host: theirs.resource }, outsider.token);
    expect(own.items).toMatchObject([{ template: hex(TOOK), text: '', firstMs: START + 7000 }]);
    expect((await patterns({ host: theirs.resource })).items).toEqual([]);
  });
});

test('a line has its template and parameters, and is searched and tailed by it', async () => {
  const base = `http://127.0.0.1:${(hub.listener.server.address() as AddressInfo).port}`;
  const tail = await readEvents(
    `${base}${API}/tail?backlog=0&host=${host.resource}&template=${hex(FAILED)}`,
    viewer.token,
  );
  try {
    await tail.next('lines');
    await send();
    const { lines } = await tail.next<{ lines: object[] }>('lines');
    expect(lines).toMatchObject([{ text: 'failed: ü', template: hex(FAILED), parameters: ['ü'] }]);
  } finally {
    tail.close();
  }
  const { body } = await asked('search', { host: host.resource, template: `${hex(TOOK)},${hex(FAILED)}`, q: '3' });
  expect(body['items']).toMatchObject([{ text: 'took 33 ms', template: hex(TOOK), parameters: ['33'] }]);
  await host.send({ timeMs: START, lines: [took(4, { text: '', parameters: [5, 4_000_000_000] })] });
  const broken = await asked('search', { host: host.resource, q: 'took 4 ms' });
  expect(broken.body['items']).toMatchObject([{ text: 'took 4 ms', template: hex(TOOK) }]);
  expect(JSON.stringify(broken.body)).not.toContain('parameters');
});
