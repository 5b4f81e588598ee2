import { Counter } from 'prom-client';
import { defineService } from '../../service.ts';
import { createAnomalies } from './anomalies.ts';
import { PredictionsConfig } from './config.ts';
import { createDetections } from './detection.ts';
import { listenToBus } from './events.ts';
import { createFeedback } from './feedback.ts';
import { anomalyRoutes } from './routes/anomalies.ts';
import { internalRoutes } from './routes/internal.ts';
import { createStore, SCHEMA } from './store.ts';
import { createWatermarks } from './watermarks.ts';

/** Anomaly events of hosts, what people say of them, and what agents detect by. */
export const predictions = defineService({
  name: 'predictions',
  summary: 'Anomaly events, what people say of them, and what agents detect by.',
  needs: ['relational', 'bus'],
  config: PredictionsConfig,
  create({ config, ports: { relational, bus }, clock, log, metrics: registry }) {
    const store = createStore(relational);
    const anomalies = createAnomalies(store, config);
    const feedback = createFeedback(store, clock);
    const detections = createDetections(store, clock);
    const watermarks = createWatermarks();
    const counted = (name: string, help: string) => new Counter({ name, help, registers: [registry] });
    const metrics = {
      events: counted('outrider_predictions_events_total', 'Anomaly events that were kept, each revision counted.'),
      refused: counted('outrider_predictions_events_refused_total', 'Anomaly events that were out of bounds.'),
    };
    const ends: (() => void | Promise<void>)[] = [];
    return {
      routes(app) {
        anomalyRoutes(app, { anomalies, feedback, clock });
        internalRoutes(app, { detections, watermarks });
      },
      async start() {
        await store.migrate();
        ends.push(
          ...listenToBus({ bus, anomalies, watermarks, clock, log, metrics }),
          await relational.schedule(SCHEMA, 'sweep-anomalies', '*/10 * * * *', () => anomalies.sweep(clock.now())),
        );
      },
      async stop() {
        for (const end of ends.splice(0)) await end();
      },
      check: () => store.check(),
    };
  },
});
