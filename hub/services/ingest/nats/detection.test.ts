import { randomUUID } from 'node:crypto';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { connect } from '@nats-io/transport-node';
import { feedResource } from '#kit/host-feed.ts';
import { startNatsHub } from '#kit/nats-hub.ts';
import { until } from '#kit/programs.ts';
import { enrolSimulated } from '#kit/simulated-agent.ts';
import {
  AgentMessageSchema,
  DetectionReportSchema,
  HubMessageSchema,
  Stream,
  type HubMessage,
} from '#proto/agent/v1/index.ts';
import { agentSubjects } from '#proto/agent/v1/nats.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { optionsOf } from '../../../../agent/link/transports/nats.ts';
import { onOwnServer } from '../../../../test/services/index.ts';
import { nats as natsKind, type NatsAddress } from '../../../../test/services/nats.ts';
import type { OwnServer } from '../../../../test/services/kind.ts';

await onOwnServer(natsKind, (start) => {
  let server: OwnServer<NatsAddress>;
  let started: Awaited<ReturnType<typeof startNatsHub>>;
  beforeAll(async () => {
    server = await start();
    started = await startNatsHub(server);
  });
  afterAll(async () => {
    await started.watching.close();
    await started.hub.stop();
    await started.stores.stop();
  });

  test('what an agent detects by is answered when it says what it has, and told when people change it', async () => {
    const { hub, base } = started;
    const by = await hub.join('admin');
    const { body } = await hub.call('POST', '/api/v1/agents/tokens', { token: by.token, body: {} });
    const identity = await enrolSimulated(base, String(body['token']), 'web-1');
    const agent = identity.agentId;
    const settings = { servers: [server.address.url], ca: '', certificate: '', key: '', credentials: '' };
    const nats = await connect(optionsOf(identity, Stream.LIVE, settings));
    const subjects = agentSubjects({ org: by.org, agent });
    const told: HubMessage['kind'][] = [];
    nats.subscribe(subjects.told, {
      callback: (_, message) => void told.push(fromBinary(HubMessageSchema, message.data).kind),
    });
    const say = async (revision: bigint): Promise<HubMessage['kind']> => {
      const kind = { case: 'detection' as const, value: create(DetectionReportSchema, { revision }) };
      const data = toBinary(AgentMessageSchema, create(AgentMessageSchema, { kind }));
      const reply = await nats.request(subjects.ask('detection'), data, { timeout: 5_000 });
      return fromBinary(HubMessageSchema, reply.data).kind;
    };
    expect((await say(0n)).case).toBeUndefined();
    const event = { id: randomUUID(), kind: 1, score: 0.9, startMs: 1n, causes: [{ metric: 'system.cpu.busy' }] };
    const host = feedResource(hub.bus, by.org, agent, 99n);
    await host.send({ timeMs: hub.clock.now(), anomalies: [event] });
    const judged = await hub.call('POST', `/api/v1/predictions/anomalies/${event.id}/feedback`, {
      token: by.token,
      body: { verdict: 'noise' },
    });
    expect(judged.status).toBe(200);
    const detection = await until('it is told', async () => {
      await hub.clock.advance(3_000);
      const kind = told.find((one) => one.case === 'detection');
      return kind?.case === 'detection' ? kind.value : undefined;
    });
    expect(JSON.parse(detection.document)).toMatchObject({
      offset: 2,
      series: [{ metric: 'system.cpu.busy', offset: 2 }],
    });
    expect(await say(0n)).toMatchObject({ case: 'detection', value: { revision: detection.revision } });
    expect((await say(detection.revision)).case).toBeUndefined();
    await nats.close();
  });
});
