import { DeliverPolicy } from '@nats-io/jetstream';
import { defineAdapter, type AdapterContext } from '../../../adapter.ts';
import type { Bus } from '../../../ports/bus.ts';
import { SpanKind, traced } from '../../../tracing.ts';
import { NatsConfig } from './config.ts';
import { placeOf } from '../../../jetstream.ts';
import { openLink, type Link } from './connection.ts';
import { replayDead } from './dead-letters.ts';
import { ORG, textOf } from './envelope.ts';
import { problems } from './errors.ts';
import { createGroups } from './groups.ts';
import { createListening } from './listening.ts';
import { createBusMetrics } from './metrics.ts';
import { namesFor } from './names.ts';
import { publishTo } from './publish.ts';
import { statusOf } from './status.ts';
import { createUpkeep } from './upkeep.ts';

function createNatsBus({ config, clock, log, metrics: registry }: AdapterContext<NatsConfig>) {
  const names = namesFor(config.prefix);
  const place = placeOf(config.servers);
  const metrics = createBusMetrics(registry);
  const groups = createGroups({ names, clock, log, metrics });
  const listening = createListening({ names, log });
  let link: Link | undefined;
  let upkeep: { stop(): void } | undefined;

  const opened = (): Link => {
    if (link?.isUp() === true) return link;
    throw problems.unavailable(`NATS at ${place} does not answer. It is tried again every half second.`);
  };

  const port: Bus = {
    async publish(subject, org, payload) {
      const open = opened();
      const ended = metrics.published.startTimer();
      const attributes = { 'messaging.system': 'nats', 'messaging.destination.name': subject.name };
      await traced(`publish ${subject.name}`, { kind: SpanKind.PRODUCER, attributes }, () =>
        publishTo(open, { names, place }, subject, { org, payload }),
      );
      ended();
    },
    subscribe: groups.subscribe,
    listen: listening.listen,
    async replay(subject, name, sinceMs) {
      const { js } = opened();
      const handle = groups.find(subject, name);
      if (handle === undefined) return;
      const lanes = Array.from(
        { length: subject.lanes },
        (_, lane) => names.lane(subject, name, lane).filters[0] ?? '',
      );
      const start = { deliver_policy: DeliverPolicy.StartTime, opt_start_time: new Date(sinceMs).toISOString() };
      const consumer = await js.consumers.get(names.stream, { filter_subjects: lanes, ...start });
      if ((await consumer.info()).num_pending === 0) return;
      for await (const message of await consumer.consume()) {
        await handle(message.headers?.get(ORG) ?? '', subject.decode(await textOf(message)));
        if (message.info.pending === 0) break;
      }
    },
    upkeep: {
      status: () => statusOf(opened(), names),
      replayDead: (wish) => replayDead(opened(), names, wish),
    },
    async check() {
      const { nats, keeper } = opened();
      await nats.flush();
      keeper.check();
    },
  };

  return {
    port,
    async start() {
      link = await openLink(config, names, { clock, log });
      groups.begin(link);
      listening.begin(link);
      upkeep = createUpkeep({ link, names, config, clock, log, metrics });
    },
    async stop() {
      upkeep?.stop();
      await groups.stop();
      listening.stop();
      await link?.close();
      link = undefined;
    },
    check: () => port.check(),
  };
}

/** News between processes on NATS JetStream: published is what is on the server's disk. */
export const natsBus = defineAdapter<Bus, typeof NatsConfig>({
  name: 'nats',
  reach: 'hub',
  config: NatsConfig,
  faults: ({ servers }) =>
    servers.length === 0 ? ['bus.servers: is missing; name at least one: nats://host:4222'] : [],
  create: createNatsBus,
});
