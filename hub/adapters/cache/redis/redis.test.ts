import { setTimeout as delay } from 'node:timers/promises';
import { loadSettings, silentLogger, systemClock } from '#sdk';
import { until } from '#kit/programs.ts';
import { Redis } from 'ioredis';
import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { onOwnServer, onServer, ownName } from '../../../../test/services/index.ts';
import { redis } from '../../../../test/services/redis.ts';
import { cacheContract, type MadeCache } from '../../../ports/cache.contract.ts';
import { addressOf, faultsOf, hostAndPort, RedisConfig } from './config.ts';
import { redisCache } from './index.ts';

const settings = (flags: Partial<RedisConfig>): RedisConfig => loadSettings(RedisConfig, { env: {}, flags });

const clientOf = (flags: Partial<RedisConfig>) =>
  redisCache.create({
    config: settings(flags),
    log: silentLogger,
    clock: systemClock,
    metrics: new Registry(),
    dataFolder: '',
    fail: () => undefined,
  });

/** A part of a server that nobody else uses. */
function partOf(flags: Partial<RedisConfig>, raw: () => readonly Redis[]): MadeCache {
  const prefix = `${ownName('cache')}:`;
  return {
    client: () => clientOf({ ...flags, prefix }),
    pass: (ms) => delay(ms),
    async empty() {
      let gone = 0;
      for (const server of raw()) {
        for (const key of await server.keys(`${prefix}*`)) gone += await server.del(key);
        server.disconnect();
      }
      expect(gone).toBeGreaterThan(0);
    },
  };
}

await onServer(redis, ({ url }) => {
  cacheContract('redis', () => Promise.resolve(partOf({ url }, () => [new Redis(url)])));
});

const ORG = '11111111-1111-4111-8111-111111111111';

await onOwnServer(redis, (start) => {
  describe('a Redis server', () => {
    test('that is killed is away at once, and used again when it is back', async () => {
      const server = await start();
      const cache = clientOf({ url: server.address.url });
      await cache.start?.();
      await cache.check?.();
      await server.kill();
      const away = { code: 'cache.unavailable', retryable: true };
      await expect(cache.port.get(ORG, 'k')).rejects.toMatchObject(away);
      await expect(cache.check?.()).rejects.toMatchObject(away);
      await expect(cache.port.get(ORG, 'k')).rejects.toThrow(new URL(server.address.url).host);
      await server.again();
      await until('the cache is back', () => cache.check?.().then(() => true));
      await cache.port.set(ORG, 'k', 'v', 60_000);
      expect(await cache.port.get(ORG, 'k')).toBe('v');
      await cache.stop?.();
      await server.stop();
    }, 120_000);

    test('that stands still is given up within the time of a command, and used again when it goes on', async () => {
      const server = await start();
      const cache = clientOf({ url: server.address.url, timeoutMs: 300 });
      await cache.start?.();
      const raw = new Redis(server.address.url);
      // Writes and reads of all others wait.
      await raw.call('CLIENT', 'PAUSE', '2000', 'ALL');
      await expect(cache.port.get(ORG, 'k')).rejects.toMatchObject({ code: 'cache.unavailable' });
      await until('the cache is back', () => cache.check?.().then(() => true));
      raw.disconnect();
      await cache.stop?.();
      await server.stop();
    }, 120_000);

    test('that is not there when the hub starts is used once it is', async () => {
      const server = await start();
      await server.kill();
      const cache = clientOf({ url: server.address.url });
      await cache.start?.();
      await expect(cache.check?.()).rejects.toMatchObject({ code: 'cache.unavailable' });
      await server.again();
      await until('the cache is there', () => cache.check?.().then(() => true));
      await cache.stop?.();
      await server.stop();
    }, 120_000);

    test('with a password refuses another one, and the message names it without its secret', async () => {
      const server = await start({ args: ['--requirepass', 'the-right-one'] });
      const { host } = new URL(server.address.url);
      for (const url of [`redis://:the-wrong-one@${host}`, `redis://${host}`]) {
        const cache = clientOf({ url });
        const error = (await cache.start?.().then(() => undefined, (reason: unknown) => reason)) as Error; // prettier-ignore
        expect(error).toMatchObject({ code: 'cache.refused' });
        expect(error.message).toContain(host);
        expect(error.message).toContain('cache.password');
        expect(error.message).not.toContain('the-wrong-one');
      }
      const right = clientOf({ url: server.address.url, password: 'the-right-one' });
      await right.start?.();
      await right.check?.();
      await right.stop?.();
      await server.stop();
    }, 120_000);

    test('that is full says so and what to do', async () => {
      const server = await start({ args: ['--maxmemory', '512kb', '--maxmemory-policy', 'noeviction'] });
      const cache = clientOf({ url: server.address.url });
      await cache.start?.();
      const full = { code: 'cache.full', retryable: true };
      await expect(cache.port.set(ORG, 'k', 'v', 60_000)).rejects.toMatchObject(full);
      await expect(cache.port.take(ORG, 'k', { perSecond: 1, burst: 1 }, 1)).rejects.toMatchObject(full);
      await expect(cache.check?.()).rejects.toThrow('maxmemory-policy');
      await cache.stop?.();
      await server.stop();
    }, 120_000);

    test('that is a replica is refused, and one that becomes a replica is noticed', async () => {
      const [primary, other] = await Promise.all([start(), start()]);
      const cache = clientOf({ url: other.address.url });
      await cache.start?.();
      const raw = new Redis(other.address.url);
      const { hostname, port } = new URL(primary.address.url);
      await raw.call('REPLICAOF', hostname, port);
      const asReplica = clientOf({ url: other.address.url });
      await until('it follows', async () => /master_link_status:up/.test(await raw.info('replication')));
      await expect(asReplica.start?.()).rejects.toMatchObject({ code: 'cache.read-only' });
      await until('writes are refused', () =>
        cache.port.set(ORG, 'k', 'v', 60_000).then(
          () => undefined,
          (error: unknown) => (error as { code: string }).code === 'cache.read-only' || undefined,
        ),
      );
      raw.disconnect();
      await cache.stop?.();
      await Promise.all([primary.stop(), other.stop()]);
    }, 120_000);

    test('that is no cluster is refused as one', async () => {
      const server = await start();
      const cache = clientOf({ nodes: [new URL(server.address.url).host] });
      await expect(cache.start?.()).rejects.toMatchObject({ code: 'cache.other-mode' });
      await server.stop();
    }, 120_000);
  });
});

test('settings say where the cache is, once', () => {
  const faults = (flags: Partial<RedisConfig>): string => faultsOf(settings(flags)).join('\n');
  expect(faults({ url: 'rediss://u:p%40ss@host:7000/2' })).toBe('');
  expect(faults({ nodes: ['a:1', '[::1]:2'] })).toBe('');
  expect(faults({})).toMatch(/^cache\.url: is missing/);
  expect(faults({ url: 'http://u:secret@host' })).toMatch(/^cache\.url: is no address/);
  expect(faults({ url: 'http://u:secret@host' })).not.toContain('secret');
  expect(faults({ url: 'redis://a', nodes: ['b:1'] })).toMatch(/not several/);
  expect(faults({ sentinels: ['redis://:secret@x:1'] })).toMatch(/cache\.sentinels: .* is no host:port/);
  expect(faults({ sentinels: ['redis://:secret@x:1'] })).not.toContain('secret');
  expect(faults({ url: 'redis://a', prefix: 'a{b}' })).toMatch(/braces/);
  expect(faults({ url: 'redis://a', tls: { on: true, ca: '', certificate: 'x', key: '' } })).toMatch(/go together/);
  expect(addressOf(settings({ url: 'redis://u:secret@host:7000' }))).toBe('host:7000');
  expect(hostAndPort('[::1]', 5)).toEqual({ host: '::1', port: 5 });
});
