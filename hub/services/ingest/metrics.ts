import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What ingest counts of itself. */
export function createMetrics(registry: Registry) {
  const registers = [registry];
  return {
    batches: new Counter({
      name: 'outrider_ingest_batches_total',
      help: 'Batches that were stored or had been before.',
      registers,
    }),
    bytes: new Counter({ name: 'outrider_ingest_bytes_total', help: 'Bytes of batches, unpacked.', registers }),
    refusals: new Counter({
      name: 'outrider_ingest_refusals_total',
      help: 'Streams that were refused, by code.',
      labelNames: ['code'],
      registers,
    }),
    dead: new Counter({
      name: 'outrider_ingest_dead_batches_total',
      help: 'Batches from NATS that could not be stored and were put aside: their lines are lost.',
      registers,
    }),
    connected: new Gauge({ name: 'outrider_ingest_agents', help: 'Agents that are connected.', registers }),
    latency: new Histogram({
      name: 'outrider_ingest_acknowledge_seconds',
      help: 'Time from a batch’s arrival to its acknowledgement.',
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
      registers,
    }),
  };
}
