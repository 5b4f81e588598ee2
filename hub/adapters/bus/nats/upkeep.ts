import { reasonOf, type Clock, type Logger } from '#sdk';
import type { NatsConfig } from './config.ts';
import type { Link } from './connection.ts';
import type { BusMetrics } from './metrics.ts';
import type { Names } from './names.ts';
import { consumersOf, statusOf } from './status.ts';

const EVERY_MS = 15_000;

/** Deletes messages that every subscriber has had and that are older than the settings want, subject by subject: what somebody still needs stays. */
async function forget(link: Link, names: Names, untilMs: number): Promise<void> {
  const floors = new Map<string, number>();
  for (const { config, ack_floor } of await consumersOf(link, names))
    for (const filter of config.filter_subjects ?? [])
      floors.set(filter, Math.min(floors.get(filter) ?? Infinity, ack_floor.stream_seq));
  const old = await firstSince(link, names, untilMs);
  for (const [filter, floor] of floors) {
    const seq = Math.min(floor + 1, old);
    if (seq > 1) await link.manager.streams.purge(names.stream, { filter, seq });
  }
}

/** The first message at or after a time; all are older when there is none. */
async function firstSince({ manager }: Link, names: Names, sinceMs: number): Promise<number> {
  const { state } = await manager.streams.info(names.stream);
  let [low, high] = [state.first_seq, state.last_seq + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const next = await manager.streams
      .getMessage(names.stream, { next_by_subj: '>', seq: middle } as never)
      .catch(() => null);
    if (next === null || next.time.getTime() >= sinceMs) high = middle;
    else low = next.seq + 1;
  }
  return low;
}

/** Forgets what everybody has had, and counts what waits. Every hub does it: doing it twice changes nothing. */
export function createUpkeep(given: {
  link: Link;
  names: Names;
  config: NatsConfig;
  clock: Clock;
  log: Logger;
  metrics: BusMetrics;
}): { stop(): void } {
  const { link, names, config, clock, log, metrics } = given;
  let busy = false;
  const once = async (): Promise<void> => {
    await forget(link, names, clock.now() - config.keepMinutes * 60_000);
    const { subscribers, deadLetters } = await statusOf(link, names);
    metrics.pending.reset();
    metrics.dead.reset();
    for (const { subscriber, subject, pending } of subscribers) metrics.pending.set({ subscriber, subject }, pending);
    for (const { subscriber, count } of deadLetters) metrics.dead.inc({ subscriber }, count);
  };
  const stop = clock.every(EVERY_MS, () => {
    if (busy || !link.isUp()) return;
    busy = true;
    once()
      .catch((error: unknown) => log.debug('upkeep of the bus is tried again', { reason: reasonOf(error) }))
      .finally(() => (busy = false));
  });
  return { stop };
}
