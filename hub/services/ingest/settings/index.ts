import type { Logger } from '#sdk';
import { createDelivery, type DeliveryGiven } from './delivery.ts';
import { createPushing } from './pushing.ts';
import { createGroupReading } from './reading.ts';

/** Settings that are pushed to groups of agents: decides who is to have what, brings it to them, hears what became of it, and shows it. */
export function createPushedSettings(given: DeliveryGiven & { log: Logger }) {
  const delivery = createDelivery(given);
  const { store, clock, log } = given;
  const { deliver } = delivery;
  return {
    delivery,
    pushing: createPushing({ store, clock, log, deliver }),
    reading: createGroupReading({ store, clock }),
  };
}
