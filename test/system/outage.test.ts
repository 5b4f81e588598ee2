import {
  demandNothingLost,
  signInFirst,
  startFaultProxy,
  startHubProgram,
  startPersistentAgents,
  until,
  untilFurther,
  type Api,
  type FaultProxy,
  type PersistentAgent,
  type RunningHub,
} from '#kit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onServer, ownName } from '../services/index.ts';
import { nats } from '../services/nats.ts';
import { emptyDatabase, postgres } from '../services/postgres.ts';
import { redis } from '../services/redis.ts';

/** How long a store is away: `OUTRIDER_TEST_OUTAGE_SECONDS=60` measures what the bar asks for. */
const AWAY_S = Number(process.env['OUTRIDER_TEST_OUTAGE_SECONDS'] ?? 8);
const pause = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

const addresses: Record<string, { url: string }> = {};
for (const [port, kind] of Object.entries({ relational: postgres, bus: nats, cache: redis }))
  await onServer<{ url: string }>(kind, (address) => void (addresses[port] = address));

describe.runIf(Object.keys(addresses).length === 3)('a store that is away', () => {
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

  const everythingAnswers = async (): Promise<true | undefined> => {
    const paths = ['/api/v1/monitoring/resources', '/api/v1/users', '/api/v1/logs/search?from=-5m&limit=1'];
    const replies = await Promise.all(paths.map((path) => api.raw('GET', path)));
    return replies.every(({ ok }) => ok) || undefined;
  };

  /** What refuses while a store is away: the path, and whether agents are held back. */
  const AWAY: Readonly<Record<string, { path: string | undefined; holdsAgents: boolean }>> = {
    relational: { path: '/api/v1/monitoring/resources', holdsAgents: false },
    bus: { path: undefined, holdsAgents: true },
    cache: { path: undefined, holdsAgents: false },
  };

  describe.each(Object.entries(AWAY))('%s', (port, { path, holdsAgents }) => {
    test.each(['silent', 'closed', 'reset'] as const)(
      'is %s under load, and everything goes on by itself',
      async (fault) => {
        await proxies[port]?.set(fault);
        if (path !== undefined) {
          const problem = await until(`${path} is refused`, async () => {
            const reply = await api.raw('GET', path);
            return reply.ok ? undefined : ((await reply.json()) as { status: number; code: string });
          });
          expect(problem.status).toBeGreaterThanOrEqual(503);
        }
        const before = load.agents.map((agent) => agent.acknowledged());
        await pause(AWAY_S);
        const moved = load.agents.every((agent, n) => agent.acknowledged() > (before[n] ?? 0n) + 10n);
        if (holdsAgents) expect(moved).toBe(false);
        await proxies[port]?.set('pass');
        const back = performance.now();
        await until('everything answers', everythingAnswers);
        await untilFurther(load.agents, 1, 60);
        process.stdout.write(
          `  ${port} ${fault} for ${AWAY_S} s: back after ${Math.round(performance.now() - back)} ms\n`,
        );
      },
    );
  });

  test('nothing that was acknowledged is lost, and nothing is there twice', async () => {
    expect(await demandNothingLost(await signInFirst(hub), load)).toBeGreaterThan(100);
  });
});
