import type { AdapterDefinition } from './adapter.ts';
import type { PortName, Ports, ServiceDefinition } from './service.ts';

/** Every way to tell a person that ships. */
export { channels } from '../plugins/channels/catalogue.ts';

/** One row of the services' table. */
export interface ServiceEntry {
  /** What it answers on the web; the gateway sends these paths to it. */
  prefixes: readonly string[];
  /** Where it listens when it runs alone. */
  port: number;
  load(): Promise<ServiceDefinition>;
}

/** Services by name, in the order in which they start. */
export type ServiceTable = Readonly<Record<string, ServiceEntry>>;

/** Every service. Each name is a target, and `all` is every one of them in one process. */
export const services: ServiceTable = {
  users: {
    port: 8081,
    prefixes: ['/api/v1/auth', '/api/v1/users'],
    load: async () => (await import('./services/users/index.ts')).users,
  },
  // Before monitoring: what it publishes while nobody listens is lost on a bus inside the process.
  notifications: {
    port: 8088,
    prefixes: ['/api/v1/notifications'],
    load: async () => (await import('./services/notifications/index.ts')).notifications,
  },
  monitoring: {
    port: 8082,
    prefixes: ['/api/v1/monitoring'],
    load: async () => (await import('./services/monitoring/index.ts')).monitoring,
  },
  logs: {
    port: 8084,
    prefixes: ['/api/v1/logs'],
    load: async () => (await import('./services/logs/index.ts')).logs,
  },
  predictions: {
    port: 8083,
    prefixes: ['/api/v1/predictions'],
    load: async () => (await import('./services/predictions/index.ts')).predictions,
  },
  ingest: {
    port: 8090,
    prefixes: ['/api/v1/agents'],
    load: async () => (await import('./services/ingest/index.ts')).ingest,
  },
  gateway: {
    port: 8080,
    prefixes: [],
    load: async () => (await import('./services/gateway/index.ts')).gateway,
  },
};

/** Ports whose implementation is chosen by a setting: `<port>.adapter`. Peers follow from the target. */
export type AdaptedPort = Exclude<PortName, 'peers'>;

/** Every adapter by port, in the order in which ports start; the first of each is the default. */
export const adapters: {
  readonly [P in AdaptedPort]: Readonly<Record<string, () => Promise<AdapterDefinition<Ports[P]>>>>;
} = {
  relational: {
    embedded: async () => (await import('./adapters/relational/embedded/index.ts')).embeddedRelational,
    postgres: async () => (await import('./adapters/relational/postgres/index.ts')).postgresRelational,
  },
  series: {
    embedded: async () => (await import('./adapters/series/embedded/index.ts')).embeddedSeries,
    influx: async () => (await import('./adapters/series/influx/index.ts')).influxSeries,
    prometheus: async () => (await import('./adapters/series/prometheus/index.ts')).prometheusSeries,
  },
  logstore: {
    embedded: async () => (await import('./adapters/logstore/embedded/index.ts')).embeddedLogstore,
    elastic: async () => (await import('./adapters/logstore/elastic/index.ts')).elasticLogstore,
  },
  cache: {
    memory: async () => (await import('./adapters/cache/memory/index.ts')).memoryCache,
    redis: async () => (await import('./adapters/cache/redis/index.ts')).redisCache,
  },
  bus: {
    local: async () => (await import('./adapters/bus/local/index.ts')).localBus,
    nats: async () => (await import('./adapters/bus/nats/index.ts')).natsBus,
  },
  blobs: {
    files: async () => (await import('./adapters/blobs/files/index.ts')).fileBlobs,
    s3: async () => (await import('./adapters/blobs/s3/index.ts')).s3Blobs,
  },
};

/** Ports with one owner: the others ask the service that has it, so its store may lie in that process's own folder. */
export const OWNED: readonly AdaptedPort[] = ['series', 'logstore'];

/** How services reach each other; it follows from the target: what runs here is called in place, the others over HTTP. */
export const peers = {
  local: async () => (await import('./adapters/peers/local/index.ts')).createLocalPeers(),
  remote: async () => (await import('./adapters/peers/remote/index.ts')).createRemotePeers,
};
