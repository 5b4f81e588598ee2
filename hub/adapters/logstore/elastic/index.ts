import { reasonOf } from '#sdk';
import { defineAdapter } from '../../../adapter.ts';
import type { LogStore } from '../../../ports/logstore.ts';
import { ElasticConfig, faultsOf } from './config.ts';
import { createIndices } from './indices.ts';
import { namesOf } from './layout.ts';
import { connect } from './server.ts';
import { createStore } from './store.ts';

/** Log lines in the indices of an Elasticsearch 8 or 9, one for each day. */
export const elasticLogstore = defineAdapter<LogStore, typeof ElasticConfig>({
  name: 'elastic',
  reach: 'hub',
  config: ElasticConfig,
  faults: faultsOf,
  create({ config, clock, log, metrics }) {
    const names = namesOf(config.prefix);
    const server = connect(config);
    const indices = createIndices(server, names, config);
    const { port, drain } = createStore({ server, indices, names, clock, log, metrics });
    return {
      port,
      async start() {
        await indices.open();
        // A store that is red or full can still be searched, and lines wait.
        await port
          .check()
          .catch((error: unknown) => log.warn('the log store is not well', { reason: reasonOf(error) }));
      },
      async stop() {
        await drain();
        await server.close();
      },
      check: () => port.check(),
    };
  },
});
