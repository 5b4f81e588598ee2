import type { AddressInfo } from 'node:net';
import { create } from '@bufbuild/protobuf';
import { createManualClock } from '#kit/manual-clock.ts';
import { freePort, until } from '#kit/programs.ts';
import { startUsers, type SignedInPerson, type StartedUsers } from '#kit/sign-in.ts';
import { batchMessage, enrolSimulated, openSimulated, tableOf, type SimulatedIdentity } from '#kit/simulated-agent.ts';
import { startStores, type Stores } from '#kit/stores.ts';
import { AgentMessageSchema, Lane, Stream, type AgentMessage, type HubMessage } from '#proto/agent/v1/index.ts';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { SeriesStore, SeriesWrite } from '../../ports/series.ts';
import type { ServiceDefinition } from '../../service.ts';
import { logs } from '../logs/index.ts';
import { monitoring } from '../monitoring/index.ts';
import { ingest } from './index.ts';

const API = '/api/v1/agents';
const HOUR = 3_600_000;
const TABLE = tableOf(['system.cpu.busy']);
const EPOCH = 7n;

/** What the series store does before it stores: a test may hold it. */
let before: (write: SeriesWrite) => Promise<void> = () => Promise.resolve();

let stores: Stores;
let hub: StartedUsers;
let admin: SignedInPerson;
let identity: SimulatedIdentity;
const open: { close(): void }[] = [];
beforeAll(async () => {
  stores = await startStores();
  const port = await freePort();
  const series: SeriesStore = {
    ...stores.series,
    append: async (org, write) => (await before(write), stores.series.append(org, write)),
  };
  const services = [
    { definition: monitoring as unknown as ServiceDefinition, prefixes: ['/api/v1/monitoring'] },
    { definition: logs as unknown as ServiceDefinition, prefixes: ['/api/v1/logs'] },
    { definition: ingest as unknown as ServiceDefinition, prefixes: [API], config: { port } },
  ];
  const ports = { series, logstore: stores.logstore };
  hub = await startUsers(services, { clock: createManualClock(Date.now()), ports });
  await hub.listener.listen({ host: '127.0.0.1', port: 0 });
  admin = await hub.join('admin');
  const base = `http://127.0.0.1:${(hub.listener.server.address() as AddressInfo).port}`;
  newAgent = async () => {
    const { body } = await hub.call('POST', `${API}/tokens`, { token: admin.token, body: {} });
    return { ...(await enrolSimulated(base, String(body['token']), 'web-1')), link: `127.0.0.1:${port}` };
  };
});
let newAgent: () => Promise<SimulatedIdentity>;
afterAll(async () => {
  await hub.stop();
  await stores.stop();
});
beforeEach(async () => {
  identity = await newAgent();
});
afterEach(() => {
  for (const stream of open.splice(0)) stream.close();
  before = () => Promise.resolve();
});

/** A welcomed stream of a kind. */
async function connect(kind: Stream) {
  const got: HubMessage['kind'][] = [];
  const stream = openSimulated(identity, EPOCH, (message) => void got.push(message.kind), { stream: kind });
  open.push(stream);
  const heard = (name: HubMessage['kind']['case']) => got.filter((message) => message.case === name);
  await until('it is welcomed', () => heard('welcome').length > 0);
  return { ...stream, heard };
}
const batch = (seq: number, more: Partial<Parameters<typeof batchMessage>[0]> = {}): AgentMessage =>
  batchMessage({
    epoch: EPOCH,
    seq: BigInt(seq),
    timeMs: hub.clock.now(),
    table: TABLE,
    values: [0.5],
    lines: [`line of ${seq}`],
    withTable: true,
    ...more,
  });
const ask = async (path: string, token = admin.token): Promise<{ status: number; body: Record<string, unknown> }> =>
  hub.call('GET', path, { token });

test('back-fill that waits for the store holds up neither what is live nor the question for the time', async () => {
  const live = await connect(Stream.LIVE);
  const backfill = await connect(Stream.BACKFILL);
  let release = (): void => undefined;
  let isHeld = false;
  before = ({ key }) => {
    if (key.lane !== Lane.BACKFILL) return Promise.resolve();
    isHeld = true;
    return new Promise((resolve) => (release = resolve));
  };
  backfill.send(batch(1, { lane: Lane.BACKFILL }));
  await until('back-fill is held', () => isHeld);
  live.send(batch(1));
  await until('the live batch is acknowledged', () => live.heard('ack').length === 1);
  backfill.send(create(AgentMessageSchema, { kind: { case: 'ping', value: { id: 5n } as never } }));
  await until('the time is told', () => backfill.heard('pong').length === 1);
  expect(backfill.heard('pong')[0]?.value).toMatchObject({ id: 5n, clockMs: hub.clock.now() });
  expect(backfill.heard('ack')).toEqual([]);
  release();
  await until('back-fill is acknowledged', () => backfill.heard('ack').length === 1);
});

test('times of an agent whose clock is wrong are put right, and the hub keeps by how much', async () => {
  const { agentId } = identity;
  const live = await connect(Stream.LIVE);
  const nowMs = hub.clock.now();
  live.send(batch(1, { timeMs: nowMs + 9 * HOUR, skewMs: 9 * HOUR + 20 }));
  live.send(batch(2, { timeMs: nowMs + 9 * HOUR, skewMs: 9 * HOUR + 40 }));
  live.send(batch(3, { timeMs: nowMs + 400, skewMs: 400 }));
  await until('all is acknowledged', () => live.heard('ack').length === 3);
  const found = await ask(`/api/v1/logs/search?${new URLSearchParams({ host: agentId, from: '-1h', to: '+1h' })}`);
  const times = (found.body['items'] as { timeMs: number }[]).map(({ timeMs }) => timeMs - nowMs).sort((a, b) => a - b);
  expect(times).toEqual([0, 0, 400]);
  const query = 'name=system.cpu.busy&from=-1h&to=%2B1h&step=2h';
  const { body } = await ask(`/api/v1/monitoring/metrics/${agentId}?${query}`);
  expect((body['series'] as { avg: number[] }[])[0]?.avg[0]).toBe(0.5);
  const clock = await ask(`${API}/${agentId}/clock`);
  expect((clock.body['items'] as { shiftMs: number }[]).map(({ shiftMs }) => shiftMs)).toEqual([0, 9 * HOUR]);
  const outsider = await hub.outsider();
  expect((await ask(`${API}/${agentId}/clock`, outsider.token)).body['items']).toEqual([]);
});

test('a skew that no clock has is refused, with the batch that names it', async () => {
  const live = await connect(Stream.LIVE);
  live.send(batch(1, { skewMs: 2 ** 60 }));
  await until('it is refused', () => live.heard('refusal').length === 1);
  expect(live.heard('refusal')[0]?.value).toMatchObject({ code: 'ingest.bad-frame', retry: false });
});
