import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { AckPolicy, DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import { BatchSchema, HubMessageSchema, Lane, type Batch } from '#proto/agent/v1/index.ts';
import { agentSubjects, ENCODING_HEADER, NATS_LANES, type NatsLane } from '#proto/agent/v1/nats.ts';
import { Problem, reasonOf, type Clock, type Logger } from '#sdk';
import type { Counter } from 'prom-client';
import { SpanKind, traced } from '../../../tracing.ts';
import { problems } from '../errors.ts';
import { hubMessage } from '../stream.ts';
import type { Sender, Taking } from '../taking.ts';
import { deadSubject, keptSubject, PARTITIONS, readKept, STREAM, type AgentsNats } from './connection.ts';

/** A batch that nobody said anything about for this long is handed out again: its hub was killed. Milliseconds. */
const ACK_MS = 5_000;
const BEAT_MS = 1_500;
/** The longest pause before a batch is tried again, milliseconds. */
const LATEST_MS = 2_000;
/** Tries of a batch that fails in a way that nobody expected. */
const TRIES = 20;
const NANOS_A_MS = 1_000_000;
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

/** What of a message cannot be stored now: is it hopeless, and how long to wait else. */
function verdictOn(error: unknown, tries: number): { dead: boolean; waitMs: number } {
  const waitMs = Math.min(LATEST_MS, 50 * 2 ** Math.min(tries, 10));
  if (error instanceof Problem) return { dead: !error.retryable, waitMs };
  return { dead: tries >= TRIES, waitMs };
}

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
async function settle({ taking }: BatchesGiven, message: JsMsg, sender: Sender & { lane: string }): Promise<void> {
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
  const beat = clock.every(BEAT_MS, () => message.working());
  try {
    await traced('batch', FROM, () => taking.take(sender, readBatch(message.data, sender.lane)));
    // Once it is known to have arrived nobody gets the batch again.
    await message.ackAck({ timeout: ACK_MS }).catch(() => false);
  } catch (error) {
    const { dead, waitMs } = verdictOn(error, message.info.deliveryCount);
    if (!dead) return message.nak(waitMs);
    await settle(given, message, sender)
      .then(() => bury(given, message, sender, error))
      .then(
        () => message.term('put aside'),
        () => message.nak(LATEST_MS),
      );
  } finally {
    beat();
  }
}

/** Works on one lane of one part, whatever other hubs do: JetStream hands out the next message only when the one before is done. */
function workOn(given: BatchesGiven, partition: number, lane: NatsLane): { stop(): Promise<void> } {
  const { open, clock, log } = given;
  const durable = `${lane}_${partition}`;
  let stopping = false;
  let close: (() => Promise<unknown>) | undefined;
  const once = async (): Promise<void> => {
    await open.manager.consumers.add(STREAM, {
      durable_name: durable,
      filter_subject: keptSubject(partition, lane),
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ack_wait: ACK_MS * NANOS_A_MS,
      max_ack_pending: 1,
      max_deliver: -1,
    });
    const consumer = await open.js.consumers.get(STREAM, durable);
    const messages = await consumer.consume({ max_messages: 1, expires: 30_000, idle_heartbeat: 10_000 });
    close = () => messages.close();
    // Not awaited: what nobody reads never says that it is closed.
    if (stopping) return void messages.close();
    for await (const message of messages) {
      if (stopping) break;
      await handleOne(given, message);
    }
  };
  const loop = (async () => {
    while (!stopping) {
      try {
        await once();
      } catch (error) {
        if (stopping) return;
        log.debug('a lane of agents on NATS begins anew', { durable, reason: reasonOf(error) });
        await clock.sleep(500);
      }
    }
  })();
  return {
    async stop() {
      stopping = true;
      await close?.().catch(() => undefined);
      await loop;
    },
  };
}

/** Takes in batches from NATS until it is stopped; hubs that do so share the work, and each lane of each agent keeps its order. */
export function takeBatches(given: BatchesGiven): { stop(): Promise<void> } {
  const workers = Array.from({ length: PARTITIONS }, (_, partition) =>
    NATS_LANES.map((lane) => workOn(given, partition, lane)),
  ).flat();
  return {
    async stop() {
      await Promise.all(workers.map((worker) => worker.stop()));
    },
  };
}
