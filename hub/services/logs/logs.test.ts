import type { AddressInfo } from 'node:net';
import { readEvents } from '#kit/event-reader.ts';
import { feedHost, type HostFeed } from '#kit/host-feed.ts';
import { createManualClock } from '#kit/manual-clock.ts';
import { startUsers, type SignedInPerson, type StartedUsers } from '#kit/sign-in.ts';
import { startStores, type Stores } from '#kit/stores.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ServiceDefinition } from '../../service.ts';
import { logs } from './index.ts';

interface Line {
  id: string;
  host: string;
  timeMs: number;
  level: string;
  source: string;
  text: string;
  attributes: Record<string, string>;
}
interface Page {
  items: Line[];
  total: number;
  limit: number;
  offset: number;
  complete: boolean;
}

const API = '/api/v1/logs';
const START = Date.now() - 60_000;

let stores: Stores;
let hub: StartedUsers;
let viewer: SignedInPerson;
let host: HostFeed;
let base: string;
beforeAll(async () => {
  stores = await startStores();
  const services = [{ definition: logs as unknown as ServiceDefinition, prefixes: [API] }];
  hub = await startUsers(services, {
    clock: createManualClock(Date.now()),
    ports: { logstore: stores.logstore },
  });
  await hub.listener.listen({ host: '127.0.0.1', port: 0 });
  base = `http://127.0.0.1:${(hub.listener.server.address() as AddressInfo).port}`;
  viewer = await hub.join('viewer');
});
afterAll(async () => {
  await hub.stop();
  await stores.stop();
});
beforeEach(async () => {
  host = await feedHost(hub.bus, viewer.org, 'web-1');
});

const asked = async (path: string, query: Record<string, string>, token = viewer.token) =>
  hub.call('GET', `${API}/${path}?${new URLSearchParams(query)}`, { token });
const found = async (query: Record<string, string>, token = viewer.token): Promise<Page> => {
  const { status, body } = await asked('search', query, token);
  expect(status, JSON.stringify(body)).toBe(200);
  return body as unknown as Page;
};
const texts = ({ items }: Page): string[] => items.map(({ text }) => text);

/** Ten lines a second apart: `line 0` to `line 9`; every third is an error of another file. */
const sendTen = async (): Promise<void> =>
  host.send({
    timeMs: START,
    lines: Array.from({ length: 10 }, (_, n) => ({
      text: `line ${n} of Ten`,
      timeMs: START + n * 1000,
      level: n % 3 === 0 ? 4 : 2,
      source: n % 3 === 0 ? '/var/log/error.log' : '/var/log/app.log',
    })),
  });

describe('a search', () => {
  test('gives lines newest first, with where and when they were written', async () => {
    await sendTen();
    const page = await found({ host: host.resource });
    expect(texts(page)).toEqual(Array.from({ length: 10 }, (_, n) => `line ${9 - n} of Ten`));
    expect(page).toMatchObject({ total: 10, limit: 100, offset: 0, complete: true });
    expect(page.items[0]).toMatchObject({
      host: host.resource,
      timeMs: START + 9000,
      level: 'error',
      source: '/var/log/error.log',
    });
  });

  test('takes a range with its first and its last millisecond', async () => {
    await sendTen();
    const range = { from: String(START + 2000), to: String(START + 4000) };
    expect(texts(await found({ host: host.resource, ...range }))).toEqual([
      'line 4 of Ten',
      'line 3 of Ten',
      'line 2 of Ten',
    ]);
    expect(texts(await found({ host: host.resource, from: new Date(START + 8000).toISOString() }))).toHaveLength(2);
    expect((await found({ host: host.resource, from: '-10s' })).total).toBe(0);
  });

  test('finds a substring in any case, without another one, by level, file and host', async () => {
    await sendTen();
    const of = { host: host.resource };
    expect((await found({ ...of, q: 'LINE 7 OF' })).total).toBe(1);
    expect((await found({ ...of, q: 'of ten', not: 'line 7' })).total).toBe(9);
    expect((await found({ ...of, level: 'error,fatal' })).total).toBe(4);
    expect((await found({ ...of, source: '/var/log/app.log' })).total).toBe(6);
    const other = await feedHost(hub.bus, viewer.org, 'web-2');
    await other.send({ timeMs: START, lines: [{ text: 'of another' }] });
    expect((await found({ host: `${host.resource},${other.resource}` })).total).toBe(11);
    expect(texts(await found({ host: other.resource }))).toEqual(['of another']);
  });

  test('turns pages without a gap or a line twice', async () => {
    await sendTen();
    const pages = await Promise.all(
      ['0', '4', '8', '12'].map((offset) => found({ host: host.resource, limit: '4', offset })),
    );
    expect(pages.flatMap(texts)).toEqual(Array.from({ length: 10 }, (_, n) => `line ${9 - n} of Ten`));
  });

  test.each([
    "'; DROP TABLE line; --",
    "%' OR 1=1 --",
    '100%_\\x00\\',
    'a\0b',
    '$$) UNION SELECT * FROM source --',
    '\u{1F600} ünïcödé',
    '(.*)+$',
  ])('takes %j for the text that it is', async (hostile) => {
    await host.send({ timeMs: START, lines: [{ text: `before ${hostile} after` }, { text: 'innocent' }] });
    expect(texts(await found({ host: host.resource, q: hostile }))).toEqual([`before ${hostile} after`]);
    expect(texts(await found({ host: host.resource, not: hostile }))).toEqual(['innocent']);
    expect((await found({ host: host.resource, source: hostile })).total).toBe(0);
    expect((await asked('search', { host: hostile })).body['code']).toBe('logs.unknown-host');
    expect((await found({ host: host.resource })).total).toBe(2);
  });

  test.each([
    [{ from: 'yesterday' }, 'time.unreadable'],
    [{ limit: '0' }, 'http.invalid-request'],
    [{ limit: '1001' }, 'http.invalid-request'],
    [{ offset: '-1' }, 'http.invalid-request'],
    [{ q: 'x'.repeat(1001) }, 'http.invalid-request'],
    [{ level: 'loud' }, 'logs.unknown-level'],
    [{ attribute: 'k8s.pod.name' }, 'logs.bad-attribute'],
    [{ from: 'now', to: '-1h' }, 'logs.bad-range'],
  ])('refuses %j with %s', async (query, code) => {
    const { status, body } = await asked('search', query);
    expect([status, body['code']]).toEqual([400, code]);
  });
});

describe('the histogram', () => {
  test('counts lines of each level in each step', async () => {
    await sendTen();
    const from = Math.floor(START / 5000) * 5000;
    const query = { host: host.resource, from: String(from), to: String(from + 20_000), step: '5s' };
    const { body } = await asked('histogram', query);
    const buckets = body['buckets'] as { timeMs: number; counts: Record<string, number> }[];
    expect(body).toMatchObject({ from, to: from + 20_000, step: 5000 });
    const sum = (level: string): number => buckets.reduce((all, { counts }) => all + (counts[level] ?? 0), 0);
    expect([sum('info'), sum('error'), sum('debug')]).toEqual([6, 4, 0]);
    expect(buckets.every(({ timeMs }) => timeMs % 5000 === 0)).toBe(true);
  });

  test('refuses a step that would draw more bars than anyone can read', async () => {
    const { status, body } = await asked('histogram', { from: '-30d', step: '1s' });
    expect([status, body['code']]).toEqual([400, 'time.bad-range']);
  });
});

describe.each(['search', 'histogram', 'tail'])('a call of %s', (path) => {
  test.each([
    ['hosts', 'x', 'There is no parameter "hosts"; there are q, not, level, host, source'],
    ['host', 'vm', '"vm" is no id of a host'],
  ])('refuses %s=%s and says what to write', async (key, value, words) => {
    const { status, body } = await asked(path, { [key]: value });
    expect(status).toBe(400);
    expect(body['detail']).toContain(words);
  });
});

test.each(['often', '0', '999ms'])('a histogram refuses the step %s', async (step) => {
  expect((await asked('histogram', { step })).status).toBe(400);
});

describe('around a line', () => {
  test('lies what stands before and after it in the same file', async () => {
    await sendTen();
    const [line] = (await found({ host: host.resource, q: 'line 4' })).items;
    const { body } = await asked('context', { id: line?.id ?? '', around: '2' });
    expect((body['items'] as Line[]).map(({ text }) => text)).toEqual([
      'line 1 of Ten',
      'line 2 of Ten',
      'line 4 of Ten',
      'line 5 of Ten',
      'line 7 of Ten',
    ]);
  });

  test.each(['1-1', 'x', "1' OR '1'='1", '99999999999999999999'])('there is nothing for the id %j', async (id) => {
    expect((await asked('context', { id })).status).toBe(404);
  });
});

test('the files of a host are listed with their newest line', async () => {
  await sendTen();
  const { body } = await asked('sources', { host: host.resource });
  expect(body['items']).toEqual(
    expect.arrayContaining([
      { source: '/var/log/error.log', lastMs: START + 9000 },
      { source: '/var/log/app.log', lastMs: START + 8000 },
    ]),
  );
});

describe('the tail', () => {
  test('begins with the last lines and goes on with new ones that fit', async () => {
    await sendTen();
    const tail = await readEvents(`${base}${API}/tail?host=${host.resource}&backlog=2&not=noise`, viewer.token);
    try {
      expect(tail.contentType).toBe('text/event-stream');
      const first = await tail.next<{ lines: Line[] }>('lines');
      expect(first.lines.map(({ text }) => text)).toEqual(['line 8 of Ten', 'line 9 of Ten']);
      await host.send({ timeMs: hub.clock.now(), lines: [{ text: 'noise' }, { text: 'news', level: 5 }] });
      const { lines } = await tail.next<{ lines: Line[] }>('lines');
      expect(lines).toEqual([
        expect.objectContaining({ text: 'news', level: 'fatal', host: host.resource, source: '/var/log/app.log' }),
      ]);
    } finally {
      tail.close();
    }
  });

  test('brings a reader who comes back what it missed, however much that is', async () => {
    const own = `${base}${API}/tail?host=${host.resource}&backlog=0`;
    const first = await readEvents(own, viewer.token);
    await host.send({ timeMs: hub.clock.now(), lines: [{ text: 'seen' }] });
    await first.next('lines', ({ lines }: { lines: Line[] }) => lines.length > 0);
    first.close();
    await hub.clock.advance(20_000);
    await host.send({ timeMs: hub.clock.now(), lines: [{ text: 'missed' }] });
    const again = await readEvents(own, viewer.token, first.lastId());
    const { lines } = await again.next<{ lines: Line[] }>('lines');
    expect(lines.map(({ text }) => text)).toEqual(expect.arrayContaining(['missed']));
    again.close();
    const many = Array.from({ length: 1_200 }, (_, n) => ({ text: `missed ${n}` }));
    await host.send({ timeMs: hub.clock.now(), lines: many });
    // Beyond what the process remembers, the store is asked alone, and what is left out is counted.
    await hub.clock.advance(40_000);
    await host.send({ timeMs: hub.clock.now(), lines: [{ text: 'newest' }] });
    const late = await readEvents(own, viewer.token, again.lastId());
    expect((await late.next<{ lines: number }>('skipped')).lines).toBeGreaterThanOrEqual(200);
    expect((await late.next<{ lines: Line[] }>('lines')).lines.at(-1)?.text).toBe('newest');
    late.close();
  });

  test('shows a batch that was sent again once', async () => {
    const tail = await readEvents(`${base}${API}/tail?host=${host.resource}&backlog=0`, viewer.token);
    try {
      await host.send({ timeMs: START, lines: [{ text: 'first' }] });
      await host.resend();
      await host.send({ timeMs: START, lines: [{ text: 'second' }] });
      const fits = ({ lines }: { lines: Line[] }): boolean => lines.length > 0;
      expect((await tail.next('lines', fits)).lines[0]?.text).toBe('first');
      expect((await tail.next('lines', fits)).lines[0]?.text).toBe('second');
      expect((await found({ host: host.resource })).total).toBe(2);
    } finally {
      tail.close();
    }
  });

  test('beats every fifteen seconds and is closed to who is not signed in', async () => {
    expect((await readEvents(`${base}${API}/tail`, 'x')).status).toBe(401);
    const tail = await fetch(`${base}${API}/tail?backlog=0&host=${host.resource}`, {
      headers: { authorization: `Bearer ${viewer.token}` },
    });
    const reader = tail.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('event: lines')) text += (await reader?.read())?.value ?? '';
    await hub.clock.advance(15_000);
    while (!text.includes(': beat')) text += (await reader?.read())?.value ?? '';
    await reader?.cancel();
  });
});

describe('what wrote a line', () => {
  const pod = (name: string) => ({ 'k8s.pod.name': name, 'k8s.namespace.name': 'shop' });

  test('stands beside it, and is searched and tailed by', async () => {
    const tail = await readEvents(`${base}${API}/tail?backlog=0&attribute=k8s.pod.name:web-2`, viewer.token);
    try {
      await tail.next('lines');
      await host.send({
        timeMs: START,
        lines: [
          { text: 'of one', attributes: pod('web-1'), own: { 'log.iostream': 'stderr' } },
          { text: 'of two', attributes: pod('web-2'), own: { 'log.iostream': 'stdout' } },
          { text: 'of a file' },
        ],
      });
      const { lines } = await tail.next<{ lines: Line[] }>('lines');
      expect(lines.map(({ text, attributes }) => [text, attributes])).toEqual([
        ['of two', { ...pod('web-2'), 'log.iostream': 'stdout' }],
      ]);
    } finally {
      tail.close();
    }
    const of = { host: host.resource };
    const one = await found({ ...of, attribute: 'k8s.pod.name:web-1' });
    expect(one.items.map(({ text, attributes }) => [text, attributes])).toEqual([
      ['of one', { ...pod('web-1'), 'log.iostream': 'stderr' }],
    ]);
    expect((await found({ ...of, attribute: 'k8s.namespace.name:shop' })).total).toBe(2);
    expect((await found(of)).items.find(({ text }) => text === 'of a file')?.attributes).toEqual({});
    const { body } = await asked('histogram', { ...of, from: '-1h', attribute: 'log.iostream:stdout' });
    expect(body['buckets']).toMatchObject([{ counts: { info: 1 } }]);
    const outsider = await hub.outsider();
    expect((await found({ attribute: 'k8s.pod.name:web-1' }, outsider.token)).total).toBe(0);
  });

  test('is bounded, whatever an agent says', async () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`n${n}`, 'x'.repeat(5000)]));
    const attributes = { ...many, 'a name': 'x', '': 'x', ['n'.repeat(500)]: 'x', empty: '' };
    await host.send({ timeMs: START, lines: [{ text: 'hostile', attributes, own: { n0: 'own' } }] });
    const [line] = (await found({ host: host.resource })).items;
    expect(Object.keys(line?.attributes ?? {})).toHaveLength(32);
    expect(line?.attributes).toMatchObject({ n0: 'own', n1: 'x'.repeat(256) });
  });
});

describe('another organisation', () => {
  test('sees no line, context, file or tail of this one', async () => {
    await sendTen();
    const outsider = await hub.outsider();
    const [line] = (await found({ host: host.resource })).items;
    expect((await found({}, outsider.token)).total).toBe(0);
    expect((await found({ host: host.resource }, outsider.token)).total).toBe(0);
    expect((await asked('context', { id: line?.id ?? '' }, outsider.token)).status).toBe(404);
    expect((await asked('sources', { host: host.resource }, outsider.token)).body['items']).toEqual([]);
    expect((await asked('histogram', { from: '-1h' }, outsider.token)).body['buckets']).toEqual([]);
    const tail = await readEvents(`${base}${API}/tail?backlog=10`, outsider.token);
    try {
      expect((await tail.next<{ lines: Line[] }>('lines')).lines).toEqual([]);
      await host.send({ timeMs: START, lines: [{ text: 'secret of the first' }] });
      const own = await feedHost(hub.bus, outsider.org, 'theirs');
      await own.send({ timeMs: START, lines: [{ text: 'theirs' }] });
      const { lines } = await tail.next<{ lines: Line[] }>('lines');
      expect(lines.map(({ text }) => text)).toEqual(['theirs']);
    } finally {
      tail.close();
    }
  });
});

test('nobody reads lines without signing in, and only a part of the hub asks what is durable', async () => {
  for (const path of ['search', 'histogram', 'context?id=1-1', `sources?host=${host.resource}`, 'tail']) {
    const { status, body } = await hub.call('GET', `${API}/${path}`);
    expect([status, body['code']]).toEqual([401, 'http.unauthenticated']);
  }
  const query = { org: viewer.org, agent: host.resource, epoch: '1' };
  const outside = await hub.call('GET', `/internal/logs/acknowledged?${new URLSearchParams(query)}`, {
    token: viewer.token,
  });
  expect(outside.status).toBe(404);
  await sendTen();
  const answer = await hub.peers.json('logs', {
    method: 'GET',
    path: '/internal/logs/acknowledged',
    query: String(new URLSearchParams(query)),
  });
  expect(answer).toEqual({ live: '1', backfill: '0' });
});

test('a deleted resource leaves no line behind, and lines that cannot be read hurt nobody', async () => {
  await sendTen();
  await hub.bus.publish({ name: 'monitoring.resource-deleted' } as never, viewer.org, { resource: host.resource });
  expect((await found({ host: host.resource })).total).toBe(0);
  const other = await feedHost(hub.bus, viewer.org, 'web-3');
  const garbage = hub.bus.publish({ name: 'ingest.batch-received' } as never, viewer.org, {
    agent: other.resource,
    resource: other.resource,
    epoch: 1n,
    lane: 1,
    seq: 9n,
    logs: Uint8Array.of(0xff, 0xff, 0xff, 0x01),
  });
  await expect(garbage).rejects.toMatchObject({ code: 'logs.bad-frame' });
  await other.send({ timeMs: START, lines: [{ text: 'still fine' }] });
  expect(texts(await found({ host: other.resource }))).toEqual(['still fine']);
});
