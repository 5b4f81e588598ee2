import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createManualClock } from '#kit/manual-clock.ts';
import { silentLogger, systemClock, type Problem } from '#sdk';
import Fastify, { type FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, test } from 'vitest';
import { answerProblems, createServiceApp, type ServiceApp } from '../../../http.ts';
import { servePeers } from '../../../peer-door.ts';
import { peersContract } from '../../../ports/peers.contract.ts';
import { createServiceTokens } from '../../../service-token.ts';
import { createLocalPeers } from '../local/index.ts';
import { createRemotePeers, type RemotePeers } from './index.ts';

const SECRETS = ['a secret that is long enough for this test'];
const tokens = createServiceTokens({ secrets: SECRETS, clock: systemClock });
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A process that runs some services; gives its address. */
async function processWith(
  apps: Readonly<Record<string, ServiceApp>>,
  port = 0,
): Promise<{ url: string; door: FastifyInstance }> {
  const local = createLocalPeers();
  for (const [name, app] of Object.entries(apps)) local.attach(name, app);
  const door = Fastify({ forceCloseConnections: true }) as unknown as FastifyInstance;
  answerProblems(door, silentLogger);
  await servePeers(door, { local, tokens });
  const url = await door.listen({ host: '127.0.0.1', port });
  return { url, door };
}

function peersTo(addresses: Readonly<Record<string, readonly string[]>>): { peers: RemotePeers; metrics: Registry } {
  const metrics = new Registry();
  const peers = createRemotePeers({ addresses, sign: tokens.sign, metrics });
  ends.push(() => peers.close());
  return { peers, metrics };
}

async function named(name: string): Promise<ServiceApp> {
  const app = await createServiceApp(name, silentLogger);
  app.get('/internal/who', { config: { role: 'service' } }, () => ({ name }));
  app.post('/internal/who', { config: { role: 'service' } }, () => ({ name }));
  await app.ready();
  ends.push(() => app.close());
  return app;
}

const ask = (peers: RemotePeers, method: 'GET' | 'POST' = 'GET', deadlineMs?: number): Promise<string> =>
  peers.json<{ name: string }>('echo', { method, path: '/internal/who', deadlineMs }).then(
    ({ name }) => name,
    ({ code }: Problem) => code,
  );

peersContract('remote', async (apps) => {
  const { url, door } = await processWith(apps);
  const peers = createRemotePeers({ addresses: { echo: [url] }, sign: tokens.sign, metrics: new Registry() });
  return {
    peers,
    async stop() {
      await peers.close();
      await door.close();
    },
  };
});

describe('several addresses', () => {
  test('are asked in turn', async () => {
    const [a, b] = [await processWith({ echo: await named('a') }), await processWith({ echo: await named('b') })];
    ends.push(
      () => a.door.close(),
      () => b.door.close(),
    );
    const { peers } = peersTo({ echo: [a.url, b.url] });
    const answers = [await ask(peers), await ask(peers), await ask(peers), await ask(peers)];
    expect(answers.toSorted()).toEqual(['a', 'a', 'b', 'b']);
  });

  test('one that is away is passed over, whatever is asked, and asked again once it is back', async () => {
    const app = await named('a');
    const a = await processWith({ echo: app });
    const b = await processWith({ echo: await named('b') });
    ends.push(() => b.door.close());
    const port = Number(new URL(a.url).port);
    const { peers, metrics } = peersTo({ echo: [a.url, b.url] });
    await a.door.close();
    for (let n = 0; n < 12; n++) expect(await ask(peers, n % 2 === 0 ? 'GET' : 'POST')).toBe('b');
    expect(await metrics.metrics()).toMatch(/outrider_peer_breaker_state\{service="echo",address="[^"]+"\} 2/);
    const again = await processWith({ echo: app }, port);
    ends.push(() => again.door.close());
    await expect.poll(() => ask(peers), { timeout: 10_000, interval: 100 }).toBe('a');
    expect(await ask(peers)).toBe('b');
  });
});

describe('an address that does not answer', () => {
  const closedPort = async (): Promise<string> => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return `http://127.0.0.1:${port}`;
  };

  test('is unavailable, in words that name the service and the reason, and left alone after a few calls', async () => {
    const url = await closedPort();
    const { peers, metrics } = peersTo({ echo: [url] });
    const first = await peers.call('echo', { method: 'GET', path: '/internal/who' }).catch((error: Problem) => error);
    expect(first).toMatchObject({
      code: 'peers.unavailable',
      retryable: true,
      message: expect.stringContaining(url) as string,
    });
    for (let n = 0; n < 8; n++) await ask(peers);
    const last = await peers.call('echo', { method: 'GET', path: '/internal/who' }).catch((error: Problem) => error);
    expect(last).toMatchObject({
      code: 'peers.unavailable',
      message: expect.stringContaining('tried again') as string,
    });
    expect(await metrics.metrics()).toContain(`outrider_peer_breaker_state{service="echo",address="${url}"} 2`);
  });

  test('retries stay within their budget', async () => {
    const { peers, metrics } = peersTo({ echo: [await closedPort()] });
    for (let n = 0; n < 30; n++) await ask(peers);
    const retries = Number(/outrider_peer_retries_total\{service="echo"\} (\d+)/.exec(await metrics.metrics())?.[1]);
    expect(retries).toBeGreaterThan(0);
    expect(retries).toBeLessThanOrEqual(13);
  });

  /** Takes connections and says nothing, or garbage. */
  const listening = async (onData: (socket: Socket) => void): Promise<string> => {
    const sockets = new Set<Socket>();
    const server: Server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', () => onData(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ends.push(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  test('that takes the call and is silent is late', async () => {
    const { peers } = peersTo({ echo: [await listening(() => undefined)] });
    expect(await ask(peers, 'GET', 150)).toBe('peers.late');
  });

  test('that breaks off or talks rubbish is unavailable, and a POST is not made twice', async () => {
    let calls = 0;
    const url = await listening((socket) => {
      calls += 1;
      if (calls % 2 === 0) socket.end('rubbish\r\n\r\n');
      else socket.destroy();
    });
    const { peers } = peersTo({ echo: [url] });
    expect(await ask(peers, 'POST')).toBe('peers.unavailable');
    expect(calls).toBe(1);
    expect(await ask(peers)).toBe('peers.unavailable');
    expect(calls).toBeGreaterThan(2);
  });

  test('a caller who goes away says nothing about the one who was asked', async () => {
    const { peers, metrics } = peersTo({ echo: [await listening(() => undefined)] });
    for (let n = 0; n < 8; n++) {
      const gone = new AbortController();
      const answer = peers.call('echo', { method: 'GET', path: '/x', signal: gone.signal }).catch(() => 'gone');
      await delay(5);
      gone.abort();
      expect(await answer).toBe('gone');
    }
    expect(await metrics.metrics()).toMatch(/outrider_peer_breaker_state\{[^}]+\} 0/);
  });
});

describe('the door', () => {
  test('takes only calls with a token of this hub, made for the service that is asked', async () => {
    const { url, door } = await processWith({ echo: await named('a'), logs: await named('logs') });
    ends.push(() => door.close());
    const status = async (service: string, token: string | undefined): Promise<number> => {
      const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
      return (await fetch(`${url}/peers/${service}/internal/who`, { headers })).status;
    };
    const foreign = createServiceTokens({ secrets: ['another secret that is long enough too'], clock: systemClock });
    const old = createServiceTokens({ secrets: SECRETS, clock: createManualClock() });
    expect(await status('echo', await tokens.sign('echo', undefined))).toBe(200);
    expect(await status('echo', undefined)).toBe(401);
    expect(await status('echo', 'rubbish')).toBe(401);
    expect(await status('echo', await foreign.sign('echo', undefined))).toBe(401);
    expect(await status('echo', await old.sign('echo', undefined))).toBe(401);
    expect(await status('logs', await tokens.sign('echo', undefined))).toBe(401);
  });
});
