import { reasonOf, type Clock, type Logger } from '#sdk';
import { SUBJECTS } from '#proto/subjects.ts';
import type { Bus } from '../../ports/bus.ts';
import type { SeriesStore } from '../../ports/series.ts';
import type { Live } from './live.ts';
import type { MonitoringStore } from './store.ts';

/** What removing stands on. */
export interface RemovalGiven {
  store: MonitoringStore;
  series: SeriesStore;
  live: Live;
  bus: Bus;
  clock: Clock;
  log: Logger;
  /** Days of silence after which a host that comes and goes is removed. */
  guestDays: number;
}

const DAY_MS = 86_400_000;

/** How a resource goes, because somebody asked or because it left for good. */
export function createRemoval({ store, series, live, bus, clock, log, guestDays }: RemovalGiven) {
  /** Removes a resource with all its data; its agent is cut off first, so that nothing arrives for what is gone. */
  const remove = async (org: string, id: string): Promise<void> => {
    await bus.publish(SUBJECTS.resourceDeleted, org, { resource: id });
    await series.deleteResource(org, id);
    live.forget(org, id);
    await store.remove(org, id);
  };
  let sweeping = false;
  return {
    remove,
    /** Removes hosts that come and go and were silent for long. Never rejects: what fails is tried again with the next sweep. */
    async sweep(): Promise<void> {
      if (sweeping) return;
      sweeping = true;
      try {
        const gone = await store.guestsSilentSince(clock.now() - guestDays * DAY_MS);
        for (const { org, id } of gone) await remove(org, id);
        if (gone.length > 0) log.info('hosts that come and go were removed after long silence', { hosts: gone.length });
      } catch (error) {
        log.warn('hosts that left could not be removed; it is tried again', { reason: reasonOf(error) });
      } finally {
        sweeping = false;
      }
    },
  };
}
export type Removal = ReturnType<typeof createRemoval>;
