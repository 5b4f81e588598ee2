import { Counter } from 'prom-client';
import { defineService } from '../../service.ts';
import { createAnomalies } from './anomalies.ts';
import { PredictionsConfig } from './config.ts';
import { createDetections } from './detection.ts';
import { listenToBus } from './events.ts';
import { createFeedback } from './feedback.ts';
import { createAliases } from './models/aliases.ts';
import { createDocuments } from './models/documents.ts';
import { createJobs } from './models/jobs.ts';
import { createRegistry } from './models/registry.ts';
import { createRemoval } from './models/removal.ts';
import { createRunner } from './models/runner.ts';
import { createSamples } from './models/samples.ts';
import { createTraining } from './models/training.ts';
import { createUpkeep } from './models/upkeep.ts';
import { anomalyRoutes } from './routes/anomalies.ts';
import { internalRoutes } from './routes/internal.ts';
import { jobRoutes } from './routes/jobs.ts';
import { modelRoutes } from './routes/models.ts';
import { createSequences } from './sequences/index.ts';
import { createStore, SCHEMA } from './store.ts';
import { createWatermarks } from './watermarks.ts';

/** Anomaly events of hosts, what people say of them, models of hosts, and what agents detect by. */
export const predictions = defineService({
  name: 'predictions',
  summary: 'Anomaly events, what people say of them, models of hosts, and what agents detect by.',
  needs: ['relational', 'bus', 'blobs', 'peers'],
  config: PredictionsConfig,
  create({ config, ports: { relational, bus, blobs, peers }, clock, log, hub, metrics: registry }) {
    const store = createStore(relational);
    const anomalies = createAnomalies(store, config);
    const feedback = createFeedback(store, clock);
    const documents = createDocuments(blobs);
    const detections = createDetections(store, documents, clock);
    const models = createRegistry(store, documents, clock);
    const removal = createRemoval(store, documents, log);
    const aliases = createAliases(store, clock);
    const jobs = createJobs(store, clock);
    const samples = createSamples(peers);
    const { training: program, version } = hub;
    const work = createTraining({ samples, registry: models, aliases, program, version, clock });
    const runner = createRunner({ jobs, work, clock, log });
    const canTrain = program.length > 0;
    const { automatic, ...training } = config.training;
    const upkeep = createUpkeep({
      ...{ store, jobs, registry: models, removal, aliases, samples, clock, log },
      training: automatic && canTrain ? training : undefined,
    });
    const watermarks = createWatermarks();
    const sequences = createSequences({ store, config: config.sequences, clock, log, registry });
    const counted = (name: string, help: string) => new Counter({ name, help, registers: [registry] });
    const metrics = {
      events: counted('outrider_predictions_events_total', 'Anomaly events that were kept, each revision counted.'),
      refused: counted('outrider_predictions_events_refused_total', 'Anomaly events that were out of bounds.'),
    };
    const forget = async (org: string, resource: string): Promise<void> => {
      await sequences.deleteResource(org, resource);
      await anomalies.deleteResource(org, resource);
      await removal.removeResource(org, resource);
    };
    const ends: (() => void | Promise<void>)[] = [];
    return {
      routes(app) {
        anomalyRoutes(app, { anomalies, feedback, clock });
        jobRoutes(app, { jobs, peers, kick: runner.kick, days: config.training.days, canTrain });
        modelRoutes(app, { registry: models, removal, aliases, detections });
        internalRoutes(app, { detections, watermarks });
      },
      async start() {
        await store.migrate();
        ends.push(
          ...listenToBus({ bus, anomalies, forget, sequences, watermarks, clock, log, metrics }),
          await relational.schedule(SCHEMA, 'sweep-anomalies', '*/10 * * * *', async () => {
            await anomalies.sweep(clock.now());
            await sequences.sweep(clock.now());
          }),
          await relational.schedule(SCHEMA, 'keep-models', '7 * * * *', () => upkeep.look()),
          ...(await sequences.start(relational)),
        );
        await runner.start?.();
      },
      async stop() {
        await runner.stop?.();
        for (const end of ends.splice(0)) await end();
      },
      check: () => store.check(),
    };
  },
});
