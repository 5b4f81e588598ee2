import { setTimeout as delay } from 'node:timers/promises';
import { loadSettings, silentLogger, systemClock } from '#sdk';
import { until } from '#kit/programs.ts';
import { Redis } from 'ioredis';
import { Registry } from 'prom-client';
import { beforeAll, describe, expect, test } from 'vitest';
import { onOwnServer, ownName } from '../../../../test/services/index.ts';
import { redis } from '../../../../test/services/redis.ts';
import { cacheContract } from '../../../ports/cache.contract.ts';
import { RedisConfig } from './config.ts';
import { redisCache } from './index.ts';

const SLOTS = 16_384;

await onOwnServer(redis, (start) => {
  describe('three nodes', () => {
    let urls: string[] = [];
    const raw = (): Redis[] => urls.map((url) => new Redis(url));
    const clientOf = (flags: Partial<RedisConfig>) => {
      const config = loadSettings(RedisConfig, { env: {}, flags });
      return redisCache.create({
        config,
        log: silentLogger,
        clock: systemClock,
        metrics: new Registry(),
        dataFolder: '',
        fail: () => undefined,
      });
    };

    beforeAll(async () => {
      const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '5000'];
      const servers = await Promise.all([1, 2, 3].map(() => start({ args })));
      urls = servers.map(({ address }) => address.url);
      const nodes = raw();
      const share = Math.ceil(SLOTS / nodes.length);
      for (const [n, node] of nodes.entries()) {
        const last = Math.min(SLOTS, (n + 1) * share) - 1;
        const all = Array.from({ length: last - n * share + 1 }, (_, slot) => n * share + slot);
        await node.cluster('ADDSLOTS', ...all);
        await node.call('CLUSTER', 'SET-CONFIG-EPOCH', n + 1);
      }
      const first = new URL(urls[0] ?? '');
      for (const node of nodes.slice(1)) await node.call('CLUSTER', 'MEET', first.hostname, first.port);
      for (const node of nodes) {
        await until('the cluster is whole', async () => {
          const info = String(await node.call('CLUSTER', 'INFO'));
          return /cluster_state:ok/.test(info) && /cluster_known_nodes:3/.test(info);
        });
        node.disconnect();
      }
    }, 120_000);

    cacheContract('redis cluster', () => {
      const prefix = `${ownName('cache')}:`;
      return Promise.resolve({
        client: () => clientOf({ nodes: urls.slice(0, 2).map((url) => new URL(url).host), prefix }),
        pass: (ms) => delay(ms),
        async empty() {
          let gone = 0;
          for (const node of raw()) {
            for (const key of await node.keys(`${prefix}*`)) gone += await node.del(key);
            node.disconnect();
          }
          expect(gone).toBeGreaterThan(0);
        },
      });
    });

    test('share the keys of many orgs', async () => {
      const prefix = `${ownName('cache')}:`;
      const cache = clientOf({ nodes: [new URL(urls[0] ?? '').host], prefix });
      await cache.start?.();
      for (let n = 0; n < 60; n++) await cache.port.set(`org ${n}`, 'k', 'v', 60_000);
      for (const node of raw()) {
        expect((await node.keys(`${prefix}*`)).length).toBeGreaterThan(0);
        node.disconnect();
      }
      await cache.stop?.();
    });

    test('named as one server are refused, with what to do', async () => {
      const cache = clientOf({ url: urls[0] ?? '' });
      await expect(cache.start?.()).rejects.toMatchObject({
        code: 'cache.other-mode',
        message: expect.stringContaining('cache.nodes') as string,
      });
    });
  });
});
