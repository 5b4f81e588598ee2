import { decodeBlocks } from '#proto/agent/v1/blocks.ts';
import { Lane } from '#proto/agent/v1/index.ts';
import { BATCH_SUBJECTS, shiftOf, SUBJECTS, type BatchReceived } from '#proto/subjects.ts';
import { reasonOf, type Clock, type Logger } from '#sdk';
import type { Bus } from '../../ports/bus.ts';
import type { SeriesBlock, SeriesStore, SeriesTable } from '../../ports/series.ts';
import { problems } from './errors.ts';
import type { Live, LiveChange } from './live.ts';
import type { MonitoringStore } from './store.ts';
import type { SeriesTables } from './tables.ts';

/** Last-seen times are written down at most this often a resource, milliseconds. */
const SEEN_MS = 10_000;

/** What the events lead to. */
export interface EventsGiven {
  bus: Bus;
  series: SeriesStore;
  store: MonitoringStore;
  live: Live;
  seriesTables: SeriesTables;
  log: Logger;
  clock: Clock;
  /** Hears of every batch that passes on the bus, in every process. */
  observe(change: LiveChange): void;
}

/** What a batch holds, at the hub's time. */
function blocksOf({ metrics, skewMs }: Pick<BatchReceived, 'metrics' | 'skewMs'>): SeriesBlock[] {
  const shift = shiftOf(skewMs);
  try {
    const blocks = decodeBlocks(metrics);
    return shift === 0 ? blocks : blocks.map((block) => ({ ...block, timeMs: block.timeMs - shift }));
  } catch (error) {
    throw problems.badFrame(undefined, { cause: error });
  }
}

/** Has the bus hand out again what the series store may have lost; gives the end. */
export function mendLosses({ bus, series, log }: Pick<EventsGiven, 'bus' | 'series' | 'log'>): () => void {
  if (series.doubts === undefined) return () => undefined;
  if (bus.upkeep === undefined)
    log.warn(
      'when its server is killed, the series store may lose its last seconds: choose bus.adapter: nats, which keeps them',
    );
  return series.doubts(async (sinceMs) => {
    const since = new Date(sinceMs).toISOString();
    if (bus.upkeep === undefined)
      return log.error('the series store was restarted and may have lost its last seconds: this bus kept none', {
        since,
      });
    for (const subject of BATCH_SUBJECTS) await bus.replay(subject, 'monitoring', sinceMs);
    log.warn('the series store was restarted: what it may have lost was written again', { since });
  });
}

/** Listens to the bus; returns the ends of all subscriptions. */
export function listenToBus({
  bus,
  series,
  store,
  live,
  seriesTables,
  clock,
  log,
  observe,
}: EventsGiven): (() => void)[] {
  const noted = new Map<string, number>();
  const keep = async (org: string, batch: BatchReceived): Promise<void> => {
    const { agent, resource, epoch, lane, seq, tables } = batch;
    const owner = { org, resource };
    let blocks: SeriesBlock[];
    try {
      blocks = blocksOf(batch);
    } catch (error) {
      await seriesTables.keep(owner, tables); // Later batches use them and bring them no more.
      throw error;
    }
    // Nothing is awaited before the append while tables are at hand: batches of one stream keep their order.
    const known = seriesTables.atHand(owner, tables, blocks) ?? (await seriesTables.lookUp(owner, blocks));
    const write = { resource, key: { agent, epoch, lane, seq }, tables: known, blocks };
    await Promise.all([series.append(org, write), seriesTables.keep(owner, tables)]);
    if (clock.monotonic() - (noted.get(resource) ?? -SEEN_MS) < SEEN_MS) return;
    noted.set(resource, clock.monotonic());
    await store.change(org, resource, { lastSeenMs: clock.now(), connected: true });
  };
  const hear = (org: string, batch: BatchReceived): void => {
    const blocks = blocksOf(batch);
    const take = (known: readonly SeriesTable[]): void => {
      const news = { tables: known, blocks, isLive: batch.lane === Lane.LIVE };
      const change = live.take(org, batch.resource, news, clock.now());
      if (change !== undefined) observe(change);
    };
    const owner = { org, resource: batch.resource };
    const known = seriesTables.atHand(owner, batch.tables, blocks);
    if (known !== undefined) return take(known);
    seriesTables
      .lookUp(owner, blocks)
      .then(take, (error: unknown) => log.warn('live values wait for their table', { reason: reasonOf(error) }));
  };
  return [
    ...BATCH_SUBJECTS.flatMap((subject) => [bus.subscribe(subject, 'monitoring', keep), bus.listen(subject, hear)]),
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
