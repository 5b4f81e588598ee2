import type { Clock, Logger } from '#sdk';
import type { SeriesKind } from '#proto/metrics.ts';
import type { ServiceApp } from '../../../http.ts';
import type { Migration } from '../../../ports/relational.ts';
import type { Ports } from '../../../service.ts';

/** What alerts know of a thing that is watched. */
export interface WatchedResource {
  id: string;
  name: string;
  /** Comes and goes by design: its silence is no news. */
  ephemeral: boolean;
  /** The hub's clock when its last batch arrived, milliseconds; undefined before the first. Survives a restart of the hub. */
  lastSeenMs: number | undefined;
}

/** What alerts ask the rest of monitoring. */
export interface AlertResources {
  list(org: string): Promise<readonly WatchedResource[]>;
  find(org: string, id: string): Promise<WatchedResource | undefined>;
}

/** What `createAlerts` is given. */
export interface AlertsGiven {
  ports: Pick<Ports, 'relational' | 'bus' | 'series'>;
  log: Logger;
  clock: Clock;
  resources: AlertResources;
}

/** The newest value of one series in a batch. Counters come as rates per second. */
export interface NewestValue {
  name: string;
  kind: SeriesKind;
  /** The same object for the same series each time, if possible: what is worked out of it is remembered by identity. */
  attributes: Readonly<Record<string, string>>;
  value: number;
}

/** Something about alerts changed: the page should ask again. */
export interface AlertNews {
  org: string;
  firing: string;
  state: 'firing' | 'resolved' | 'acknowledged';
  severity: 'info' | 'warning' | 'critical';
  resource: string;
  title: string;
  atMs: number;
}

/** Rules, firings and silences: the part of monitoring that decides when a person is told. */
export interface Alerts {
  /** Steps of the schema `monitoring`; they go behind monitoring's own. */
  migrations: readonly Migration[];
  /** Everything below /api/v1/monitoring/alerts. */
  routes(app: ServiceApp): void;
  /** After monitoring has migrated the schema. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Looks at a stored batch of the live lane. `timeMs` is its newest sample's, by the agent's clock. Never throws, does no I/O itself. */
  observe(org: string, resource: string, timeMs: number, values: Iterable<NewestValue>): void;
  /** Titles of what fires now, by resource, worst first. */
  firingTitles(org: string): Promise<ReadonlyMap<string, readonly string[]>>;
  /** Tells of each change until the returned function is called. */
  onChange(listener: (news: AlertNews) => void): () => void;
}

/** Makes the alerts of monitoring. */
export function createAlerts(_given: AlertsGiven): Alerts {
  return {
    migrations: [],
    routes() {},
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    observe() {},
    firingTitles: () => Promise.resolve(new Map()),
    onChange: () => () => undefined,
  };
}
