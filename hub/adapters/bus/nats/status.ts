import type { ConsumerInfo } from '@nats-io/jetstream';
import type { BusStatus, DeadLetters, SubscriberStatus } from '../../../ports/bus.ts';
import type { Link } from './connection.ts';
import { REASON } from './envelope.ts';
import type { Names } from './names.ts';

/** Every consumer of the stream of news. */
export async function consumersOf({ manager }: Link, names: Names): Promise<ConsumerInfo[]> {
  const all: ConsumerInfo[] = [];
  for await (const info of manager.consumers.list(names.stream))
    if (info.config.durable_name !== undefined) all.push(info);
  return all;
}

/** Dead letters by subscriber and kind, with why the newest of each was put aside. */
async function deadOf({ manager }: Link, names: Names, counts: [string, number][]): Promise<DeadLetters[]> {
  const letters = new Map<string, DeadLetters>();
  for (const [subject, count] of counts) {
    const read = names.readDead(subject);
    if (read === undefined) continue;
    const key = `${read.subscriber} ${read.kind}`;
    const newest = await manager.streams.getMessage(names.deadStream, { last_by_subj: subject });
    const there = letters.get(key);
    letters.set(key, {
      subscriber: read.subscriber,
      subject: read.kind,
      count: (there?.count ?? 0) + count,
      reason: newest?.header.get(REASON) ?? '',
    });
  }
  return [...letters.values()];
}

/** Counts what waits and what was put aside. */
export async function statusOf(link: Link, names: Names): Promise<BusStatus> {
  const [stream, dead, consumers] = await Promise.all([
    link.manager.streams.info(names.stream),
    link.manager.streams.info(names.deadStream, { subjects_filter: '>' }),
    consumersOf(link, names),
  ]);
  const subscribers = new Map<string, SubscriberStatus>();
  for (const { config, num_pending, num_ack_pending, num_redelivered } of consumers) {
    const [, subscriber = '', subject = ''] = /^(.+)_([\w-]+)_\d+$/.exec(config.durable_name ?? '') ?? [];
    const there = subscribers.get(`${subscriber} ${subject}`) ?? { subscriber, subject, pending: 0, again: 0 };
    subscribers.set(`${subscriber} ${subject}`, {
      ...there,
      pending: there.pending + num_pending + num_ack_pending,
      again: there.again + num_redelivered,
    });
  }
  const deadLetters = await deadOf(link, names, Object.entries(dead.state.subjects ?? {}));
  return {
    messages: stream.state.messages,
    bytes: stream.state.bytes,
    maxBytes: stream.config.max_bytes,
    subscribers: [...subscribers.values()].sort(
      (a, b) => a.subscriber.localeCompare(b.subscriber) || a.subject.localeCompare(b.subject),
    ),
    deadLetters,
  };
}
