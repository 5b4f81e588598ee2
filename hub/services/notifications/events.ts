import { SUBJECTS } from '#proto/subjects.ts';
import type { Bus } from '../../ports/bus.ts';
import type { Outbox } from './outbox.ts';
import type { NotificationsStore } from './store.ts';

/** Listens to the bus; returns the ends of all subscriptions. */
export function listenToBus(bus: Bus, outbox: Outbox, store: NotificationsStore): (() => void)[] {
  return [
    bus.subscribe(SUBJECTS.alertChanged, 'notifications', (org, news) => outbox.take(org, news)),
    // What fires on the host is told to be over after this, so its history goes later.
    bus.subscribe(SUBJECTS.resourceDeleted, 'notifications', (org, { resource }) =>
      store.removeResource(org, resource),
    ),
  ];
}
