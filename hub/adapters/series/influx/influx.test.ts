import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';
import { checkSettings, silentLogger, systemClock, type Component } from '#sdk';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, test } from 'vitest';
import { startFaultProxy } from '../../../../test/kit/fault-proxy.ts';
import { onOwnServer, onServer, ownName } from '../../../../test/services/index.ts';
import { influxdb, type InfluxAddress } from '../../../../test/services/influxdb.ts';
import { seriesContract } from '../../../ports/series.contract.ts';
import type { SeriesIdentity, SeriesStore } from '../../../ports/series.ts';
import { influxSeries } from './index.ts';

type Given = Partial<InfluxAddress> & { bucket?: string; timeoutSeconds?: number };
type Adapter = Component & { port: SeriesStore };

const ORG = '11111111-1111-4111-8111-111111111111';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function adapterFor(given: Given): Adapter {
  const config = checkSettings(influxSeries.config, { ...given }, []);
  const rest = { log: silentLogger, clock: systemClock, metrics: new Registry(), fail: () => undefined };
  return influxSeries.create({ config, dataFolder: '', ...rest });
}

const running: Adapter[] = [];
afterEach(async () => {
  for (const adapter of running.splice(0)) await adapter.stop?.();
});
async function startOn(given: Given): Promise<SeriesStore> {
  const adapter = adapterFor(given);
  running.push(adapter);
  await adapter.start?.();
  return adapter.port;
}
const failureOf = (given: Given): Promise<unknown> => startOn(given).catch((error: unknown) => error);

const gauge: SeriesIdentity = { name: 'g', kind: 'gauge', attributes: {} };
const counter: SeriesIdentity = { name: 'c', kind: 'counter', attributes: {} };
const write = (agent: string, seq: bigint, blocks: readonly (readonly [number, number, number])[], lane = 1) => ({
  resource: agent,
  key: { agent, epoch: 1n, lane, seq },
  tables: [{ id: 1n, series: [gauge, counter] }],
  blocks: blocks.map(([timeMs, ...values]) => ({ table: 1n, timeMs, values: Float64Array.from(values) })),
});

await onServer(influxdb, (address) => {
  seriesContract('influx', (folder) => adapterFor({ ...address, bucket: basename(folder) }), { keepsTables: false });

  describe('coarser tiers', () => {
    const begin = Math.floor(Date.now() / HOUR) * HOUR - 48 * HOUR;
    const ask = (store: SeriesStore, name: string, step: number) =>
      store.query(ORG, { resource: 'h', names: [name], from: begin, to: begin + HOUR, step, where: {}, by: [] });

    test('tell of what was filled in two days late, and again when more of it comes', async () => {
      const bucket = ownName('late');
      const store = await startOn({ ...address, bucket });
      const at = (second: number, value: number) => [begin + second * 1000, value, second * 3] as const;
      await store.append(ORG, write('h', 1n, [at(10, 5), at(59, 7), at(61, 1), at(130, 4)], 2));
      expect((await ask(store, 'g', MINUTE))[0]).toMatchObject({
        times: [begin, begin + MINUTE, begin + 2 * MINUTE],
        avg: [6, 1, 4],
        max: [7, 1, 4],
        last: [7, 1, 4],
      });
      expect((await ask(store, 'c', MINUTE))[0]?.avg.map((rate) => Math.round(rate * 1e6) / 1e6)).toEqual([3, 3, 3]);
      await store.append(ORG, write('h', 2n, [at(20, 0), at(3000, 8)], 2));
      expect((await ask(store, 'g', MINUTE))[0]).toMatchObject({ avg: [4, 1, 4, 8], min: [0, 1, 4, 8] });
      expect((await ask(store, 'g', HOUR))[0]).toMatchObject({
        times: [begin],
        avg: [25 / 6],
        min: [0],
        max: [8],
        last: [8],
      });
      expect(await store.list(ORG, 'h')).toMatchObject([{ lastMs: begin + 3_000_000 }, { lastMs: begin + 3_000_000 }]);
    });

    test('are filled after a kill by whoever starts next', async () => {
      const bucket = ownName('left');
      const first = await startOn({ ...address, bucket });
      await first.append(ORG, write('h', 1n, [[begin, 5, 1]], 2));
      // Nothing is gathered when a hub is asked for nothing: it might as well have been killed.
      const second = await startOn({ ...address, bucket });
      expect((await ask(second, 'g', MINUTE))[0]?.avg).toEqual([5]);
    });
  });

  test('samples past the retention are left out, and the others of their batch stay', async () => {
    const store = await startOn({ ...address, bucket: ownName('old') });
    await store.retain({ raw: 0.01, tenSeconds: 1, minute: 1, hour: 1, diskLimit: 1e12 });
    const now = Date.now();
    await store.append(ORG, write('h', 1n, [[now - 72 * HOUR, 1, 1], [now, 2, 2]])); // prettier-ignore
    expect(await store.acknowledged(ORG, 'h', 1n)).toEqual({ live: 1n, backfill: 0n });
    expect((await store.usage()).samples).toBe(2);
  });

  describe('a server that refuses', () => {
    test('a wrong token is told with the address and without the token', async () => {
      const failure = await failureOf({ ...address, token: 'wrong-one' });
      expect(failure).toMatchObject({ code: 'series.refused', message: expect.stringContaining('series.token') });
      expect(String(failure)).toContain(new URL(address.url).host);
      expect(String(failure)).not.toContain('wrong-one');
    });

    test('an organisation that is not there is named', async () => {
      const failure = await failureOf({ ...address, org: 'nobody' });
      expect(failure).toMatchObject({ code: 'series.refused', message: expect.stringContaining('series.org') });
    });

    test('a token that may only read is told what it must be allowed', async () => {
      const ask = async (path: string, body?: unknown): Promise<Record<string, unknown>> => {
        const headers = { authorization: `Token ${address.token}` };
        const method = body === undefined ? 'GET' : 'POST';
        const answer = await fetch(`${address.url}/api/v2/${path}`, { method, headers, body: JSON.stringify(body) });
        return (await answer.json()) as Record<string, unknown>;
      };
      const [org] = (await ask(`orgs?org=${address.org}`))['orgs'] as { id: string }[];
      const permissions = ['orgs', 'buckets'].map((type) => ({ action: 'read', resource: { type, orgID: org?.id } }));
      permissions[0] = { action: 'read', resource: { type: 'orgs', orgID: undefined } };
      const { token } = await ask('authorizations', { orgID: org?.id, description: ownName('reader'), permissions });
      const failure = await failureOf({ ...address, token: String(token), bucket: ownName('reader') });
      expect(failure).toMatchObject({ code: 'series.refused', message: expect.stringContaining('make buckets') });
    });
  });
});

await onOwnServer(influxdb, (start) => {
  test('a server that is killed under appends loses nothing acknowledged and doubles nothing', async () => {
    const server = await start();
    const bucket = ownName('kill');
    const store = await startOn({ ...server.address, bucket });
    const begin = Math.floor(Date.now() / MINUTE) * MINUTE - 5 * MINUTE;
    const acknowledged = new Map<string, bigint>();
    let ended = false;
    let refusals = 0;
    const feed = async (agent: string): Promise<void> => {
      for (let seq = 1n; !ended || refusals === 0;) {
        try {
          const at = begin + Number(seq) * 10;
          await store.append(ORG, write(agent, seq, [[at, Number(seq), 1], [at + 1, Number(seq), 1]])); // prettier-ignore
          acknowledged.set(agent, seq);
          seq += 1n;
        } catch (error) {
          expect(error).toMatchObject({ code: 'series.unavailable', retryable: true });
          refusals += 1;
          await systemClock.sleep(20);
        }
      }
    };
    const enough = async (more: bigint): Promise<void> => {
      const from = acknowledged.get('a') ?? 0n;
      while ((acknowledged.get('a') ?? 0n) < from + more) await systemClock.sleep(10);
    };
    const feeding = Promise.all(['a', 'b', 'c'].map(feed));
    for (let round = 0; round < 2; round++) {
      await enough(20n);
      await server.kill();
      await server.again();
    }
    await enough(5n);
    ended = true;
    await feeding;
    const again = await startOn({ ...server.address, bucket });
    let total = 0;
    for (const [resource, seq] of acknowledged) {
      const { live } = await again.acknowledged(ORG, resource, 1n);
      expect(live).toBeGreaterThanOrEqual(seq);
      const [found] = await again.query(ORG, {
        resource,
        names: ['g'],
        from: begin,
        to: begin + HOUR,
        step: HOUR,
        where: {},
        by: [],
      });
      expect(found?.max).toEqual([Number(seq)]);
      total += Number(seq) * 4;
    }
    expect((await again.usage()).samples).toBe(total);
  }, 300_000);

  test('a server that is away or says nothing is named, and all goes on when it is back', async () => {
    const server = await start();
    const proxy = await startFaultProxy({ port: Number(new URL(server.address.url).port) });
    try {
      const given = {
        ...server.address,
        url: `http://${proxy.host}:${proxy.port}`,
        bucket: ownName('away'),
        timeoutSeconds: 1,
      };
      const store = await startOn(given);
      await store.append(ORG, write('h', 1n, [[Date.now(), 1, 1]]));
      for (const fault of ['closed', 'reset', 'silent', 'garbage'] as const) {
        await proxy.set(fault);
        const append = store.append(ORG, write('h', 2n, [[Date.now(), 2, 2]]));
        const names = {
          code: 'series.unavailable',
          retryable: true,
          message: expect.stringContaining(`${proxy.host}:${proxy.port}`),
        };
        await expect(append, fault).rejects.toMatchObject(names);
        await expect(store.check(), fault).rejects.toMatchObject(names);
      }
      await proxy.set('pass');
      await store.append(ORG, write('h', 2n, [[Date.now(), 2, 2]]));
      expect(await store.acknowledged(ORG, 'h', 1n)).toEqual({ live: 2n, backfill: 0n });
    } finally {
      await proxy.stop();
    }
  }, 300_000);
});

test.each([{ 'x-influxdb-version': '1.8.10' }, { 'x-influxdb-version': '3.4.1' }, {}])(
  'a server that tells %o is of a wrong version',
  async (headers) => {
    const server = createServer((_, response) => response.writeHead(204, headers).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const failure = await failureOf({ url: `http://127.0.0.1:${port}`, token: 't' });
    expect(failure).toMatchObject({
      code: 'series.other-version',
      message: expect.stringContaining(
        `127.0.0.1:${port} tells the version ${headers['x-influxdb-version'] ?? 'none'}`,
      ),
    });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  },
);

test('settings without an address or a token are refused with what to set', () => {
  const faults = influxSeries.faults?.(checkSettings(influxSeries.config, {}, [])) ?? [];
  expect(faults.map((fault) => fault.split(':')[0])).toEqual(['series.url', 'series.token']);
});
