import { reasonOf, type Cancel, type Clock, type Logger, type Severity } from '#sdk';
import type { SeriesKind } from '#proto/metrics.ts';
import { SUBJECTS } from '#proto/subjects.ts';
import type { ServiceApp } from '../../../http.ts';
import type { Migration } from '../../../ports/relational.ts';
import type { Ports } from '../../../service.ts';
import { createDuty } from './duty.ts';
import { createEngine } from './engine.ts';
import { toldOf, type Firing } from './firing.ts';
import { migrations } from './migrations.ts';
import { createPresence } from './presence.ts';
import { createOwnership } from './ownership.ts';
import { createRecorder } from './recorder.ts';
import { firingRoutes } from './firing-routes.ts';
import { ruleRoutes } from './rule-routes.ts';
import { silenceRoutes } from './silence-routes.ts';
import { createStore } from './store.ts';
import { createWatch } from './watch.ts';
import { wording } from './wording.ts';

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
  ports: Pick<Ports, 'relational' | 'bus' | 'series' | 'cache'>;
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
  severity: Severity;
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
  /** Tells of each change until the returned function is called. */
  onChange(listener: (news: AlertNews) => void): () => void;
  /** Titles of what fires now, by resource, worst first. */
  firingTitles(org: string): Promise<ReadonlyMap<string, readonly string[]>>;
}

/** Firings that fire at once, as far as lists and titles go. */
const MOST_OPEN = 1000;
const WEIGHT: Readonly<Record<Severity, number>> = { critical: 0, warning: 1, info: 2 };

function titlesOf(firings: readonly Firing[]): Map<string, string[]> {
  const titles = new Map<string, string[]>();
  for (const firing of [...firings].sort((a, b) => WEIGHT[a.severity] - WEIGHT[b.severity])) {
    const of = titles.get(firing.resource) ?? [];
    titles.set(firing.resource, [...of, wording(toldOf(firing)).title]);
  }
  return titles;
}

/** Makes the alerts of monitoring. */
export function createAlerts({ ports, log, clock, resources }: AlertsGiven): Alerts {
  const listeners = new Set<(news: AlertNews) => void>();
  const changed = (news: AlertNews): void => listeners.forEach((listener) => listener(news));
  const store = createStore(ports.relational);
  const owned = createOwnership({
    ...{ cache: ports.cache, clock, log },
    takeOver: (fences) => duty.takeOver(fences),
  });
  const recorder = createRecorder({ store, bus: ports.bus, resources, owned, clock, log, changed });
  const engine = createEngine(clock, recorder.take);
  const watch = createWatch(engine);
  const presence = createPresence(resources, clock);
  const duty = createDuty({ store, engine, watch, presence, recorder, owned, series: ports.series, clock, log });
  const ends: Cancel[] = [];
  return {
    migrations,
    routes(app) {
      const given = { store, engine, clock, resources, series: ports.series, changed, reload: duty.reload };
      ruleRoutes(app, given);
      firingRoutes(app, given);
      silenceRoutes(app, given);
    },
    async start() {
      await duty.load();
      await owned.start();
      ends.push(
        ...duty.start(),
        ports.bus.subscribe(SUBJECTS.resourceDeleted, 'monitoring-alerts', async (org, { resource }) => {
          engine.forget(org, resource);
          presence.forget(org, resource);
          await recorder.settled();
          await store.closeResource(org, resource, clock.now());
          await recorder.farewell(org, resource);
          await store.forgetResource(org, resource);
          await duty.reload(org);
        }),
      );
    },
    async stop() {
      for (const end of ends.splice(0)) end();
      await owned.rest();
      engine.keepPeaks();
      await recorder.settled();
      await owned.leave();
    },
    observe(org, resource, timeMs, values) {
      presence.note(org, resource);
      if (watch.knows(org)) watch.observe(org, resource, timeMs, values);
      else duty.meet(org).catch((error: unknown) => log.warn('rules could not be read', { reason: reasonOf(error) }));
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    firingTitles: async (org) =>
      titlesOf((await store.firings(org, { state: 'firing' }, { limit: MOST_OPEN, offset: 0 })).items),
  };
}
