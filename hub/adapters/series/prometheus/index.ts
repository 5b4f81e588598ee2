import { defineAdapter } from '../../../adapter.ts';
import type { SeriesStore } from '../../../ports/series.ts';
import { createTieredStore } from '../points/tiered-store.ts';
import { faultsOf, PrometheusConfig } from './config.ts';
import { createPoints } from './points.ts';
import { connect } from './server.ts';

/**
 * Samples in a store that takes remote writes and answers like Prometheus: VictoriaMetrics, Mimir, Thanos or Prometheus itself. What they do not do like others:
 * - Nothing is replaced: a second value at a time is refused (Prometheus) or wins by chance (VictoriaMetrics). See `tier-rows.ts` and `notes.ts`.
 * - One sample that is not taken refuses its whole request, with 400, or 500 when it is too old. See `server.ts`.
 * - VictoriaMetrics shows what it took a second later, new series up to ten seconds after a query did not find them, writes down still later, deletes whole series only,
 *   and rounds values of very different size that lie together. See `settling.ts`, `access.ts`, `restarts.ts`.
 * - Prometheus 2 counts both edges of a range, and its deletes miss late samples that lie in memory still; what is deleted hides what comes again for those times.
 */
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
