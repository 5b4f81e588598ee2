import { decodeBlocks } from '#proto/agent/v1/blocks.ts';
import { Lane } from '#proto/agent/v1/index.ts';
import { SUBJECTS } from '#proto/subjects.ts';
import type { Clock } from '#sdk';
import type { Bus } from '../../ports/bus.ts';
import type { SeriesBlock, SeriesStore } from '../../ports/series.ts';
import { problems } from './errors.ts';
import type { Live, LiveChange } from './live.ts';
import type { MonitoringStore } from './store.ts';

/** Last-seen times are written down at most this often a resource, milliseconds. */
const SEEN_MS = 10_000;

/** What the events lead to. */
export interface EventsGiven {
  bus: Bus;
  series: SeriesStore;
  store: MonitoringStore;
  live: Live;
  clock: Clock;
  /** Hears of every stored batch. */
  observe(change: LiveChange): void;
}

function blocksOf(metrics: Uint8Array): SeriesBlock[] {
  try {
    return decodeBlocks(metrics);
  } catch (error) {
    throw problems.badFrame(undefined, { cause: error });
  }
}

/** Listens to the bus; returns the ends of all subscriptions. */
export function listenToBus({ bus, series, store, live, clock, observe }: EventsGiven): (() => void)[] {
  const noted = new Map<string, number>();
  return [
    bus.subscribe(SUBJECTS.batchReceived, 'monitoring', async (org, batch) => {
      const { agent, resource, epoch, lane, seq, tables } = batch;
      const blocks = blocksOf(batch.metrics);
      await series.append(org, { resource, key: { agent, epoch, lane, seq }, tables, blocks });
      const change = live.take(org, resource, { tables, blocks, isLive: lane === Lane.LIVE }, clock.now());
      if (change !== undefined) observe(change);
      if (clock.monotonic() - (noted.get(resource) ?? -SEEN_MS) < SEEN_MS) return;
      noted.set(resource, clock.monotonic());
      await store.change(org, resource, { lastSeenMs: clock.now(), connected: true });
    }),
    bus.subscribe(SUBJECTS.agentEnrolled, 'monitoring', (org, { agent, name, labels, ephemeral }) =>
      store.add(org, { id: agent, type: 'host', name, endpoint: null, labels: { ...labels }, config: {}, ephemeral }),
    ),
    bus.subscribe(
      SUBJECTS.agentConnection,
      'monitoring',
      async (org, { agent, connected, atMs, version, inventory }) => {
        const facts = connected ? { version, inventory: { ...inventory } } : {};
        await store.change(org, agent, { connected, lastSeenMs: atMs, ...facts });
      },
    ),
  ];
}
