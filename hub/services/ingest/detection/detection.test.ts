import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { create } from '@bufbuild/protobuf';
import { feedResource } from '#kit/host-feed.ts';
import { createManualClock } from '#kit/manual-clock.ts';
import { freePort, until } from '#kit/programs.ts';
import { startUsers, type SignedInPerson, type StartedUsers } from '#kit/sign-in.ts';
import { batchMessage, enrolSimulated, openSimulated, tableOf, type SimulatedIdentity } from '#kit/simulated-agent.ts';
import { startStores, type Stores } from '#kit/stores.ts';
import { AgentMessageSchema, AnomalyKind, DetectionReportSchema, type HubMessage } from '#proto/agent/v1/index.ts';
import { silentLogger } from '#sdk';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Peers } from '../../../ports/peers.ts';
import type { ServiceDefinition } from '../../../service.ts';
import { logs } from '../../logs/index.ts';
import { monitoring } from '../../monitoring/index.ts';
import { predictions } from '../../predictions/index.ts';
import { ingest } from '../index.ts';
import { createDetectionDelivery } from './delivery.ts';

const API = '/api/v1/agents';
const NONE = { offset: 0, series: [] };

let stores: Stores;
let hub: StartedUsers;
let admin: SignedInPerson;
let base = '';
let port = 0;
const open: { close(): void }[] = [];

beforeAll(async () => {
  stores = await startStores();
  port = await freePort();
  const services = [
    { definition: monitoring as unknown as ServiceDefinition, prefixes: ['/api/v1/monitoring'] },
    { definition: logs as unknown as ServiceDefinition, prefixes: ['/api/v1/logs'] },
    { definition: predictions as unknown as ServiceDefinition, prefixes: ['/api/v1/predictions'] },
    { definition: ingest as unknown as ServiceDefinition, prefixes: [API], config: { port } },
  ];
  const { series, logstore } = stores;
  hub = await startUsers(services, { clock: createManualClock(Date.now()), ports: { series, logstore } });
  await hub.listener.listen({ host: '127.0.0.1', port: 0 });
  base = `http://127.0.0.1:${(hub.listener.server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await hub.stop();
  await stores.stop();
});
beforeEach(async () => {
  admin = await hub.outsider();
});
afterEach(() => {
  for (const stream of open.splice(0)) stream.close();
});

const newAgent = async (): Promise<SimulatedIdentity> => {
  const { body } = await hub.call('POST', `${API}/tokens`, { token: admin.token, body: {} });
  return enrolSimulated(base, String(body['token']), 'web-1');
};

/** A connection of an agent that was welcomed. */
async function connect(identity: SimulatedIdentity, epoch = 7n) {
  const heard: HubMessage['kind'][] = [];
  const stream = openSimulated({ ...identity, link: `127.0.0.1:${port}` }, epoch, ({ kind }) => heard.push(kind));
  open.push(stream);
  const welcome = await until('it is welcome', () => heard.find((kind) => kind.case === 'welcome')?.value);
  return {
    ...{ stream, heard, welcome },
    say(revision: bigint): void {
      const value = create(DetectionReportSchema, { revision });
      stream.send(create(AgentMessageSchema, { kind: { case: 'detection', value } }));
    },
    /** The nth that it is told; the clock of the hub goes on meanwhile. */
    told: (nth = 0) =>
      until('it is told what it detects by', async () => {
        await hub.clock.advance(3000);
        const kind = heard.filter(({ case: what }) => what === 'detection')[nth];
        return kind?.case === 'detection' ? kind.value : undefined;
      }),
    count: () => heard.filter(({ case: what }) => what === 'detection').length,
  };
}

/** Tells of an event of an agent and gives what judges it. */
async function newEvent({ agentId }: SimulatedIdentity) {
  const id = randomUUID();
  const event = { id, kind: AnomalyKind.HOST, score: 0.9, startMs: BigInt(hub.clock.now()), causes: [{ metric: 'a' }] };
  await feedResource(hub.bus, admin.org, agentId, 99n).send({ timeMs: hub.clock.now(), anomalies: [event] });
  return async (verdict: string): Promise<void> => {
    const path = `/api/v1/predictions/anomalies/${id}/feedback`;
    expect((await hub.call('POST', path, { token: admin.token, body: { verdict } })).status).toBe(200);
  };
}

describe('what an agent detects by', () => {
  test('is told to one that is connected when people change it, and to one that comes back with something else', async () => {
    const identity = await newAgent();
    const judge = await newEvent(identity);
    const first = await connect(identity);
    expect(first.welcome.detection).toBe(true);
    first.say(0n);
    await until('it is heard', () => detectionOf(identity).then((one) => one !== null));
    await judge('noise');
    const noisy = await first.told();
    expect(JSON.parse(noisy.document)).toEqual({ offset: 2, series: [{ metric: 'a', attributes: {}, offset: 2 }] });
    first.say(noisy.revision);
    first.stream.close();
    await judge('useful');
    const second = await connect(identity);
    second.say(noisy.revision);
    const useful = await second.told();
    expect(JSON.parse(useful.document)).toMatchObject({ offset: -1 });
    expect(useful.revision).toBeGreaterThan(noisy.revision);
  });

  test('is sent again to one that does not answer, and to nobody who never asked', async () => {
    const [asks, silent] = [await newAgent(), await newAgent()];
    const [asking, mute] = [await connect(asks), await connect(silent)];
    asking.say(0n);
    await until('it is heard', () => detectionOf(asks).then((one) => one !== null));
    for (const identity of [asks, silent]) await (await newEvent(identity))('noise');
    expect((await asking.told(1)).revision).toBe((await asking.told(0)).revision);
    expect(mute.count()).toBe(0);
    asking.say((await asking.told(0)).revision);
  });

  test('is what nothing was ever said of, for one that has what this hub never gave', async () => {
    const agent = await connect(await newAgent());
    agent.say(12_345n);
    const { revision, document } = await agent.told();
    expect([revision, JSON.parse(document)]).toEqual([0n, NONE]);
    agent.say(2n ** 63n);
    const refused = await until('it is refused', () => agent.heard.find((kind) => kind.case === 'refusal')?.value);
    expect(refused.code).toBe('ingest.bad-frame');
  });
});

const detectionOf = async ({ agentId }: SimulatedIdentity): Promise<unknown> => {
  const query = `org=${admin.org}&agent=${agentId}`;
  const path = '/internal/predictions/detection';
  return (await hub.peers.json<{ detection: unknown }>('predictions', { method: 'GET', path, query })).detection;
};

test('a batch is not acknowledged while its events cannot be kept, also not at the next welcome', async () => {
  const identity = await newAgent();
  const agent = await connect(identity, 8n);
  const table = tableOf(['system.cpu.busy']);
  const batch = (seq: bigint, anomalies: { id: string; kind: AnomalyKind; startMs: bigint }[] = []) =>
    batchMessage({ epoch: 8n, seq, timeMs: hub.clock.now(), table, values: [1], withTable: true, anomalies });
  const isAcknowledged = (seq: bigint): boolean =>
    agent.heard.some((kind) => kind.case === 'ack' && kind.value.seq === seq);
  agent.stream.send(batch(1n));
  await until('the first is acknowledged', () => isAcknowledged(1n));
  /** What a welcome would name. */
  const durable = (epoch: number): Promise<unknown> => {
    const path = '/internal/predictions/acknowledged';
    const query = `org=${admin.org}&agent=${identity.agentId}&epoch=${epoch}`;
    return hub.peers.json('predictions', { method: 'GET', path, query });
  };
  await hub.relational.forOrg('predictions', admin.org, async (db) => {
    await sql`LOCK TABLE anomalies IN ACCESS EXCLUSIVE MODE`.execute(db);
    agent.stream.send(batch(2n, [{ id: randomUUID(), kind: AnomalyKind.HOST, startMs: 1n }]));
    await until('the batch waits for the table', async () => {
      const { rows } = await sql`SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'anomalies'::regclass`.execute(
        db,
      );
      return rows.length > 0;
    });
    expect(isAcknowledged(2n)).toBe(false);
    expect(await durable(8)).toEqual({ live: '1', backfill: '0' });
  });
  await until('it is acknowledged', () => isAcknowledged(2n));
  expect((await connect(identity, 8n)).welcome.ackedLive).toBe(2n);
  // What the other owners have, and this one does not, is to come again.
  expect(await durable(9)).toEqual({ live: '0', backfill: '0' });
});

test('a report that nobody takes keeps the stream, and is answered when the service is there again', async () => {
  const who = { org: randomUUID(), agent: randomUUID() };
  const sent: HubMessage[] = [];
  let isThere = false;
  const answers: Record<string, unknown> = {
    '/internal/predictions/reports': {
      detection: {
        revision: 5,
        document: '{}',
        models: [{ alias: 'champion', version: 'v1', digest: '0aff', document: '' }],
      },
    },
    '/internal/predictions/due': { items: [] },
  };
  const json = (_service: string, { path }: { path: string }): Promise<unknown> =>
    isThere ? Promise.resolve(answers[path]) : Promise.reject(new Error('away'));
  const door = { names: () => [who], send: (_to: unknown, message: HubMessage) => sent.push(message) > 0 };
  const peers = { json } as unknown as Peers;
  const delivery = createDetectionDelivery({ peers, log: silentLogger, agents: () => [door] });
  expect(await delivery.reported(who, create(DetectionReportSchema))).toBeUndefined();
  await expect(delivery.deliver()).rejects.toThrow('away');
  isThere = true;
  await delivery.deliver();
  await delivery.deliver();
  expect(sent.map(({ kind }) => kind)).toMatchObject([
    {
      case: 'detection',
      value: { revision: 5n, document: '{}', models: [{ version: 'v1', digest: Buffer.of(10, 255) }] },
    },
  ]);
});
