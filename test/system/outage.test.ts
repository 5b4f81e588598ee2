import { startFaultProxy, type Fault, type FaultProxy } from '#kit/fault-proxy.ts';
import { demandNothingLost, startPersistentAgents, untilFurther, type PersistentAgent } from '#kit/persistent-agent.ts';
import { until, type Api } from '#kit/programs.ts';
import { signInFirst, startHubProgram, type RunningHub } from '#kit/running-hub.ts';
import { systemClock } from '#sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { elasticsearch8 } from '../services/elasticsearch.ts';
import { onServer, ownName } from '../services/index.ts';
import { influxdb } from '../services/influxdb.ts';
import { nats } from '../services/nats.ts';
import { emptyDatabase, postgres } from '../services/postgres.ts';
import { redis } from '../services/redis.ts';

/** How long a store is away: `OUTRIDER_TEST_OUTAGE_SECONDS=60` measures what the bar asks for, with one fault more. */
const ASKED = process.env['OUTRIDER_TEST_OUTAGE_SECONDS'];
const AWAY_S = Number(ASKED ?? 4);
const FAULTS: readonly Fault[] = ASKED === undefined ? ['silent', 'reset'] : ['silent', 'reset', 'closed'];
const pause = (seconds: number): Promise<void> => systemClock.sleep(seconds * 1000);

const KINDS = { relational: postgres, series: influxdb, logstore: elasticsearch8, cache: redis, bus: nats };
const addresses: Record<string, { url: string } & Record<string, string>> = {};
for (const [port, kind] of Object.entries(KINDS) as [string, typeof postgres][])
  await onServer(kind, (address) => void (addresses[port] = address as (typeof addresses)[string]));

describe.runIf(Object.keys(addresses).length === Object.keys(KINDS).length)('a store that is away', () => {
  let hub: RunningHub;
  let api: Api;
  let load: { agents: PersistentAgent[]; baseMs: number };
  const proxies: Record<string, FaultProxy> = {};

  /** The same address through a proxy of its own. */
  const behind = async (port: string, address = addresses[port]?.url ?? ''): Promise<string> => {
    const url = new URL(address);
    const proxy = await startFaultProxy({ host: url.hostname, port: Number(url.port) });
    proxies[port] = proxy;
    url.host = `${proxy.host}:${proxy.port}`;
    return url.href.replace(/\/$/, '');
  };

  beforeAll(async () => {
    const env = {
      OUTRIDER_RELATIONAL__URL: await behind(
        'relational',
        await emptyDatabase(addresses['relational'] ?? { url: '' }, ownName('outage')),
      ),
      OUTRIDER_SERIES__ADAPTER: 'influx',
      OUTRIDER_SERIES__URL: await behind('series'),
      OUTRIDER_SERIES__ORG: addresses['series']?.['org'] ?? '',
      OUTRIDER_SERIES__TOKEN: addresses['series']?.['token'] ?? '',
      OUTRIDER_SERIES__BUCKET: ownName('outage'),
      OUTRIDER_LOGSTORE__ADAPTER: 'elastic',
      OUTRIDER_LOGSTORE__URLS: await behind('logstore'),
      OUTRIDER_LOGSTORE__PREFIX: ownName('outage'),
      OUTRIDER_BUS__SERVERS: await behind('bus'),
      OUTRIDER_CACHE__URL: await behind('cache'),
    };
    hub = await startHubProgram([], { env }, 'split');
    api = await signInFirst(hub);
    load = await startPersistentAgents(hub, 3, { perSecond: 4 });
    await untilFurther(load.agents);
  });
  afterAll(async () => {
    await hub?.close();
    await Promise.all(Object.values(proxies).map((proxy) => proxy.stop()));
  });

  /** What is read of a store; whoever asks for it is refused while the store is away. */
  const reads = (): Readonly<Record<string, string>> => ({
    relational: '/api/v1/monitoring/resources',
    series: `/api/v1/monitoring/metrics/${load.agents[0]?.identity.agentId}?name=system.cpu.busy&from=-7h`,
    logstore: '/api/v1/logs/search?from=-5m&limit=1',
  });
  /** A process that says that it is not ready, and why. */
  const unready = async (): Promise<{ hub: string; reason: string } | undefined> => {
    for (const [name, url] of Object.entries(hub.urls)) {
      const reply = await fetch(`${url}/ready`);
      if (!reply.ok) return { hub: name, reason: ((await reply.json()) as { detail: string }).detail };
    }
    return undefined;
  };

  const everythingAnswers = async (): Promise<true | undefined> => {
    const paths = ['/api/v1/users', ...Object.values(reads())];
    const replies = await Promise.all(paths.map((path) => api.raw('GET', path)));
    return replies.every(({ ok }) => ok) || undefined;
  };

  describe.each(Object.keys(KINDS))('%s', (port) => {
    test.each(FAULTS)('is %s under load, and everything goes on by itself', async (fault) => {
      // An access token lives for some minutes only.
      api = await signInFirst(hub);
      await proxies[port]?.set(fault);
      const path = reads()[port];
      if (path !== undefined) {
        const problem = await until(`${path} is refused`, async () => {
          const reply = await api.raw('GET', path);
          return reply.ok ? undefined : ((await reply.json()) as { status: number });
        });
        expect(problem.status).toBeGreaterThanOrEqual(503);
      }
      const { hub: part, reason } = await until(`/ready names ${port}`, unready);
      expect(reason, part).toContain(port);
      if (port === 'cache') await signInFirst(hub);
      const before = load.agents.map((agent) => agent.acknowledged());
      await pause(AWAY_S);
      const moved = load.agents.every((agent, n) => agent.acknowledged() > (before[n] ?? 0n) + 5n);
      // What the bus does not take is the agents' to keep; without any other store they go on.
      expect(moved).toBe(port !== 'bus');
      await proxies[port]?.set('pass');
      const back = performance.now();
      api = await until('people sign in', () => signInFirst(hub));
      await until('everything answers', everythingAnswers);
      await untilFurther(load.agents, 1, 60);
      process.stdout.write(
        `  ${port} ${fault} for ${AWAY_S} s: back after ${Math.round(performance.now() - back)} ms\n`,
      );
    });
  });

  test('nothing that was acknowledged is lost, and nothing is there twice', async () => {
    expect(await demandNothingLost(await signInFirst(hub), load)).toBeGreaterThan(100);
  });
});
