import { createTestAuthority } from '#kit/authority.ts';
import { startFaultProxy } from '#kit/fault-proxy.ts';
import { makeAdapter } from '#kit/stores.ts';
import { checkSettings, type Component } from '#sdk';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { onOwnServer, onServer, ownName } from '../../../../test/services/index.ts';
import { prometheus } from '../../../../test/services/prometheus.ts';
import { victoriametrics } from '../../../../test/services/victoriametrics.ts';
import type { SeriesStore } from '../../../ports/series.ts';
import { prometheusSeries } from './index.ts';

const HOUR = 3_600_000;
const ORG = '11111111-1111-4111-8111-111111111111';

const ends: (() => Promise<unknown> | undefined)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
async function startOn(given: Record<string, unknown>): Promise<SeriesStore> {
  const adapter: Component & { port: SeriesStore } = makeAdapter(prometheusSeries, '', given);
  ends.push(() => adapter.stop?.());
  await adapter.start?.();
  return adapter.port;
}
const failureOf = (given: Record<string, unknown>): Promise<unknown> => startOn(given).catch((error: unknown) => error);
const newPrefix = (): string => ownName().replaceAll('-', '_');

const gauge = { name: 'g', kind: 'gauge' as const, attributes: {} };
const write = (agent: string, seq: bigint, samples: readonly (readonly [number, number])[]) => ({
  resource: agent,
  key: { agent, epoch: 1n, lane: 1, seq },
  tables: [{ id: 1n, series: [gauge] }],
  blocks: samples.map(([timeMs, value]) => ({ table: 1n, timeMs, values: Float64Array.of(value) })),
});
async function samplesOf(store: SeriesStore, from: number): Promise<[number, number][]> {
  const range = { from, to: Date.now() + HOUR, step: 1000, where: {}, by: [] };
  const [found] = await store.query(ORG, { resource: 'h', names: ['g'], ...range });
  return (found?.times ?? []).map((time, index) => [time, found?.last[index] ?? NaN]);
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;
async function listen(answer: Answer): Promise<string> {
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
/** What stands before a store in many places: hands on what `refuse` does not answer. */
function front(url: string, refuse: (request: IncomingMessage, response: ServerResponse) => boolean): Promise<string> {
  return listen(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (refuse(request, response)) return;
    const { host: _, connection: __, ...headers } = request.headers as Record<string, string>;
    delete headers['content-length'];
    delete headers['transfer-encoding'];
    const body = request.method === 'POST' ? Buffer.concat(chunks) : undefined;
    const answer = await fetch(`${url}${request.url}`, { method: request.method, headers, body });
    response.writeHead(answer.status).end(await answer.text());
  });
}
const guarded = (url: string, expected: string): Promise<string> =>
  front(url, ({ headers }, response) => {
    if (headers.authorization === expected && headers['x-scope-orgid'] === 'team') return false;
    response.writeHead(401).end('unauthorized');
    return true;
  });

await onServer(victoriametrics, ({ url }) => {
  describe('credentials', () => {
    const headers = { 'X-Scope-OrgID': 'team' };
    test.each([
      ['Bearer good', { bearerToken: 'good' }, { bearerToken: 'wrong-one' }],
      ['Basic bWU6Z29vZA==', { username: 'me', password: 'good' }, { username: 'me', password: 'wrong-one' }],
    ])('%s is let in, another is told what to set, without the secret', async (expected, good, bad) => {
      const place = { url: await guarded(url, expected), headers, prefix: newPrefix() };
      const store = await startOn({ ...place, ...good });
      await store.append(ORG, write('h', 1n, [[Date.now(), 1]]));
      const failure = await failureOf({ ...place, ...bad });
      expect(failure).toMatchObject({
        code: 'series.refused',
        message: expect.stringContaining('series.bearerToken') as string,
      });
      expect(String(failure)).toContain(new URL(place.url).host);
      expect(String(failure)).not.toContain('wrong-one');
    });
  });
});

await onServer(victoriametrics, ({ url }) => {
  test('a certificate of an own authority is believed when the authority is named, and only then', async () => {
    const authority = await createTestAuthority();
    const server = createTlsServer(await authority.server(), (from) => {
      const to = connect(Number(new URL(url).port), '127.0.0.1');
      from.pipe(to).pipe(from);
      from.on('error', () => to.destroy());
      to.on('error', () => from.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const folder = mkdtempSync(join(tmpdir(), 'outrider-ca-'));
    ends.push(async () => {
      rmSync(folder, { recursive: true });
      await new Promise((resolve) => server.close(resolve));
    });
    const ca = join(folder, 'ca.pem');
    writeFileSync(ca, authority.ca);
    const place = { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, prefix: newPrefix() };
    const store = await startOn({ ...place, ca });
    await store.append(ORG, write('h', 1n, [[Date.now(), 1]]));
    expect(await failureOf(place)).toMatchObject({
      code: 'series.unavailable',
      message: expect.stringMatching(/certificate/) as string,
    });
    expect(await failureOf({ ...place, ca: join(folder, 'none.pem') })).toMatchObject({
      code: 'series.bad-address',
      message: expect.stringMatching(/series\.ca.*none\.pem/) as string,
    });
  });
});

await onServer(prometheus, ({ url }) => {
  test('a Prometheus that takes no remote writes is told the flag', async () => {
    const text = 'remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n';
    const off = await front(url, (request, response) => {
      if (request.url !== '/api/v1/write') return false;
      response.writeHead(404).end(text);
      return true;
    });
    expect(await failureOf({ url: off, prefix: newPrefix() })).toMatchObject({
      code: 'series.refused',
      message: expect.stringContaining('start Prometheus with --web.enable-remote-write-receiver') as string,
    });
  });

  test('a Prometheus that deletes nothing is told the flag when a resource must go, and forgets by hiding', async () => {
    const text = '{"status":"error","errorType":"unavailable","error":"admin APIs disabled"}';
    const off = await front(url, (request, response) => {
      if (request.url?.includes('/admin/') !== true) return false;
      response.writeHead(503).end(text);
      return true;
    });
    const store = await startOn({ url: off, prefix: newPrefix() });
    const now = Math.floor(Date.now() / 1000) * 1000;
    await store.append(ORG, write('h', 1n, [[now - 30 * HOUR, 1], [now, 2]])); // prettier-ignore
    await store.retain({ raw: 1, tenSeconds: 1, minute: 1, hour: 1, diskLimit: 1e12 });
    expect((await samplesOf(store, now - 40 * HOUR)).map(([, value]) => value)).toEqual([2]);
    await expect(store.deleteResource(ORG, 'h')).rejects.toMatchObject({
      code: 'series.refused',
      message: expect.stringContaining('--web.enable-admin-api') as string,
    });
  });

  test('a sample whose time has another value is left out, and the others of its batch stay', async () => {
    const store = await startOn({ url, prefix: newPrefix() });
    const now = Math.floor(Date.now() / 1000) * 1000;
    await store.append(ORG, write('h', 1n, [[now - 3000, 1]]));
    await store.append(ORG, write('h', 2n, [[now - 2000, 2], [now - 3000, 7], [now - 1000, 3]])); // prettier-ignore
    const kept = await samplesOf(store, now - HOUR);
    expect(kept.map(([time]) => time)).toEqual([now - 3000, now - 2000, now - 1000]);
    expect(await store.acknowledged(ORG, 'h', 1n)).toEqual({ live: 2n, backfill: 0n });
  });
});

await onOwnServer(prometheus, (start) => {
  test('a Prometheus that takes no late samples is refused with what to set; older than its window are left out', async () => {
    const server = await start();
    const settings = async (text: string): Promise<void> => {
      writeFileSync(join(server.instance.folder, 'prometheus.yml'), `global: { scrape_interval: 1h }\n${text}`);
      await server.kill();
      await server.again();
    };
    await settings('');
    expect(await failureOf(server.address as never)).toMatchObject({
      code: 'series.refused',
      message: expect.stringContaining('out_of_order_time_window') as string,
    });
    await settings('storage: { tsdb: { out_of_order_time_window: 2h } }\n');
    const store = await startOn(server.address as never);
    const now = Math.floor(Date.now() / 1000) * 1000;
    await store.append(ORG, write('h', 1n, [[now, 1]]));
    await store.append(ORG, write('h', 2n, [[now - 30 * HOUR, 9], [now - HOUR, 2], [now - 40 * HOUR, 9], [now + 1000, 3]])); // prettier-ignore
    expect(await samplesOf(store, now - 50 * HOUR)).toEqual([[now - HOUR, 2], [now, 1], [now + 1000, 3]]); // prettier-ignore
    expect(await store.acknowledged(ORG, 'h', 1n)).toEqual({ live: 2n, backfill: 0n });
  }, 300_000);
});

await onOwnServer(victoriametrics, (start) => {
  test('a store whose disk is full says so, and the batch may come again', async () => {
    const server = await start({ args: ['-storage.minFreeDiskSpaceBytes=1000000000000000'] });
    const store = await startOn(server.address as never);
    const { host } = new URL(server.address.url);
    await expect(store.append(ORG, write('h', 1n, [[Date.now(), 1]]))).rejects.toMatchObject({
      code: 'series.unavailable',
      retryable: true,
      message: expect.stringMatching(new RegExp(`${host}.*full or read-only`, 's')) as string,
    });
  }, 300_000);

  test('a server that is away or says nothing is named, and all goes on when it is back', async () => {
    const server = await start();
    const proxy = await startFaultProxy({ port: Number(new URL(server.address.url).port) });
    ends.push(() => proxy.stop());
    const given = { url: `http://${proxy.host}:${proxy.port}`, timeoutSeconds: 1 };
    const names = {
      code: 'series.unavailable',
      retryable: true,
      message: expect.stringContaining(`${proxy.host}:${proxy.port}`) as string,
    };
    await proxy.set('closed');
    expect(await failureOf(given)).toMatchObject(names);
    await proxy.set('pass');
    const store = await startOn(given);
    await store.append(ORG, write('h', 1n, [[Date.now(), 1]]));
    for (const fault of ['closed', 'reset', 'silent', 'garbage'] as const) {
      await proxy.set(fault);
      await expect(store.append(ORG, write('h', 2n, [[Date.now(), 2]])), fault).rejects.toMatchObject(names);
      await expect(store.check(), fault).rejects.toMatchObject(names);
    }
    await proxy.set('pass');
    await store.append(ORG, write('h', 2n, [[Date.now(), 2]]));
    expect(await store.acknowledged(ORG, 'h', 1n)).toEqual({ live: 2n, backfill: 0n });
  }, 300_000);
});

test.each([
  ['a page', 200, '<html>hello</html>', 'series.other-version'],
  ['other JSON', 200, '{"results":[]}', 'series.other-version'],
  ['nothing there', 404, 'not found', 'series.refused'],
])('a server with %s is no such store', async (_, status, text, code) => {
  const url = await listen((__, response) => void response.writeHead(status).end(text));
  expect(await failureOf({ url })).toMatchObject({
    code,
    message: expect.stringMatching(new RegExp(`${new URL(url).host}.*series.url`)) as string,
  });
});

test('settings that cannot work are refused with what to set', () => {
  const faults = (given: object): string[] =>
    (prometheusSeries.faults?.(checkSettings(prometheusSeries.config, given, [])) ?? []).map(
      (fault) => fault.split(':')[0] ?? '',
    );
  expect(faults({})).toEqual(['series.url']);
  const url = 'https://mimir/prometheus';
  expect(faults({ url, writeUrl: 'https://mimir/api/v1/push', bearerToken: 't' })).toEqual([]);
  expect(faults({ url, writeUrl: 'nowhere', bearerToken: 't', username: 'u' })).toEqual([
    'series.writeUrl',
    'series',
    'series',
  ]);
  expect(faults({ url: 'https://me:secret@mimir' })).toEqual(['series.url']);
});
