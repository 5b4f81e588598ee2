import { appendFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, nkeyAuthenticator } from '@nats-io/transport-node';
import type { SeriesStore, SeriesWrite } from '../../hub/ports/series.ts';
import type { ServiceDefinition } from '../../hub/service.ts';
import { ingest } from '../../hub/services/ingest/index.ts';
import { STREAM } from '../../hub/services/ingest/nats/connection.ts';
import { createStore } from '../../hub/services/ingest/store.ts';
import { logs } from '../../hub/services/logs/index.ts';
import { monitoring } from '../../hub/services/monitoring/index.ts';
import { predictions } from '../../hub/services/predictions/index.ts';
import type { OwnServer } from '../services/kind.ts';
import type { NatsAddress } from '../services/nats.ts';
import { createManualClock } from './manual-clock.ts';
import { freePort, until } from './programs.ts';
import { startUsers } from './sign-in.ts';
import { startStores } from './stores.ts';

/** A hub whose agents may come over this server, which lets everybody in until it learns from the hub who may. `before` runs before samples are stored. */
export async function startNatsHub(
  server: OwnServer<NatsAddress>,
  before: (write: SeriesWrite) => Promise<void> = () => Promise.resolve(),
) {
  const stores = await startStores();
  const port = await freePort();
  const series: SeriesStore = {
    ...stores.series,
    append: async (org, write) => (await before(write), stores.series.append(org, write)),
  };
  const services = [
    { definition: monitoring as unknown as ServiceDefinition, prefixes: ['/api/v1/monitoring'] },
    { definition: logs as unknown as ServiceDefinition, prefixes: ['/api/v1/logs'] },
    { definition: predictions as unknown as ServiceDefinition, prefixes: ['/api/v1/predictions'] },
    {
      definition: ingest as unknown as ServiceDefinition,
      prefixes: ['/api/v1/agents'],
      config: { port, nats: { servers: [server.address.url], maxGb: 0.1 } },
    },
  ];
  const hub = await startUsers(services, {
    clock: createManualClock(Date.now()),
    ports: { series, logstore: stores.logstore },
  });
  await hub.listener.listen({ host: '127.0.0.1', port: 0 });
  const base = `http://127.0.0.1:${(hub.listener.server.address() as AddressInfo).port}`;
  const { text } = await hub.peers.json<{ text: string }>('ingest', {
    method: 'POST',
    path: '/internal/ingest/nats',
  });
  await server.kill();
  appendFileSync(join(server.instance.folder, 'nats.conf'), text);
  await server.again();
  const seeds = await createStore(hub.relational).readNatsSeeds();
  const authenticator = nkeyAuthenticator(Buffer.from(seeds?.hub ?? '', 'latin1'));
  const watching = await connect({ servers: [server.address.url], authenticator });
  const manager = await jetstreamManager(watching);
  await until('the hub takes batches from NATS', async () => {
    await hub.clock.advance(2_000);
    return manager.consumers.info(STREAM, 'live_63').then(
      () => true,
      () => false,
    );
  });
  return { stores, hub, base, manager, watching };
}
