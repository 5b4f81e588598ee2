import { feedHost, type HostFeed } from '#kit/host-feed.ts';
import { MONITORING } from '#kit/monitored.ts';
import { startUsers } from '#kit/sign-in.ts';
import { makeAdapter } from '#kit/stores.ts';
import { systemClock, type Component } from '#sdk';
import { afterEach, expect, test } from 'vitest';
import { onOwnServer, onServer, ownName } from '../../../../test/services/index.ts';
import { nats } from '../../../../test/services/nats.ts';
import { prometheus } from '../../../../test/services/prometheus.ts';
import { victoriametrics } from '../../../../test/services/victoriametrics.ts';
import type { SeriesStore } from '../../../ports/series.ts';
import { natsBus } from '../../bus/nats/index.ts';
import { prometheusSeries } from './index.ts';

type Adapter = Component & { port: SeriesStore };
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const running: Component[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.stop?.();
});
async function started<T extends Component>(adapter: T): Promise<T> {
  await adapter.start?.();
  running.push(adapter);
  return adapter;
}
const seriesAt = (url: string, prefix: string): Promise<Adapter> =>
  started(makeAdapter(prometheusSeries, '', { url, prefix }));

/** Every sample of a resource, by the milliseconds from the beginning. */
async function valuesOf(store: SeriesStore, org: string, resource: string, begin: number): Promise<number[]> {
  const range = { from: begin, to: begin + HOUR, step: 1000, where: {}, by: [] };
  const [found] = await store.query(org, { resource, names: ['g'], ...range });
  return found?.last ?? [];
}

const buses: string[] = [];
await onServer(nats, ({ url }) => void buses.push(url));
for (const natsUrl of buses)
  await onOwnServer(victoriametrics, (start) => {
    test('what a killed VictoriaMetrics had not written down comes again from the bus: nothing is lost, nothing is twice', async () => {
      const server = await start();
      const series = await seriesAt(server.address.url, 'outrider');
      const bus = await started(makeAdapter(natsBus, '', { servers: [natsUrl], prefix: ownName(), maxGb: 0.05 }));
      const hub = await startUsers([{ ...MONITORING }], { ports: { series: series.port, bus: bus.port } });
      running.push({ stop: () => hub.stop() });
      const { org } = await hub.signIn(hub.owner);
      const hosts = await Promise.all(['a', 'b', 'c'].map((name) => feedHost(bus.port, org, name)));
      const begin = Math.floor(Date.now() / MINUTE) * MINUTE - 50 * MINUTE;
      const sent = new Map<HostFeed, number>();
      let ended = false;
      const feed = async (host: HostFeed): Promise<void> => {
        for (let seq = 1; !ended; seq++) {
          await host.send({ timeMs: begin + seq * 1000, samples: [{ name: 'g', value: seq }] });
          sent.set(host, seq);
          await systemClock.sleep(20);
        }
      };
      const enough = async (more: number): Promise<void> => {
        const from = sent.get(hosts[0] as HostFeed) ?? 0;
        while ((sent.get(hosts[0] as HostFeed) ?? 0) < from + more) await systemClock.sleep(10);
      };
      const feeding = Promise.all(hosts.map(feed));
      for (let round = 0; round < 2; round++) {
        await enough(150);
        await server.kill();
        await enough(20);
        await server.again();
      }
      await enough(20);
      ended = true;
      await feeding;
      for (const host of hosts) {
        const all = Array.from({ length: sent.get(host) ?? 0 }, (_, index) => index + 1);
        const stored = () => valuesOf(series.port, org, host.resource, begin);
        await expect.poll(stored, { timeout: 120_000, interval: 500 }).toEqual(all);
      }
      const total = [...sent.values()].reduce((sum, count) => sum + count, 0);
      expect((await series.port.usage()).samples).toBe(total);
    }, 300_000);
  });

const gauge = { name: 'g', kind: 'gauge' as const, attributes: {} };
const write = (agent: string, seq: bigint, timeMs: number) => ({
  resource: agent,
  key: { agent, epoch: 1n, lane: 1, seq },
  tables: [{ id: 1n, series: [gauge] }],
  blocks: [{ table: 1n, timeMs, values: Float64Array.of(Number(seq)) }],
});

await onOwnServer(prometheus, (start) => {
  test('a killed Prometheus loses nothing acknowledged and doubles nothing', async () => {
    const server = await start();
    const { port: store } = await seriesAt(server.address.url, 'outrider');
    const begin = Math.floor(Date.now() / MINUTE) * MINUTE - 50 * MINUTE;
    const acknowledged = new Map<string, number>();
    let ended = false;
    let refusals = 0;
    const feed = async (agent: string): Promise<void> => {
      for (let seq = 1; !ended || refusals === 0;) {
        try {
          await store.append('org', write(agent, BigInt(seq), begin + seq * 1000));
          acknowledged.set(agent, seq);
          seq += 1;
        } catch (error) {
          expect(error).toMatchObject({ code: 'series.unavailable', retryable: true });
          refusals += 1;
        }
        await systemClock.sleep(10);
      }
    };
    const enough = async (more: number): Promise<void> => {
      const from = acknowledged.get('a') ?? 0;
      while ((acknowledged.get('a') ?? 0) < from + more) await systemClock.sleep(10);
    };
    const feeding = Promise.all(['a', 'b', 'c'].map(feed));
    for (let round = 0; round < 2; round++) {
      await enough(50);
      await server.kill();
      await server.again();
    }
    await enough(5);
    ended = true;
    await feeding;
    const { port: again } = await seriesAt(server.address.url, 'outrider');
    for (const [agent, seq] of acknowledged) {
      const all = Array.from({ length: seq }, (_, index) => index + 1);
      expect(await valuesOf(again, 'org', agent, begin)).toEqual(all);
      expect((await again.acknowledged('org', agent, 1n)).live).toBe(BigInt(seq));
    }
    const total = [...acknowledged.values()].reduce((sum, count) => sum + count, 0);
    expect((await again.usage()).samples).toBe(total);
  }, 300_000);
});

await onOwnServer(victoriametrics, (start) => {
  test('a restart while no hub ran is noticed by the next one, once', async () => {
    const server = await start();
    const first = await seriesAt(server.address.url, 'outrider');
    const seen: number[] = [];
    const note = async (sinceMs: number): Promise<void> => void seen.push(sinceMs);
    const endFirst = first.port.doubts?.(note);
    const beats = async (): Promise<number> => {
      const answer = await fetch(`${server.address.url}/api/v1/query?query=outrider_beat[1h]&nocache=1`);
      const { data } = (await answer.json()) as { data: { result: { values: unknown[] }[] } };
      return data.result[0]?.values.length ?? 0;
    };
    // The first one is on the disk when the third is there.
    await expect.poll(beats, { timeout: 60_000 }).toBeGreaterThan(2);
    endFirst?.();
    await server.kill();
    await server.again();
    const second = await seriesAt(server.address.url, 'outrider');
    const end = second.port.doubts?.(note);
    await expect.poll(() => seen.length, { timeout: 60_000 }).toBe(1);
    expect(Date.now() - (seen[0] ?? 0)).toBeGreaterThan(MINUTE);
    end?.();
  }, 300_000);
});
