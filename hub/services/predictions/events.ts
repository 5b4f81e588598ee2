import { Lane } from '#proto/agent/v1/index.ts';
import { BATCH_SUBJECTS, SUBJECTS, type BatchReceived } from '#proto/subjects.ts';
import { reasonOf, type Clock, type Logger } from '#sdk';
import { LRUCache } from 'lru-cache';
import type { Counter } from 'prom-client';
import type { Bus } from '../../ports/bus.ts';
import type { Anomalies } from './anomalies.ts';
import { anomaliesOf } from './event.ts';
import type { Sequences } from './sequences/index.ts';
import type { Watermarks } from './watermarks.ts';

/** That an agent is there is written down at most this often, milliseconds, and for so many agents. */
const HEARD_MS = 300_000;
const AGENTS = 20_000;

/** What listening stands on. */
export interface ListeningGiven {
  bus: Bus;
  anomalies: Anomalies;
  /** Forgets all of a resource that was deleted. */
  forget(org: string, resource: string): Promise<void>;
  sequences: Sequences;
  watermarks: Watermarks;
  clock: Clock;
  log: Logger;
  metrics: { events: Counter; refused: Counter };
}

/** Listens to the bus; returns the ends of all subscriptions. */
export function listenToBus(given: ListeningGiven): (() => void)[] {
  const { bus, anomalies, forget, sequences, watermarks, clock, log, metrics } = given;
  const noted = new LRUCache<string, number>({ max: AGENTS });
  /** A word that is missed is said again with the next batch. */
  const hear = async (org: string, { resource, lane }: BatchReceived): Promise<void> => {
    if (lane !== Lane.LIVE || clock.monotonic() - (noted.get(resource) ?? -HEARD_MS) < HEARD_MS) return;
    noted.set(resource, clock.monotonic());
    await anomalies.heard(org, resource, clock.now()).catch((error: unknown) => {
      noted.delete(resource);
      log.warn('it was not written down that an agent is there; it is tried again', { reason: reasonOf(error) });
    });
  };
  const keep = async (org: string, batch: BatchReceived): Promise<void> => {
    const { events, leftOut } = anomaliesOf(batch);
    if (events.length > 0) await anomalies.keep(org, { resource: batch.resource, events, heardMs: clock.now() });
    await hear(org, batch);
    // What comes again after a lost acknowledgement was counted.
    if (batch.seq > watermarks.of(batch)) sequences.add(org, batch);
    watermarks.raise(batch, batch.seq);
    metrics.events.inc(events.length);
    metrics.refused.inc(leftOut);
  };
  return [
    ...BATCH_SUBJECTS.map((subject) => bus.subscribe(subject, 'predictions', keep)),
    bus.subscribe(SUBJECTS.resourceDeleted, 'predictions', (org, { resource }) => forget(org, resource)),
  ];
}
