import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { toBinary, create } from '@bufbuild/protobuf';
import { startedDataFolder } from '#kit/relational.ts';
import { tableOf } from '#kit/simulated-agent.ts';
import { Lane, MetricsSchema } from '#proto/agent/v1/index.ts';
import { SUBJECTS } from '#proto/subjects.ts';
import { run, silentLogger, systemClock, type Running } from '#sdk';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mailTo, until } from '../../../test/kit/notifications.ts';
import { startMailServer, type StartedMailServer } from '../../../test/kit/receivers.ts';
import { assemble, planFor, planSettings, type Assembly } from '../../assemble.ts';
import { createEgress } from '../../egress.ts';
import type { PeerRequest } from '../../ports/peers.ts';
import type { Principal } from '../../principal.ts';
import type { Delivery } from './delivery-store.ts';

const METRIC = 'system.cpu.utilization';
const table = tableOf([METRIC]);
const [org, host] = [randomUUID(), randomUUID()];
const principal: Principal = { org, user: randomUUID(), name: 'ada', role: 'owner', via: 'session' };

let folder: string;
let hub: Assembly;
let running: Running;
let server: StartedMailServer;

beforeAll(async () => {
  folder = await startedDataFolder();
  server = await startMailServer();
  const sources = { env: {}, flags: { data: folder } };
  const plan = await planFor('all', sources);
  hub = await assemble(plan, {
    settings: planSettings(plan, sources),
    dataFolder: folder,
    hub: {
      version: '0.0.0',
      publicUrl: 'http://127.0.0.1:8080',
      linkAddress: '',
      listen: '',
      downloads: [],
      training: [],
      page: '',
      hostnames: [],
      routes: [],
    },
    clock: systemClock,
    log: silentLogger,
    metrics: new Registry(),
    egress: createEgress({ allow: [] }),
    fail: () => undefined,
  });
  // The agents' listener would want a port of its own; batches are published as it publishes them.
  const services = hub.services.filter(({ name }) => name !== 'ingest');
  running = await run([...hub.ports, ...services], { clock: systemClock, log: silentLogger });
});
afterAll(async () => {
  await running.stop();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const call = <T>(service: string, method: PeerRequest['method'], path: string, body?: unknown): Promise<T> =>
  hub.peers.json(service, { method, path, principal, body: body === undefined ? undefined : JSON.stringify(body) });
let seq = 0n;
const send = async (value: number): Promise<void> => {
  const timeMs = Date.now();
  const block = { table: table.id, timeMs: BigInt(timeMs), values: [value] };
  await hub.bus?.publish(SUBJECTS.batchReceived, org, {
    agent: host,
    resource: host,
    epoch: 1n,
    lane: Lane.LIVE,
    seq: ++seq,
    receivedMs: timeMs,
    skewMs: 0,
    tables: [{ id: table.id, series: [{ name: METRIC, kind: 'gauge', attributes: {} }] }],
    metrics: toBinary(MetricsSchema, create(MetricsSchema, { blocks: [block] })),
    logs: new Uint8Array(),
  });
};

test('in a hub that runs everything, a rule that fires sends a mail, and its end is queued', async () => {
  const mail = { kind: 'mail', name: 'Ops', settings: mailTo(server.port) };
  await call('notifications', 'POST', '/api/v1/notifications/channels', mail);
  const rule = { name: 'CPU is busy', metric: METRIC, operator: 'gt', threshold: 0.9, channels: ['ops'] };
  await call('monitoring', 'POST', '/api/v1/monitoring/alerts', rule);
  const enrolled = { agent: host, name: 'web-1', labels: {}, ephemeral: false };
  await hub.bus?.publish(SUBJECTS.agentEnrolled, org, enrolled);
  await send(0.95);
  await until(async () => {
    if (server.mails.length === 0) await send(0.95); // Rules of an org are read with its first batch.
    expect(server.mails).toHaveLength(1);
  });
  expect(server.mails[0]?.subject).toMatch(/^\[warning\] .*web-1/);
  expect(server.mails[0]?.text).toContain('Rule: CPU is busy');
  await until(async () => {
    await send(0.1);
    const path = '/api/v1/notifications/deliveries';
    const { items } = await call<{ items: Delivery[] }>('notifications', 'GET', path);
    expect(items.map(({ state, status }) => `${state}:${status}`)).toEqual(['resolved:queued', 'firing:sent']);
  });
});
