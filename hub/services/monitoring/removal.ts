import type { Clock, Logger } from '#sdk';
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
  return {
    remove,
    /** Removes hosts that come and go and were silent for long. */
    async sweep(): Promise<void> {
      const gone = await store.guestsSilentSince(clock.now() - guestDays * DAY_MS);
      for (const { org, id } of gone) await remove(org, id);
      if (gone.length > 0) log.info('hosts that come and go were removed after long silence', { hosts: gone.length });
    },
  };
}
export type Removal = ReturnType<typeof createRemoval>;
