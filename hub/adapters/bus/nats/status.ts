import type { ConsumerInfo } from '@nats-io/jetstream';
import type { Link } from './connection.ts';
import type { Names } from './names.ts';

/** How far one subscriber is with one kind of news. */
export interface SubscriberStatus {
  subscriber: string;
  subject: string;
  /** Messages that it has not handled yet. */
  pending: number;
  /** Messages that were handed out more than once and are not handled yet. */
  again: number;
}

/** What is on the bus. */
export interface BusStatus {
  messages: number;
  bytes: number;
  maxBytes: number;
  subscribers: SubscriberStatus[];
  deadLetters: { subscriber: string; subject: string; count: number }[];
}

/** Every consumer of the stream of news. */
export async function consumersOf({ manager }: Link, names: Names): Promise<ConsumerInfo[]> {
  const all: ConsumerInfo[] = [];
  for await (const info of manager.consumers.list(names.stream))
    if (info.config.durable_name !== undefined) all.push(info);
  return all;
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
  const deadLetters = new Map<string, { subscriber: string; subject: string; count: number }>();
  for (const [subject, count] of Object.entries(dead.state.subjects ?? {})) {
    const read = names.readDead(subject);
    if (read === undefined) continue;
    const key = `${read.subscriber} ${read.kind}`;
    const there = deadLetters.get(key) ?? { subscriber: read.subscriber, subject: read.kind, count: 0 };
    deadLetters.set(key, { ...there, count: there.count + count });
  }
  return {
    messages: stream.state.messages,
    bytes: stream.state.bytes,
    maxBytes: stream.config.max_bytes,
    subscribers: [...subscribers.values()].sort(
      (a, b) => a.subscriber.localeCompare(b.subscriber) || a.subject.localeCompare(b.subject),
    ),
    deadLetters: [...deadLetters.values()],
  };
}
