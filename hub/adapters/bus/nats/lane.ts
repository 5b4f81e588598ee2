import type { JsMsg } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import type { Subject } from '#proto/subjects.ts';
import { Problem, reasonOf, type Clock, type Logger } from '#sdk';
import type { Counter } from 'prom-client';
import { settle, workOn } from '../../../jetstream.ts';
import { SpanKind, traced } from '../../../tracing.ts';
import type { Link } from './connection.ts';
import { ORG, REASON, textOf } from './envelope.ts';
import type { Names } from './names.ts';

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
  if (message.redelivered) redelivered.inc({ subscriber });
  await settle(message, {
    async handle() {
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
    },
    bury: (error) => bury(given, message, error),
    clock,
  });
}

/** Works on a lane until the returned end is called, and then until the message in hand is done. */
export function workOnLane(given: LaneGiven): { stop(): Promise<void> } {
  const { link, names, subject, subscriber, lane, clock, log } = given;
  const { durable, filters } = names.lane(subject, subscriber, lane);
  return workOn({
    ...link,
    stream: names.stream,
    durable,
    filter: { filter_subjects: filters },
    quiet: { expires: 10_000, idle_heartbeat: 2_000 },
    handle: (message) => handleOne(given, message),
    failed(error) {
      if (link.isUp()) log.debug('a lane of the bus begins anew', { durable, reason: reasonOf(error) });
    },
    clock,
  });
}
