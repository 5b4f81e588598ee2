import type { Clock } from '#sdk';
import { SUBJECTS } from '#proto/subjects.ts';
import type { Bus } from '../../../ports/bus.ts';
import { alertChanged, type Firing } from './firing.ts';
import { isSilenced, type Silence } from './silence.ts';
import { shardOf } from './shards.ts';
import type { AlertStore } from './store.ts';

/** Tells the bus of firings that are written down, once each: whatever is cut off is told after the next start, and what ends under a silence never. */
export function createTelling({ store, bus, clock }: { store: AlertStore; bus: Bus; clock: Clock }) {
  const publish = (org: string, firing: Firing, state: Firing['state']): Promise<void> =>
    bus.publish(SUBJECTS.alertChanged, org, alertChanged(firing, state));

  const tell = async (org: string, firing: Firing, silences: readonly Silence[]): Promise<void> => {
    const over = firing.state === 'resolved';
    const silenced = isSilenced(silences, firing, clock.now());
    if (over && silenced) return store.markTold(org, firing.id, 'resolved');
    if (firing.told === 'nobody') {
      if (!over && silenced !== firing.silenced) await store.markSilenced(org, firing.id, silenced);
      if (silenced) return;
      await publish(org, firing, 'firing');
      await store.markTold(org, firing.id, 'firing');
    }
    if (!over) return;
    await publish(org, firing, 'resolved');
    await store.markTold(org, firing.id, 'resolved');
  };

  return {
    /**
     * Tells all that was not told yet of resources for which `fenceOf` gives a token, also what a silence held back until now. Rejects
     * with `StaleOwner` when somebody else has taken over.
     */
    async due(org: string, fenceOf: (resource: string) => number | undefined): Promise<void> {
      const due = (await store.untold(org)).filter(({ resource }) => fenceOf(resource) !== undefined);
      if (due.length === 0) return;
      await store.demand(org, new Map(due.map(({ resource }) => [shardOf(org, resource), fenceOf(resource) ?? 0])));
      const silences = await store.silences(org, clock.now());
      for (const firing of due) await tell(org, firing, silences);
    },
    /** Tells what a removed resource leaves, whoever owns it. */
    async farewell(org: string, resource: string): Promise<void> {
      const silences = await store.silences(org, clock.now());
      for (const firing of await store.untold(org)) if (firing.resource === resource) await tell(org, firing, silences);
    },
  };
}
