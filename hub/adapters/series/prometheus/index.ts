import { defineAdapter } from '../../../adapter.ts';
import type { SeriesStore } from '../../../ports/series.ts';
import { createTieredStore } from '../points/tiered-store.ts';
import { faultsOf, PrometheusConfig } from './config.ts';
import { createPoints } from './points.ts';
import { connect } from './server.ts';

/** Samples in a store that takes remote writes and answers like Prometheus: VictoriaMetrics, Mimir, Thanos or Prometheus itself. */
export const prometheusSeries = defineAdapter<SeriesStore, typeof PrometheusConfig>({
  name: 'prometheus',
  reach: 'hub',
  config: PrometheusConfig,
  faults: faultsOf,
  create: ({ config, clock, log }) => {
    const server = connect(config);
    const points = createPoints(server, config.prefix, { clock, log });
    const store = createTieredStore(points, { clock, log });
    return {
      ...store,
      check: () => points.check(),
      async stop() {
        await store.stop();
        await server.close();
      },
    };
  },
});
