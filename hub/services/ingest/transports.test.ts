import { randomBytes, randomUUID } from 'node:crypto';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { feedResource } from '#kit/host-feed.ts';
import { startFaultProxy, type FaultProxy } from '#kit/fault-proxy.ts';
import { createManualClock } from '#kit/manual-clock.ts';
import { freePort, until } from '#kit/programs.ts';
import { startUsers, type SignedInPerson, type StartedUsers } from '#kit/sign-in.ts';
import { batchMessage, enrolSimulated, tableOf, type SimulatedIdentity } from '#kit/simulated-agent.ts';
import { startStores, type Stores } from '#kit/stores.ts';
import type { DetectionDocument } from '#proto/agent/v1/detection.ts';
import type { Batch } from '#proto/agent/v1/index.ts';
import { silentLogger, systemClock } from '#sdk';
import { Registry } from 'prom-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createSensitivity } from '../../../agent/anomalies/sensitivity.ts';
import { createModelJudges } from '../../../agent/anomalies/models/judges.ts';
import { createLink, type LinkGiven } from '../../../agent/link/link.ts';
import { createSkew } from '../../../agent/link/skew.ts';
import { transportOf } from '../../../agent/link/transports/index.ts';
import { createPushed } from '../../../agent/pushed/index.ts';
import { inForce, readKept } from '../../../agent/pushed/kept.ts';
import { openSpool } from '../../../agent/spool/index.ts';
import { onOwnServer } from '../../../test/services/index.ts';
import type { OwnServer } from '../../../test/services/kind.ts';
import { nats as natsKind, type NatsAddress } from '../../../test/services/nats.ts';
import type { ServiceContext, ServiceDefinition } from '../../service.ts';
import { logs } from '../logs/index.ts';
import { monitoring } from '../monitoring/index.ts';
import { predictions } from '../predictions/index.ts';
import { ingest } from './index.ts';

const API = '/api/v1/agents';
const PREDICTIONS = '/api/v1/predictions';
const GROUPS = `${API}/settings/groups`;
const TABLE = tableOf(['system.cpu.busy']);

let stores: Stores;
let hub: StartedUsers;
let admin: SignedInPerson;
let base: string;
const closing: (() => unknown)[] = [];
beforeAll(async () => {
  stores = await startStores();
  const config = { port: await freePort() };
  const services = [
    { definition: monitoring as unknown as ServiceDefinition, prefixes: ['/api/v1/monitoring'] },
    { definition: logs as unknown as ServiceDefinition, prefixes: ['/api/v1/logs'] },
    { definition: predictions as unknown as ServiceDefinition, prefixes: [PREDICTIONS] },
    { definition: ingest as unknown as ServiceDefinition, prefixes: [API], config },
  ];
  const ports = { series: stores.series, logstore: stores.logstore };
  hub = await startUsers(services, { clock: createManualClock(Date.now()), ports });
  await hub.listener.listen({ host: '127.0.0.1', port: 0 });
  base = `http://127.0.0.1:${(hub.listener.server.address() as AddressInfo).port}`;
  admin = await hub.join('admin');
});
afterAll(async () => {
  await hub.stop();
  await stores.stop();
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** One more process of ingest on the same database, bus and peers. */
async function startIngest(port: number, servers: readonly string[]) {
  const metrics = new Registry();
  const nats = { servers: [...servers], ca: '', certificate: '', key: '', replicas: 1, maxGb: 0.1 };
  const listen = { version: '0', publicUrl: base, linkAddress: `127.0.0.1:${port}`, listen: '127.0.0.1' };
  const facts = { ...listen, hostnames: ['127.0.0.1'], page: '', downloads: [], training: [], routes: [] };
  const component = ingest.create({
    config: { port, advertise: '', certificateDays: 30, nats },
    ports: { relational: hub.relational, bus: hub.bus, peers: hub.peers },
    ...{ clock: systemClock, log: silentLogger, hub: facts, metrics, fail: () => undefined },
    ...({ egress: undefined, channels: {} } as unknown as Pick<ServiceContext<never, never>, 'egress' | 'channels'>),
  });
  await component.start?.();
  return {
    stop: () => component.stop?.(),
    batches: async (): Promise<number> =>
      Number(/^outrider_ingest_batches_total (\d+)/m.exec(await metrics.metrics())?.[1]),
  };
}
type Ingest = Awaited<ReturnType<typeof startIngest>>;

/** A transport under test: what stands between agent and hub, and how the agent reaches it. */
interface Way {
  proxy: FaultProxy;
  start(): Promise<Ingest>;
  transport(): ReturnType<typeof transportOf>;
  /** Where agents dial over gRPC. */
  link: string;
}

const newAgent = async (labels: Record<string, string> = {}): Promise<SimulatedIdentity> => {
  const { body } = await hub.call('POST', `${API}/tokens`, { token: admin.token, body: { labels } });
  return enrolSimulated(base, String(body['token']), 'web-1');
};

/** The agent's own link, over a spool of its own. */
async function startLink(
  enrolled: SimulatedIdentity,
  way: Pick<Way, 'transport' | 'link'>,
  more: Pick<LinkGiven, 'exchange' | 'detection'> = {},
) {
  const identity = { ...enrolled, link: way.link };
  const dataFolder = mkdtempSync(join(tmpdir(), 'outrider-way-'));
  const spool = await openSpool({ folder: join(dataFolder, 'spool'), limit: 1e9, log: silentLogger });
  const [clock, log] = [systemClock, silentLogger];
  const given = { identity, dataFolder, transport: way.transport(), skew: createSkew(clock), spool, clock, log };
  const link = createLink({ ...given, ...more, hostname: 'web-1', labels: {}, inventory: () => ({}) });
  link.start();
  closing.push(async () => {
    await link.stop();
    await spool.close();
    rmSync(dataFolder, { recursive: true });
  });
  const put = (text: string, metrics = Buffer.alloc(0)): Promise<unknown> => {
    const about = { epoch: 1n, seq: 1n, timeMs: Date.now(), table: TABLE, values: [1], withTable: false };
    const { logs: lines } = batchMessage({ ...about, lines: [text] }).kind.value as Batch;
    const sources = new Map([['/var/log/app.log', [1, text.length] as const]]);
    return spool.append({ metrics, logs: Buffer.from(lines), tables: new Map(), checkpoints: [], sources });
  };
  return { link, spool, put };
}

/** The part of an agent that tries out what the hub pushes, for three seconds. It is well with anything but a level of its log. */
function startPushed() {
  const dataFolder = mkdtempSync(join(tmpdir(), 'outrider-way-'));
  const has = () => inForce(readKept(dataFolder))?.document;
  const part = createPushed({
    dataFolder,
    collectors: ['cpu'],
    settings: () => ({ pushed: { accept: true, trialSeconds: 3 } }),
    check: () => Promise.resolve(),
    unfit: undefined,
    reload: () => Promise.resolve(undefined),
    condition: () => ({
      collectors: new Map(),
      lastAckMs: Date.now(),
      strains: has()?.log === undefined ? [] : ['the agent is over its budget of memory'],
    }),
    ...{ clock: systemClock, log: silentLogger },
  });
  closing.push(async () => {
    await part.stop?.();
    rmSync(dataFolder, { recursive: true });
  });
  return { part, has };
}

/** A group of agents, as a person sees it who pushes to it. */
async function newGroup(name: string, labels: Record<string, string>) {
  const { token } = admin;
  const { body } = await hub.call('POST', GROUPS, { token, body: { name, labels } });
  const id = String(body['id']);
  const now = async () => {
    const { items } = (await hub.call('GET', GROUPS, { token })).body as {
      items: { id: string; newest: { revision: number; haltedBecause: string }; states: Record<string, number> }[];
    };
    return items.find((group) => group.id === id);
  };
  return {
    push: (settings: object) => hub.call('POST', `${GROUPS}/${id}/revisions`, { token, body: { settings } }),
    undo: async () => {
      const revision = (await now())?.newest.revision;
      return hub.call('POST', `${GROUPS}/${id}/undo`, { token, body: { revision } });
    },
    until: (state: string) =>
      until(
        `its agent is ${state}`,
        async () => {
          const group = await now();
          return group?.states[state] === 1 ? group.newest : undefined;
        },
        60,
      ),
  };
}

const linesOf = async ({ agentId }: SimulatedIdentity): Promise<string[]> => {
  const query = new URLSearchParams({ host: agentId, from: '-1d', to: '+1h', limit: '1000' });
  const { body } = await hub.call('GET', `/api/v1/logs/search?${query}`, { token: admin.token });
  return (body['items'] as { text: string }[]).map(({ text }) => text).sort();
};
const named = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => `line ${String(n).padStart(3, '0')}`);

/** What every transport must do, against the real ingest. `lets` says where a batch ends that the hub cannot read. */
function linkContract(name: string, open: () => Promise<Way>): void {
  describe(`the link over ${name}`, () => {
    let way: Way;
    let running: Ingest;
    let identity: SimulatedIdentity;
    beforeAll(async () => {
      way = await open();
      running = await way.start();
    }, 60_000);
    afterAll(async () => {
      await running.stop();
      await way.proxy.stop();
    });
    beforeEach(async () => {
      await way.proxy.set('pass');
      identity = await newAgent();
    });

    test('delivers what the spool holds once, live and back-fill', async () => {
      const { put, spool } = await startLink(identity, way);
      const names = named(60);
      await Promise.all(names.map((text) => put(text)));
      await until('all is acknowledged', () => spool.lines().waiting === 0);
      await until('all is stored', async () => (await linesOf(identity)).length >= names.length);
      expect(await linesOf(identity)).toEqual(names);
      expect(spool.lines()).toMatchObject({ acknowledged: names.length, lost: 0 });
    });

    test('comes back after connections that break off at any moment, with each line once', async () => {
      const { put, spool, link } = await startLink(identity, way);
      const names = named(40);
      for (const [n, text] of names.entries()) {
        await put(text);
        if (n % 8 === 3) await way.proxy.set(n % 16 === 3 ? 'reset' : 'closed');
        if (n % 8 === 6) await until('it is noticed', () => !link.state().connected, 90);
        if (n % 8 === 6) await way.proxy.set('pass');
      }
      await until('all is acknowledged', () => spool.lines().waiting === 0, 60);
      await until('all is stored', async () => (await linesOf(identity)).length >= names.length);
      expect(await linesOf(identity)).toEqual(names);
    }, 120_000);

    test('sends again what was stored and whose acknowledgement was lost, and it is stored once', async () => {
      const { put, spool, link } = await startLink(identity, way);
      await until('it is connected', () => link.state().connected);
      let lost = 0;
      for (const text of named(3)) {
        await way.proxy.set('slow', 300);
        await put(text);
        await until('it is stored', async () => (await linesOf(identity)).includes(text));
        lost += spool.lines().waiting;
        await way.proxy.set('reset');
        await until('it is noticed', () => !link.state().connected);
        await way.proxy.set('pass');
        await until('it is acknowledged', () => spool.lines().waiting === 0);
      }
      expect(lost).toBeGreaterThan(0);
      expect(await linesOf(identity)).toEqual(named(3));
    }, 120_000);

    test('goes on when the hub is started again', async () => {
      const { put, spool } = await startLink(identity, way);
      await put('line 000');
      await until('the first is stored', async () => (await linesOf(identity)).length === 1);
      await running.stop();
      for (const text of named(5).slice(1)) await put(text);
      running = await way.start();
      await until('all is stored', async () => (await linesOf(identity)).length >= 5, 60);
      expect(await linesOf(identity)).toEqual(named(5));
      await until('all is acknowledged', () => spool.lines().waiting === 0);
    }, 120_000);

    test.each([
      ['is not packed as it says', Buffer.from('these are no samples')],
      ['holds no samples', gzipSync(Buffer.from([255, 255, 255]))],
    ])(
      'loses a batch that %s, says so, and goes on',
      async (_what, metrics) => {
        const { put, spool, link } = await startLink(identity, way);
        await put('before');
        await put('with it', metrics);
        await put('after');
        await until('what follows is stored', async () => (await linesOf(identity)).includes('after'), 60);
        await until('it is told', () => spool.lines().lost + link.state().rejected === 1);
        // Its lines may be stored: what is wrong with it is seen by the owner of the samples alone.
        expect((await linesOf(identity)).filter((text) => text !== 'with it')).toEqual(['after', 'before']);
      },
      90_000,
    );

    test('loses a batch that is too large for the way, says so, and goes on', async () => {
      const { put, spool } = await startLink(identity, way);
      await put('before');
      await put('with it', randomBytes(5_000_000));
      await put('after');
      await until('what follows is stored', async () => (await linesOf(identity)).includes('after'), 60);
      expect(await linesOf(identity)).toEqual(['after', 'before']);
      expect(spool.lines()).toMatchObject({ lost: 1 });
    }, 90_000);

    test('brings what people said of an event to the agent, which keeps it and says so', async () => {
      const dataFolder = mkdtempSync(join(tmpdir(), 'outrider-way-'));
      closing.push(() => rmSync(dataFolder, { recursive: true }));
      const inForceNow: DetectionDocument[] = [];
      const judges = createModelJudges({
        log: silentLogger,
        detection: { metrics: true, tensorFlow: false },
        saved: [],
      });
      const given = { dataFolder, log: silentLogger, judges, accepts: () => true, apply: (of: DetectionDocument) => void inForceNow.push(of) }; // prettier-ignore
      const { link } = await startLink(identity, way, { detection: createSensitivity(given) });
      await until('it is connected', () => link.state().connected);
      const event = { id: randomUUID(), kind: 1, score: 0.9, startMs: 1n, causes: [{ metric: 'system.cpu.busy' }] };
      await feedResource(hub.bus, admin.org, identity.agentId, 99n).send({ timeMs: Date.now(), anomalies: [event] });
      const path = `${PREDICTIONS}/anomalies/${event.id}/feedback`;
      expect((await hub.call('POST', path, { token: admin.token, body: { verdict: 'noise' } })).status).toBe(200);
      const wanted = { offset: 2, series: [{ metric: 'system.cpu.busy', attributes: {}, offset: 2 }] };
      await until('it is in force', () => inForceNow.length > 0, 60);
      expect(inForceNow).toEqual([wanted]);
      createSensitivity(given); // As at the next start.
      expect(inForceNow.at(-1)).toEqual(wanted);
      await hub.call('DELETE', path, { token: admin.token });
      await until('it is taken back', () => inForceNow.at(-1)?.offset === 0, 60);
    }, 120_000);

    test('brings what is pushed to the agent and what became of it back, also to one that was away', async () => {
      const labels = { way: name };
      const { part, has } = startPushed();
      const group = await newGroup(`over ${name}`, labels);
      const { link } = await startLink(await newAgent(labels), way, { exchange: part });
      const slow = { collectors: { cpu: { interval: 10 } } };
      await group.push(slow);
      await group.until('trying');
      expect(has()).toEqual(slow);
      await group.until('applied');
      await group.push({ log: { level: 'debug' } });
      const { haltedBecause } = await group.until('rolled-back');
      expect(haltedBecause).toBe('web-1 took it back: the agent is over its budget of memory');
      expect(has()).toEqual(slow);
      await way.proxy.set('closed');
      await until('it is noticed', () => !link.state().connected, 90);
      await group.undo();
      await group.undo();
      await group.until('pending');
      await way.proxy.set('pass');
      await group.until('applied');
      expect(has()).toBeUndefined();
    }, 180_000);

    test('says that an administrator removed the agent, and keeps what it has', async () => {
      const { put, spool, link } = await startLink(identity, way);
      await put('before');
      await until('it is acknowledged', () => spool.lines().waiting === 0);
      await hub.call('POST', `${API}/${identity.agentId}/revoke`, { token: admin.token });
      await until('it has ended', () => !link.state().connected);
      await put('kept');
      await until('it is told', () => link.state().reason.includes('an administrator removed this agent'));
      expect(spool.lines().waiting).toBe(1);
    }, 60_000);
  });
}

linkContract('gRPC', async () => {
  const port = await freePort();
  const proxy = await startFaultProxy({ port });
  const none = { servers: [], ca: '', certificate: '', key: '', credentials: '' };
  const link = `${proxy.host}:${proxy.port}`;
  return {
    ...{ proxy, link, start: () => startIngest(port, []) },
    transport: () => transportOf({ transport: 'grpc', nats: none }, link),
  };
});

await onOwnServer(natsKind, (start) => {
  let server: OwnServer<NatsAddress> | undefined;
  const opened = async (): Promise<OwnServer<NatsAddress>> => {
    if (server !== undefined) return server;
    server = await start();
    const path = '/internal/ingest/nats';
    const { text } = await hub.peers.json<{ text: string }>('ingest', { method: 'POST', path });
    await server.kill();
    appendFileSync(join(server.instance.folder, 'nats.conf'), text);
    await server.again();
    return server;
  };
  const settings = (place: string) => ({
    transport: 'nats' as const,
    nats: { servers: [place], ca: '', certificate: '', key: '', credentials: '' },
  });

  linkContract('NATS', async () => {
    const { address } = await opened();
    const proxy = await startFaultProxy({ port: Number(new URL(address.url).port) });
    return {
      ...{ proxy, link: '' },
      start: async () => startIngest(await freePort(), [address.url]),
      transport: () => transportOf(settings(`${proxy.host}:${proxy.port}`), ''),
    };
  });

  test('three hubs share what agents send over NATS, and each line is stored once and in order', async () => {
    const { address } = await opened();
    const hubs: Ingest[] = [];
    for (let n = 0; n < 3; n++) hubs.push(await startIngest(await freePort(), [address.url]));
    closing.push(async () => {
      for (const one of hubs) await one.stop();
    });
    const identities: SimulatedIdentity[] = [];
    for (let n = 0; n < 6; n++) identities.push(await newAgent());
    const way = { link: '', transport: () => transportOf(settings(address.url), '') };
    const links = await Promise.all(identities.map((identity) => startLink(identity, way)));
    const names = named(30);
    for (const text of names) await Promise.all(links.map(({ put }) => put(text)));
    for (const identity of identities)
      await until('all is stored', async () => (await linesOf(identity)).length >= names.length, 60);
    for (const identity of identities) expect(await linesOf(identity)).toEqual(names);
    const counts = await Promise.all(hubs.map((one) => one.batches()));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(identities.length * names.length);
    for (const count of counts) expect(count).toBeGreaterThan(0);
  }, 120_000);
});
