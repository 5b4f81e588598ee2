import { fromBinary, toBinary } from '@bufbuild/protobuf';
import type { JsMsg } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import { BatchSchema, HubMessageSchema, Lane, type Batch } from '#proto/agent/v1/index.ts';
import { agentSubjects, ENCODING_HEADER, NATS_LANES, type NatsLane } from '#proto/agent/v1/nats.ts';
import { Problem, reasonOf, type Clock, type Logger } from '#sdk';
import type { Counter } from 'prom-client';
import { settle, TRIES, verdictOn, workOn } from '../../../jetstream.ts';
import { SpanKind, traced } from '../../../tracing.ts';
import { problems } from '../errors.ts';
import { hubMessage } from '../stream.ts';
import type { Sender, Taking } from '../taking.ts';
import { deadSubject, keptSubject, PARTITIONS, readKept, STREAM, type AgentsNats } from './connection.ts';

const LANES: Record<NatsLane, Lane> = { live: Lane.LIVE, backfill: Lane.BACKFILL };
const FROM = { kind: SpanKind.CONSUMER, attributes: { 'messaging.system': 'nats' } };

/** What working on batches from NATS stands on. */
export interface BatchesGiven {
  open: AgentsNats;
  taking: Taking;
  isRevoked(agent: string): boolean;
  clock: Clock;
  log: Logger;
  dead: Counter;
}

/** The batch of a message, if it is one that may lie there. */
function readBatch(data: Uint8Array, lane: string): Batch {
  let batch: Batch;
  try {
    batch = fromBinary(BatchSchema, data);
  } catch (error) {
    throw problems.badFrame(undefined, { cause: error });
  }
  if (batch.lane !== LANES[lane as NatsLane])
    throw problems.badFrame('A batch lies under the subject of another lane.');
  return batch;
}

/** What of a batch cannot be stored now. One that this hub cannot unpack may be one that another can. */
const verdict: typeof verdictOn = (error, tries) => {
  const { dead, waitMs } = verdictOn(error, tries);
  const isForOthers = error instanceof Problem && error.code === 'ingest.unknown-encoding';
  return { dead: dead && (!isForOthers || tries >= TRIES), waitMs };
};

/** Puts a batch aside that can never be stored, and tells its agent, whose spool has let go of it. */
async function bury(given: BatchesGiven, message: JsMsg, sender: Sender & { lane: string }, error: unknown) {
  const { open, log, dead } = given;
  const [code, reason] = [error instanceof Problem ? error.code : 'unexpected', reasonOf(error)];
  const why = headers();
  why.set('Outrider-Reason', reason.replaceAll(/[\r\n]+/g, ' ').slice(0, 500));
  why.set('Outrider-Code', code);
  why.set(ENCODING_HEADER, message.headers?.get(ENCODING_HEADER) ?? '');
  await open.js.publish(deadSubject(sender), message.data, { headers: why });
  const { org, agent, lane } = sender;
  dead.inc();
  log.error('a batch of an agent cannot be stored and was put aside; its lines are lost', { org, agent, code, reason });
  const [, , epoch = '0', seq = '0'] = /^(.*):(\d+):\d+:(\d+)$/.exec(message.headers?.get('Nats-Msg-Id') ?? '') ?? [];
  const key = {
    epoch: BigInt.asUintN(64, BigInt(epoch)),
    lane: LANES[lane as NatsLane],
    seq: BigInt.asUintN(64, BigInt(seq)),
  };
  const told = hubMessage({
    case: 'rejected',
    value: { $typeName: 'outrider.agent.v1.Rejected', ...key, code, detail: reason },
  });
  open.nats.publish(agentSubjects(sender).told, toBinary(HubMessageSchema, told));
}

/** What later batches need of one that cannot be stored: its agent sends a table once. */
async function keepTables({ taking }: BatchesGiven, message: JsMsg, sender: Sender & { lane: string }): Promise<void> {
  let batch: Batch;
  try {
    batch = readBatch(message.data, sender.lane);
  } catch {
    return; // Nothing in it can be read.
  }
  if (batch.seq > 0n) await taking.settle(sender, batch);
}

async function handleOne(given: BatchesGiven, message: JsMsg): Promise<void> {
  const { taking, isRevoked, clock } = given;
  const sender = readKept(message.subject);
  // JetStream's own answers may lie here, when an agent names a foreign subject for them: they have no headers. Nobody is told of them.
  if (sender === undefined || !message.headers?.has(ENCODING_HEADER) || isRevoked(sender.agent))
    return message.term('not of an agent, or of one that was removed');
  await settle(message, {
    handle: () => traced('batch', FROM, () => taking.take(sender, readBatch(message.data, sender.lane))),
    async bury(error) {
      await keepTables(given, message, sender);
      await bury(given, message, sender, error);
    },
    clock,
    verdict,
  });
}

/** Works on one lane of one part. */
function workOnPart(given: BatchesGiven, partition: number, lane: NatsLane): { stop(): Promise<void> } {
  const { open, clock, log } = given;
  const durable = `${lane}_${partition}`;
  return workOn({
    ...open,
    stream: STREAM,
    durable,
    filter: { filter_subject: keptSubject(partition, lane) },
    quiet: { expires: 30_000, idle_heartbeat: 10_000 },
    handle: (message) => handleOne(given, message),
    failed: (error) => log.debug('a lane of agents on NATS begins anew', { durable, reason: reasonOf(error) }),
    clock,
  });
}

/** Takes in batches from NATS until it is stopped; hubs that do so share the work, and each lane of each agent keeps its order. */
export function takeBatches(given: BatchesGiven): { stop(): Promise<void> } {
  const workers = Array.from({ length: PARTITIONS }, (_, partition) =>
    NATS_LANES.map((lane) => workOnPart(given, partition, lane)),
  ).flat();
  return {
    async stop() {
      await Promise.all(workers.map((worker) => worker.stop()));
    },
  };
}
