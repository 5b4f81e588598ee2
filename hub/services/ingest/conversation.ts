import type { Counter, Histogram } from 'prom-client';
import type { AgentMessage, Batch, Hello } from '#proto/agent/v1/index.ts';
import { SUBJECTS } from '#proto/subjects.ts';
import { Problem, reasonOf, type Clock, type Logger } from '#sdk';
import type { Bus } from '../../ports/bus.ts';
import type { Peers } from '../../ports/peers.ts';
import { SpanKind, traced } from '../../tracing.ts';
import type { Agents } from './agents.ts';
import type { Enrolment } from './enrolment.ts';
import { problems } from './errors.ts';
import { openBatch } from './frames.ts';
import { hubMessage, type Wire } from './stream.ts';

/** The newest protocol that this hub speaks. */
const PROTOCOL = 1;
/** What a revoked agent is told. */
export const REVOKED = 'An administrator removed it. Enrol it again with a new join token.';

const GRPC = {
  kind: SpanKind.SERVER,
  attributes: { 'rpc.system.name': 'grpc', 'rpc.method': 'outrider.agent.v1.Link/Connect' },
};

/** What a conversation calls on its way. */
export interface ConversationGiven {
  bus: Bus;
  peers: Peers;
  agents: Agents;
  enrolment: Enrolment;
  clock: Clock;
  log: Logger;
  metrics: { batches: Counter; bytes: Counter; latency: Histogram };
}

interface Acknowledged {
  live: string;
  backfill: string;
}

/** What is durable everywhere: the older of what the two owners of data have. */
async function newestDurable(peers: Peers, org: string, agent: string, epoch: bigint) {
  const query = `org=${org}&agent=${agent}&epoch=${epoch}`;
  const by = (service: string): Promise<Acknowledged> =>
    peers.json(service, { method: 'GET', path: `/internal/${service}/acknowledged`, query });
  const [series, logs] = await Promise.all([by('monitoring'), by('logs')]);
  const older = (a: string, b: string): bigint => (BigInt(a) < BigInt(b) ? BigInt(a) : BigInt(b));
  return { live: older(series.live, logs.live), backfill: older(series.backfill, logs.backfill) };
}

/** Why a message was not handled, in words for its agent. Whatever the agent cannot help is to be tried again. */
export function explain(error: unknown, agent: string, log: Logger): Problem {
  if (error instanceof Problem) {
    // A table that the store does not know comes again with a new connection.
    if (error.retryable || error.code !== 'series.unknown-table') return error;
    const { code, status, title, message } = error;
    return new Problem(code, { status, title, retryable: true }, message);
  }
  log.error('a batch could not be stored; its agent will send it again', { agent, reason: reasonOf(error) });
  return problems.notStored('Send it again later.');
}

/** What the messages of one agent mean, from its hello on; they are to be handled one after another. */
export function createConversation(given: ConversationGiven, wire: Wire): (message: AgentMessage) => Promise<void> {
  const { bus, peers, agents, clock, metrics } = given;
  const { org, agent } = wire;
  let hello: { epoch: bigint; skewMs: number } | undefined;

  const greet = async (value: Hello): Promise<void> => {
    if (hello !== undefined) throw problems.badFrame('The agent said hello twice.');
    if (value.protocol > PROTOCOL)
      throw problems.newerProtocol(`It speaks ${value.protocol}, this hub ${PROTOCOL}. Upgrade the hub first.`);
    const { epoch, agentVersion: version, inventory } = value;
    const skewMs = Number(value.clockMs) - clock.now();
    const resourceName = await agents.welcome(org, agent, { version, skewMs });
    if (resourceName === undefined) throw problems.revoked(REVOKED);
    const { live, backfill } = await newestDurable(peers, org, agent, epoch);
    hello = { epoch, skewMs };
    const welcome = {
      $typeName: 'outrider.agent.v1.Welcome',
      agentId: agent,
      resourceName,
      clockMs: BigInt(clock.now()),
      ackedLive: live,
      ackedBackfill: backfill,
    } as const;
    wire.send(hubMessage({ case: 'welcome', value: welcome }));
    const connection = { agent, connected: true, atMs: clock.now(), version, inventory };
    await bus.publish(SUBJECTS.agentConnection, org, connection);
  };

  const store = async (batch: Batch): Promise<void> => {
    if (hello === undefined) throw problems.badFrame('The agent sent a batch before its hello.');
    const { epoch, lane, seq } = batch;
    if (epoch !== hello.epoch) throw problems.badFrame('The epoch of a batch is not that of the hello.');
    const started = clock.monotonic();
    const opened = await openBatch(batch);
    const key = { agent, resource: agent, epoch, lane, seq };
    const received = { ...key, receivedMs: clock.now(), skewMs: hello.skewMs, ...opened };
    await bus.publish(SUBJECTS.batchReceived, org, received);
    wire.send(hubMessage({ case: 'ack', value: { $typeName: 'outrider.agent.v1.Ack', epoch, lane, seq } }));
    metrics.batches.inc();
    metrics.bytes.inc(opened.metrics.length + opened.logs.length);
    metrics.latency.observe((clock.monotonic() - started) / 1000);
  };

  return async ({ kind }) => {
    if (kind.case === 'hello') return greet(kind.value);
    if (kind.case === 'batch') return traced('batch', GRPC, () => store(kind.value));
    if (kind.case !== 'renew') throw problems.badFrame('The agent sent a message of an unknown kind.');
    if (hello === undefined) throw problems.badFrame('The agent asked for a certificate before its hello.');
    const chain = await given.enrolment.renew(org, agent, kind.value.publicKey);
    wire.send(hubMessage({ case: 'certificate', value: { $typeName: 'outrider.agent.v1.Certificate', chain } }));
  };
}
