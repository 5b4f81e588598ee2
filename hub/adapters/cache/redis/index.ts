import { Problem, type Cancel } from '#sdk';
import { defineAdapter } from '../../../adapter.ts';
import type { Cache } from '../../../ports/cache.ts';
import { createClient, type Client } from './client.ts';
import { addressOf, faultsOf, RedisConfig } from './config.ts';
import { problemOf, problems } from './errors.ts';
import { createPort, type Ask } from './port.ts';

/** How long starting waits for a server before the hub goes on without it. */
const START_MS = 5_000;
const LEAST = [6, 2] as const;

/** Throws when a server that says this of itself cannot be used. */
function demandUsable(info: string, address: string, asCluster: boolean): void {
  const version = /^redis_version:(\S+)/m.exec(info)?.[1] ?? 'unknown';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (!(major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1])))
    throw problems.otherVersion(`The cache at ${address} is Redis ${version}; 6.2 or newer is needed.`);
  if (asCluster) return;
  if (/^cluster_enabled:1/m.test(info)) throw problemOf(new Error('cluster_enabled is 1, keys are MOVED'), address);
  if (/^role:slave/m.test(info)) throw problemOf(new Error('READONLY, its role is replica'), address);
}

/** Small values on a Redis server, behind its sentinels, or on its cluster. */
export const redisCache = defineAdapter<Cache, typeof RedisConfig>({
  name: 'redis',
  reach: 'hub',
  config: RedisConfig,
  faults: faultsOf,
  create({ config, log, clock }) {
    const address = addressOf(config);
    let client: Client | undefined;
    /** Why there is no connection. */
    let last: unknown;

    /** One command: answered in time, or a Problem. */
    const ask: Ask = (work) =>
      new Promise((resolve, reject) => {
        const fail = (error: unknown): void => reject(problemOf(error, address, last));
        if (client === undefined) return fail(new Error('not started'));
        // A cluster tries again and again, beyond the time of one command.
        const cancel: Cancel = clock.after(config.timeoutMs + 200, () => fail(new Error('no answer in time')));
        work(client).then(resolve, fail).finally(cancel);
      });

    const port = createPort(ask, config.prefix);

    return {
      port,
      async start() {
        const made = createClient(config);
        client = made;
        made.on('error', (error: unknown) => {
          if (last === undefined) log.warn('the cache is away', { reason: problemOf(error, address).message });
          last = error;
        });
        made.on('node error', (error: unknown) => (last = error));
        made.on('ready', () => {
          if (last !== undefined) log.info('the cache is back', { address });
          last = undefined;
        });
        const connected = made.connect().then(
          () => undefined,
          (error: unknown) => (last ??= error),
        );
        const patience = new AbortController();
        await Promise.race([connected, clock.sleep(START_MS, patience.signal)]);
        patience.abort();
        try {
          demandUsable(String(await ask((redis) => redis.info())), address, config.nodes.length > 0);
        } catch (error) {
          // The hub works without a cache, and this one is used as soon as it answers; what only a person can cure is told now.
          if (!(error instanceof Problem) || error.code === 'cache.unavailable') return;
          made.disconnect();
          client = undefined;
          throw error;
        }
      },
      stop() {
        client?.disconnect();
        client = undefined;
        return Promise.resolve();
      },
      async check() {
        await ask((redis) => redis.ping());
        // A server that may not be written to still answers a ping.
        await port.increment('', 'check', 1_000);
      },
    };
  },
});
