import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { JetStreamManager } from '@nats-io/jetstream';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { createTestAuthority } from '#kit/authority.ts';
import { linesAt, rowAt, waysToSee } from '#kit/agents-seen.ts';
import { startNatsHub } from '#kit/nats-hub.ts';
import { until } from '#kit/programs.ts';
import type { SignedInPerson, StartedUsers } from '#kit/sign-in.ts';
import { batchMessage, enrolSimulated, tableOf, type SimulatedIdentity } from '#kit/simulated-agent.ts';
import type { Stores } from '#kit/stores.ts';
import {
  AgentMessageSchema,
  BatchSchema,
  HelloSchema,
  HubMessageSchema,
  Lane,
  Stream,
  type Batch,
  type HubMessage,
} from '#proto/agent/v1/index.ts';
import { agentSubjects, ENCODING_HEADER, messageId } from '#proto/agent/v1/nats.ts';
import { silentLogger, systemClock, type Clock } from '#sdk';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createLink } from '../../../../agent/link/link.ts';
import { createSkew } from '../../../../agent/link/skew.ts';
import { natsTransport, optionsOf } from '../../../../agent/link/transports/nats.ts';
import { openSpool } from '../../../../agent/spool/index.ts';
import { onOwnServer } from '../../../../test/services/index.ts';
import { nats as natsKind, type NatsAddress } from '../../../../test/services/nats.ts';
import type { OwnServer } from '../../../../test/services/kind.ts';
import type { SeriesWrite } from '../../../ports/series.ts';
import { DEAD_STREAM, STREAM } from './connection.ts';

const API = '/api/v1/agents';
const TABLE = tableOf(['system.cpu.busy']);
const EPOCH = 7n;

/** What the series store does before it stores: a test may let it fail. */
const before: { series(write: SeriesWrite): Promise<void> } = { series: () => Promise.resolve() };

const batch = (seq: number, more: Partial<Batch> = {}): Batch => {
  const { kind } = batchMessage({
    epoch: EPOCH,
    seq: BigInt(seq),
    timeMs: Date.now(),
    table: TABLE,
    values: [0.5],
    lines: [`line of ${seq}`],
    withTable: true,
  });
  return create(BatchSchema, { ...(kind.value as Batch), ...more });
};

/** The agent's own link over a spool of its own. */
async function openLink(identity: SimulatedIdentity, settings: Parameters<typeof natsTransport>[0], clock: Clock) {
  const data = mkdtempSync(join(tmpdir(), 'outrider-nats-'));
  const skew = createSkew(clock);
  const folder = join(data, 'spool');
  const spool = await openSpool({ folder, limit: 1e9, log: silentLogger, clock, skew: () => skew.now() });
  const given = { identity, dataFolder: data, transport: natsTransport(settings), skew, spool, clock };
  const link = createLink({ ...given, log: silentLogger, hostname: 'web-1', labels: {}, inventory: () => ({}) });
  link.start();
  return {
    link,
    spool,
    put(text: string, timeMs: number): Promise<unknown> {
      const { kind } = batchMessage({
        ...{ epoch: 1n, seq: 1n, timeMs, table: TABLE, values: [1] },
        ...{ lines: [text], withTable: false },
      });
      return spool.append({
        metrics: Buffer.alloc(0),
        logs: Buffer.from((kind.value as Batch).logs),
        tables: new Map(),
        checkpoints: [],
        sources: new Map([['/var/log/app.log', [1, text.length]]]),
      });
    },
    async close(): Promise<void> {
      await link.stop();
      await spool.close();
      rmSync(data, { recursive: true });
    },
  };
}

/** Says hello, and gives the answer. */
async function sayHello(nats: NatsConnection, subject: string, { epoch, nowMs }: { epoch: bigint; nowMs: number }) {
  const hello = create(HelloSchema, { protocol: 1, epoch, hostname: 'web-1', clockMs: BigInt(nowMs) });
  const data = toBinary(AgentMessageSchema, create(AgentMessageSchema, { kind: { case: 'hello', value: hello } }));
  const reply = await nats.request(subject, data, { timeout: 5_000 });
  return fromBinary(HubMessageSchema, reply.data).kind;
}

/** Enrols an agent by a token of an administrator. */
async function newAgentAt(hub: StartedUsers, base: string, by: SignedInPerson): Promise<SimulatedIdentity> {
  const { body } = await hub.call('POST', `${API}/tokens`, { token: by.token, body: {} });
  return enrolSimulated(base, String(body['token']), 'web-1');
}

/** Puts a batch into the stream, as an agent does. */
function publishBatch(nats: NatsConnection, subject: string, id: string, value: Batch) {
  const about = headers();
  about.set('Nats-Msg-Id', id);
  about.set(ENCODING_HEADER, 'GZIP');
  return nats.request(subject, toBinary(BatchSchema, value), { headers: about, timeout: 5_000 });
}

interface Away {
  hub: StartedUsers;
  server: OwnServer<NatsAddress>;
  agent: string;
  by: SignedInPerson;
  isBack(): boolean;
}

/** Kills the server that an agent sends over, looks what is told of it, and brings it back. */
async function seeAway({ hub, server, agent, by, isBack }: Away): Promise<void> {
  const { isListed, isShown } = waysToSee(hub, agent, by);
  const ready = async (): Promise<string> => JSON.stringify((await hub.call('GET', '/ready')).body);
  await until('it is connected', async () => (await isListed()) && (await isShown()));
  expect(await ready()).toContain('"ready"');
  await server.kill();
  try {
    await until('it is told', async () => (await ready()).includes('ingest: NATS for agents at'));
    await until('nobody calls it connected', async () => {
      await hub.clock.advance(10_000);
      return !(await isListed()) && !(await isShown());
    });
  } finally {
    await server.again();
  }
  await until('all is well again', async () => (await ready()).includes('"ready"'));
  await until('the agent is back', isBack);
  for (let n = 0; n < 3; n++) await hub.clock.advance(10_000);
  await until('it is connected again', isListed);
}

await onOwnServer(natsKind, (start) => {
  let server: OwnServer<NatsAddress>;
  let stores: Stores;
  let hub: StartedUsers;
  let admin: SignedInPerson;
  let base: string;
  let manager: JetStreamManager;
  let watching: NatsConnection;
  const closing: (() => unknown)[] = [];

  const settings = () => ({ servers: [server.address.url], ca: '', certificate: '', key: '', credentials: '' });
  beforeAll(async () => {
    server = await start();
    ({ stores, hub, base, manager, watching } = await startNatsHub(server, (write) => before.series(write)));
  });
  afterAll(async () => {
    await watching.close();
    await hub.stop();
    await stores.stop();
  });
  beforeEach(async () => {
    admin = await hub.join('admin');
  });
  afterEach(async () => {
    before.series = () => Promise.resolve();
    for (const close of closing.splice(0)) await close();
  });

  const newAgent = (by = admin): Promise<SimulatedIdentity> => newAgentAt(hub, base, by);
  const subjectsOf = ({ agentId }: SimulatedIdentity, { org } = admin) => agentSubjects({ org, agent: agentId });
  const open = async (identity: SimulatedIdentity, kind = Stream.LIVE): Promise<NatsConnection> => {
    const nats = await connect(optionsOf(identity, kind, settings()));
    closing.push(() => nats.close());
    return nats;
  };
  const ask = (nats: NatsConnection, identity: SimulatedIdentity, epoch = EPOCH) =>
    sayHello(nats, subjectsOf(identity).ask('hello'), { epoch, nowMs: hub.clock.now() });
  const publish = (nats: NatsConnection, identity: SimulatedIdentity, value: Batch) =>
    publishBatch(nats, subjectsOf(identity).batch('live'), messageId(identity.agentId, value), value);
  const linesOf = (agent: string, by = admin): Promise<string[]> => linesAt(hub, agent, by);
  const rowOf = ({ agentId }: SimulatedIdentity) => rowAt(hub, agentId, admin);
  const revoke = ({ agentId }: SimulatedIdentity) =>
    hub.call('POST', `${API}/${agentId}/revoke`, { token: admin.token });

  const startLink = async (identity: SimulatedIdentity, clock = systemClock) => {
    const opened = await openLink(identity, settings(), clock);
    closing.push(opened.close);
    return { ...opened, put: (text: string, timeMs = hub.clock.now()) => opened.put(text, timeMs) };
  };

  test('an agent is welcomed, its batches are stored in order and once, and it is seen to come and go', async () => {
    const identity = await newAgent();
    const { link, put, spool } = await startLink(identity);
    for (let n = 0; n < 20; n++) await put(`line ${String(n).padStart(2, '0')}`);
    await until('all is acknowledged', () => link.state().acknowledged === 20n);
    await until('all is stored', async () => (await linesOf(identity.agentId)).length === 20);
    expect(await linesOf(identity.agentId)).toEqual(
      Array.from({ length: 20 }, (_, n) => `line ${String(n).padStart(2, '0')}`),
    );
    expect(spool.lines()).toMatchObject({ waiting: 0, acknowledged: 20, lost: 0 });
    await until('it is listed as connected', async () => (await rowOf(identity))?.['connected'] === true);
    await link.stop();
    await until('it is seen to be gone', async () => (await rowOf(identity))?.['connected'] === false);
  });

  test('credentials open the agent’s own subjects and no others, of its own organisation or of another', async () => {
    const [own, sister] = [await newAgent(), await newAgent()];
    const outsider = await hub.outsider();
    const foreign = await newAgent(outsider);
    const nats = await open(own);
    const others = [subjectsOf(sister), subjectsOf(foreign, outsider), agentSubjects({ org: admin.org, agent: '*' })];
    for (const { batch: to, inbox, all, ask: asks } of others) {
      await expect(nats.request(to('live'), 'x', { timeout: 2_000 })).rejects.toThrow(/permissions violation/i);
      await expect(nats.request(asks('hello'), 'x', { timeout: 2_000 })).rejects.toThrow(/permissions violation/i);
      for (const subject of [all, `${inbox}.>`, to('live')]) {
        const refused = new Promise<string>((resolve) => {
          nats.subscribe(subject, { callback: (error) => resolve(error?.message ?? 'a message') });
        });
        expect(await refused).toMatch(/permissions violation/i);
      }
    }
    for (const subject of [
      '$JS.API.STREAM.NAMES',
      `$JS.API.STREAM.DELETE.${STREAM}`,
      '$SYS.REQ.USER.AUTH',
      'outrider.agents.0.x.y.live',
    ])
      await expect(nats.request(subject, '', { timeout: 2_000 })).rejects.toThrow(/permissions violation/i);
    expect((await ask(nats, own)).case).toBe('welcome');
  });

  test('whoever proves nothing is kept out', async () => {
    const identity = await newAgent();
    const stranger = await createTestAuthority();
    const other = await newAgent();
    const hubs = await hub.peers.json<{ key: string; cert: string }>('ingest', {
      method: 'GET',
      path: '/internal/ingest/certificate',
    });
    const claims: Partial<SimulatedIdentity>[] = [
      { ...(await stranger.agent(identity.agentId)) },
      { key: other.key },
      { key: hubs.key, certificate: hubs.cert },
    ];
    for (const claim of claims) await expect(open({ ...identity, ...claim })).rejects.toThrow(/authorization/i);
    await expect(connect({ servers: [server.address.url] })).rejects.toThrow(/authorization/i);
    const { certificate, key } = identity;
    const overheard = optionsOf({ ...identity, certificate, key }, Stream.LIVE, settings()).authenticator;
    const once = (Array.isArray(overheard) ? overheard[0] : overheard)?.('another nonce') ?? { auth_token: '' };
    await expect(connect({ servers: [server.address.url], authenticator: () => once })).rejects.toThrow(
      /authorization/i,
    );
  });

  test('a revoked agent is told, cut off at once on both streams, and not let in again', async () => {
    const identity = await newAgent();
    const [live, backfill] = [await open(identity), await open(identity, Stream.BACKFILL)];
    const told = new Promise<HubMessage['kind']>((resolve) => {
      live.subscribe(subjectsOf(identity).told, {
        callback: (_, message) => resolve(fromBinary(HubMessageSchema, message.data).kind),
      });
    });
    expect((await ask(live, identity)).case).toBe('welcome');
    expect((await revoke(identity)).status).toBe(204);
    expect((await told).value).toMatchObject({ code: 'ingest.revoked', retry: false });
    await Promise.all(
      [live, backfill].map((nats) =>
        until('it is cut off', async () =>
          Promise.race([nats.closed().then(() => true), systemClock.sleep(50).then(() => false)]),
        ),
      ),
    );
    await expect(open(identity)).rejects.toThrow(/authorization/i);
  });

  test('a link of a revoked agent says so and keeps what it has', async () => {
    const identity = await newAgent();
    const { link, spool, put } = await startLink(identity);
    await put('before');
    await until('it is acknowledged', () => link.state().acknowledged === 1n);
    await revoke(identity);
    await until('it has ended', () => !link.state().connected);
    await put('after');
    expect(link.state().reason).toContain('an administrator removed this agent');
    expect(spool.lines().waiting).toBe(1);
  });

  test('a batch that cannot be stored is put aside, told to its agent, and holds up nothing', async () => {
    const identity = await newAgent();
    const nats = await open(identity);
    const told: HubMessage['kind'][] = [];
    nats.subscribe(subjectsOf(identity).told, {
      callback: (_, { data }) => void told.push(fromBinary(HubMessageSchema, data).kind),
    });
    await publish(nats, identity, batch(1, { metrics: Uint8Array.of(1, 2, 3) }));
    await publish(nats, identity, batch(2, { logs: gzipSync(Buffer.alloc(17e6)) }));
    await publish(nats, identity, batch(3, { lane: Lane.BACKFILL }));
    await publish(nats, identity, batch(4));
    await until('the good one is stored', async () => (await linesOf(identity.agentId)).includes('line of 4'));
    await until('the agent hears of three', () => told.length === 3);
    expect(
      told.map(({ case: kind, value }) => [kind, (value as { seq: bigint }).seq, (value as { code: string }).code]),
    ).toEqual([
      ['rejected', 1n, 'ingest.bad-frame'],
      ['rejected', 2n, 'ingest.too-large'],
      ['rejected', 3n, 'ingest.bad-frame'],
    ]);
    const { state } = await manager.streams.info(DEAD_STREAM, {
      subjects_filter: `${DEAD_STREAM}.*.${identity.agentId}.>`,
    });
    expect(Object.values(state.subjects ?? {})).toEqual([3]);
  });

  test.each([
    ['is not packed as it says', Uint8Array.of(1, 2, 3)],
    ['holds no blocks', gzipSync(Uint8Array.of(255, 255, 255))],
  ])('after a batch with tables that %s, those that use its tables are stored', async (_what, metrics) => {
    const identity = await newAgent();
    const nats = await open(identity);
    await publish(nats, identity, batch(1, { metrics }));
    await publish(nats, identity, batch(2, { tables: [] }));
    await publish(nats, identity, batch(3, { tables: [] }));
    await until('the others are stored', async () => {
      const { live } = await stores.series.acknowledged(admin.org, identity.agentId, EPOCH);
      return live === 3n && (await linesOf(identity.agentId)).includes('line of 3');
    });
    const query = 'name=system.cpu.busy&from=-1h&to=%2B1h&step=2h';
    const { body } = await hub.call('GET', `/api/v1/monitoring/metrics/${identity.agentId}?${query}`, {
      token: admin.token,
    });
    expect((body['series'] as { avg: number[] }[])[0]?.avg[0]).toBe(0.5);
  });

  test('an answer of JetStream that an agent has sent under the name of another is nobody’s batch', async () => {
    const [own, victim] = [await newAgent(), await newAgent()];
    const nats = await open(own);
    const told: unknown[] = [];
    (await open(victim)).subscribe(subjectsOf(victim).told, { callback: (_, message) => void told.push(message) });
    nats.publish(subjectsOf(own).batch('live'), 'x', { reply: subjectsOf(victim).batch('live') });
    const good = await open(victim);
    await publish(good, victim, batch(1));
    await until('what the victim sends is stored', async () => (await linesOf(victim.agentId)).length === 1);
    expect(told).toEqual([]);
  });

  test('the hub answers into the inbox of who asks alone', async () => {
    const [own, victim] = [await newAgent(), await newAgent()];
    const nats = await open(own);
    const heard: string[] = [];
    watching.subscribe(subjectsOf(victim).all, { callback: (_, { subject }) => void heard.push(subject) });
    await watching.flush();
    const hello = create(AgentMessageSchema, {
      kind: { case: 'hello', value: create(HelloSchema, { protocol: 1, epoch: 1n }) },
    });
    nats.publish(subjectsOf(own).ask('hello'), toBinary(AgentMessageSchema, hello), {
      reply: subjectsOf(victim).ask('renew'),
    });
    expect((await ask(nats, own)).case).toBe('welcome');
    expect(heard).toEqual([]);
  });

  test('while the stores are away batches wait, and come in order when they are back', async () => {
    const identity = await newAgent();
    const { link, put, spool } = await startLink(identity);
    before.series = () => Promise.reject(new Error('IO Error: No space left on device'));
    for (let n = 0; n < 5; n++) await put(`line ${n}`);
    await until('JetStream has them', () => link.state().acknowledged === 5n);
    expect(spool.lines().waiting).toBe(0);
    expect(await linesOf(identity.agentId)).not.toContain('line 4');
    before.series = () => Promise.resolve();
    await until('all is stored', async () => (await linesOf(identity.agentId)).length === 5);
  });

  test('back-fill that the stores do not take yet holds up nothing that is live', async () => {
    const identity = await newAgent();
    const { link, put, spool } = await startLink(identity);
    await until('it is connected', () => link.state().connected);
    before.series = ({ key }) =>
      key.lane === Lane.BACKFILL ? Promise.reject(new Error('IO Error: No space left on device')) : Promise.resolve();
    const old = Array.from({ length: 35 }, (_, n) => put(`old ${n}`));
    await Promise.all(old);
    await until('all is in JetStream', () => spool.lines().waiting === 0);
    await put('now');
    await until('the newest is stored', async () => (await linesOf(identity.agentId)).includes('now'));
    before.series = () => Promise.resolve();
    await until('all is stored', async () => (await linesOf(identity.agentId)).length === 36);
  });

  test('the clock of the hub is known over NATS too, and what was collected is put right by it', async () => {
    const identity = await newAgent();
    const offMs = 7_200_000;
    const clock: Clock = { ...systemClock, now: () => Date.now() + offMs };
    const { link, put } = await startLink(identity, clock);
    await until('the hub was asked', () => Math.abs(link.state().skewMs - offMs) < 60_000);
    await put('of another zone', clock.now());
    const linesNow = async (): Promise<{ timeMs: number }[]> => {
      const query = new URLSearchParams({ host: identity.agentId, from: '-10m', to: '+10m' });
      return (await hub.call('GET', `/api/v1/logs/search?${query}`, { token: admin.token })).body['items'] as [];
    };
    await until('its line is stored by the time of the hub', async () => (await linesNow()).length === 1);
  });

  test('a server that is away is told with what to do, and its agents are connected no longer, until it is back', async () => {
    const identity = await newAgent();
    const { link, put } = await startLink(identity);
    await put('before');
    await seeAway({ hub, server, agent: identity.agentId, by: admin, isBack: () => link.state().connected });
  }, 60_000);

  test('a server that is away loses nothing, one without room leaves batches with the agent, and one that lost its disk gets the stream anew', async () => {
    const identity = await newAgent();
    const { link, put, spool } = await startLink(identity);
    await put('first');
    await until('it is acknowledged', () => link.state().acknowledged === 1n);
    await server.kill();
    await until('it is noticed', () => !link.state().connected);
    await put('meanwhile');
    await server.again();
    await until('all is stored', async () => (await linesOf(identity.agentId)).length === 2);
    const { config } = await manager.streams.info(STREAM);
    await manager.streams.update(STREAM, { ...config, max_bytes: 1 });
    await put('too much');
    await until('it is told', () => link.state().reason.includes('has no room'));
    expect(spool.lines().waiting).toBe(1);
    await manager.streams.update(STREAM, config);
    await until('it comes', async () => (await linesOf(identity.agentId)).includes('too much'));
    await server.kill();
    rmSync(join(server.instance.folder, 'jetstream'), { recursive: true });
    await until('it is noticed', () => !link.state().connected);
    await put('through another stream');
    await server.again();
    const arrives = async () => (await linesOf(identity.agentId)).includes('through another stream');
    await until('it comes', async () => (await arrives()) || (await hub.clock.advance(1_000)), 60);
    expect(spool.lines()).toMatchObject({ waiting: 0, acknowledged: 4, lost: 0 });
  }, 90_000);
});
