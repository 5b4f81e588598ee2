import { AckPolicy, DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import type { Subject } from '#proto/subjects.ts';
import { Problem, reasonOf, type Clock, type Logger } from '#sdk';
import type { Counter } from 'prom-client';
import { SpanKind, traced } from '../../../tracing.ts';
import type { Link } from './connection.ts';
import { ORG, REASON, textOf } from './envelope.ts';
import type { Names } from './names.ts';

/** A message that nobody said anything about for this long is handed out again: its hub was killed. Milliseconds. */
const ACK_MS = 5_000;
const BEAT_MS = 1_500;
/** The longest pause before a message is tried again, milliseconds: within it a store that is back is used again. */
const LATEST_MS = 2_000;
/** Tries of a message whose handler fails in a way that nobody expected. */
const TRIES = 20;
const NANOS_A_MS = 1_000_000;

/** One lane of one subscriber: messages one after another, the next only when the one before is done, however many hubs share the name. */
export interface LaneGiven {
  link: Link;
  names: Names;
  subject: Subject<unknown>;
  subscriber: string;
  lane: number;
  handle(org: string, payload: unknown): Promise<void>;
  clock: Clock;
  log: Logger;
  redelivered: Counter<'subscriber'>;
}

/** What to do with a message that could not be handled. */
export function verdictOn(error: unknown, tries: number): { dead: boolean; waitMs: number } {
  const waitMs = Math.min(LATEST_MS, 50 * 2 ** Math.min(tries, 10));
  if (error instanceof Problem) return { dead: !error.retryable, waitMs };
  return { dead: tries >= TRIES, waitMs };
}

async function bury(given: LaneGiven, message: JsMsg, error: unknown): Promise<void> {
  const { link, names, subject, subscriber, lane, log } = given;
  const why = headers();
  for (const [key, values] of message.headers ?? []) for (const value of values) why.append(key, value);
  why.delete('Nats-Msg-Id');
  why.set(
    REASON,
    reasonOf(error)
      .replaceAll(/[\r\n]+/g, ' ')
      .slice(0, 500),
  );
  why.set('outrider-code', error instanceof Problem ? error.code : 'unexpected');
  why.set('outrider-tries', String(message.info.deliveryCount));
  await link.js.publish(names.dead(subject, subscriber, lane), message.data, { headers: why });
  log.error('a message could not be handled and was put aside', {
    subscriber,
    subject: subject.name,
    reason: reasonOf(error),
  });
}

async function handleOne(given: LaneGiven, message: JsMsg): Promise<void> {
  const { subject, subscriber, handle, clock, redelivered } = given;
  const beat = clock.every(BEAT_MS, () => message.working());
  if (message.redelivered) redelivered.inc({ subscriber });
  try {
    const org = message.headers?.get(ORG) ?? '';
    const from = Object.fromEntries([...(message.headers ?? [])].map(([key, values]) => [key, values[0]]));
    const options = {
      kind: SpanKind.CONSUMER,
      from,
      attributes: { 'messaging.system': 'nats', 'outrider.subscriber': subscriber },
    };
    await traced(`${subject.name} ${subscriber}`, options, async () =>
      handle(org, subject.decode(await textOf(message))),
    );
    // Once it is known to have arrived nobody gets the message again.
    await message.ackAck({ timeout: ACK_MS }).catch(() => false);
  } catch (error) {
    const { dead, waitMs } = verdictOn(error, message.info.deliveryCount);
    if (!dead) return message.nak(waitMs);
    await bury(given, message, error).then(
      () => message.term('put aside'),
      () => message.nak(LATEST_MS),
    );
  } finally {
    beat();
  }
}

/** Works on a lane until the returned end is called, and then until the message in hand is done. */
export function workOn(given: LaneGiven): { stop(): Promise<void> } {
  const { link, names, subject, subscriber, lane, clock, log } = given;
  const { durable, filters } = names.lane(subject, subscriber, lane);
  let stopping = false;
  let close: (() => Promise<unknown>) | undefined;
  const keepConsumer = () =>
    link.manager.consumers.add(names.stream, {
      durable_name: durable,
      filter_subjects: filters,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ack_wait: ACK_MS * NANOS_A_MS,
      max_ack_pending: 1,
      max_deliver: -1,
    });
  const once = async (): Promise<void> => {
    await keepConsumer();
    const consumer = await link.js.consumers.get(names.stream, durable);
    const messages = await consumer.consume({ max_messages: 1, expires: 10_000, idle_heartbeat: 2_000 });
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
        if (link.isUp()) log.debug('a lane of the bus begins anew', { durable, reason: reasonOf(error) });
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
