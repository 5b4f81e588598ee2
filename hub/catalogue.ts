import type { AdapterDefinition } from './adapter.ts';
import type { PortName, Ports, ServiceDefinition } from './service.ts';

/** Every way to tell a person that ships. */
export { channels } from '../plugins/channels/catalogue.ts';

/** One row of the services' table. */
export interface ServiceEntry {
  /** What it answers on the web; the gateway sends these paths to it. */
  prefixes: readonly string[];
  load(): Promise<ServiceDefinition>;
}

/** Every service, in the order in which they start. */
export const services: Readonly<Record<string, ServiceEntry>> = {
  users: {
    prefixes: ['/api/v1/auth', '/api/v1/users'],
    load: async () => (await import('./services/users/index.ts')).users,
  },
  // Before monitoring: what it publishes while nobody listens is lost on a bus inside the process.
  notifications: {
    prefixes: ['/api/v1/notifications'],
    load: async () => (await import('./services/notifications/index.ts')).notifications,
  },
  monitoring: {
    prefixes: ['/api/v1/monitoring'],
    load: async () => (await import('./services/monitoring/index.ts')).monitoring,
  },
  logs: {
    prefixes: ['/api/v1/logs'],
    load: async () => (await import('./services/logs/index.ts')).logs,
  },
  ingest: {
    prefixes: ['/api/v1/agents'],
    load: async () => (await import('./services/ingest/index.ts')).ingest,
  },
  gateway: {
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
  series: { embedded: async () => (await import('./adapters/series/embedded/index.ts')).embeddedSeries },
  logstore: { embedded: async () => (await import('./adapters/logstore/embedded/index.ts')).embeddedLogstore },
  cache: { memory: async () => (await import('./adapters/cache/memory/index.ts')).memoryCache },
  bus: { local: async () => (await import('./adapters/bus/local/index.ts')).localBus },
};

/** Peers follow from the target: one process holds all services. */
export const peers = {
  local: async () => (await import('./adapters/peers/local/index.ts')).createLocalPeers(),
};

/** What a target runs. A service's own name is a target too. */
export const targets: Readonly<Record<string, readonly string[]>> = { all: Object.keys(services) };
