import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What the bus counts of itself. */
export function createBusMetrics(registry: Registry) {
  const registers = [registry];
  return {
    pending: new Gauge({
      name: 'outrider_bus_pending_messages',
      help: 'Messages that a subscriber has not handled yet, in all lanes of a subject.',
      labelNames: ['subscriber', 'subject'] as const,
      registers,
    }),
    dead: new Gauge({
      name: 'outrider_bus_dead_letters',
      help: 'Messages that a subscriber could not handle and that were put aside.',
      labelNames: ['subscriber'] as const,
      registers,
    }),
    redelivered: new Counter({
      name: 'outrider_bus_redelivered_messages_total',
      help: 'Messages that were handed to this process again: a handler failed, or its hub was killed.',
      labelNames: ['subscriber'] as const,
      registers,
    }),
    published: new Histogram({
      name: 'outrider_bus_publish_duration_seconds',
      help: 'Time until the server had a message on its disk.',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      registers,
    }),
  };
}
export type BusMetrics = ReturnType<typeof createBusMetrics>;
