import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkSettings, silentLogger, type GuardedFetch } from '#sdk';
import type { FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import type { Static, TObject } from 'typebox';
import { fileBlobs } from '../../hub/adapters/blobs/files/index.ts';
import { localBus } from '../../hub/adapters/bus/local/index.ts';
import { memoryCache } from '../../hub/adapters/cache/memory/index.ts';
import { createLocalPeers } from '../../hub/adapters/peers/local/index.ts';
import { createServiceApp, type ServiceApp } from '../../hub/http.ts';
import { channels } from '../../hub/catalogue.ts';
import type { Blobs } from '../../hub/ports/blobs.ts';
import type { Bus } from '../../hub/ports/bus.ts';
import type { Peers } from '../../hub/ports/peers.ts';
import type { Relational } from '../../hub/ports/relational.ts';
import { createListener } from '../../hub/serve.ts';
import { createServiceTokens } from '../../hub/service-token.ts';
import type { HubFacts, Ports, Service, ServiceDefinition } from '../../hub/service.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';
import { makeAdapter } from './stores.ts';

/** Which services to run on which ports. */
export interface WebOptions {
  services: readonly { definition: ServiceDefinition; prefixes: readonly string[]; config?: Record<string, unknown> }[];
  /** Ports besides cache and peers, which every test gets fresh; bus and blobs are local ones unless they are given. */
  ports?: Partial<Ports>;
  publicUrl?: string;
  /** Folders of packages of the agent. */
  downloads?: readonly string[];
  /** The program that trains models, as arguments of Node. */
  training?: readonly string[];
  /** How addresses of users are called; by default nobody is. */
  egress?: GuardedFetch;
  clock?: ManualClock;
}

/** Services behind a listener that does not listen: call it with `listener.inject`. */
export interface StartedWeb {
  listener: FastifyInstance;
  peers: Peers;
  bus: Bus;
  blobs: Blobs;
  clock: ManualClock;
  metrics: Registry;
  /** Does at once what services have scheduled under this name. */
  runScheduled(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** A database whose schedules are kept here: their times are a test's to choose. */
function withoutTimes(relational: Relational | undefined, scheduled: Map<string, () => Promise<void>>) {
  if (relational === undefined) return {};
  const schedule: Relational['schedule'] = (_schema, name, _cron, work) => {
    scheduled.set(name, work);
    return Promise.resolve(() => Promise.resolve());
  };
  return { relational: { ...relational, schedule } };
}

/** Starts services as a hub does, in one process, on a clock that a test moves. */
export async function startWeb(options: WebOptions): Promise<StartedWeb> {
  const clock = options.clock ?? createManualClock();
  const metrics = new Registry();
  const peers = createLocalPeers();
  const given = { log: silentLogger, clock, fail: () => undefined, dataFolder: '', metrics };
  const cache = memoryCache.create({ ...given, config: { entries: 10_000 } });
  const ownBus = makeAdapter(localBus, '');
  const bus = options.ports?.bus ?? ownBus.port;
  const scratch = mkdtempSync(join(tmpdir(), 'outrider-web-'));
  const ownBlobs = makeAdapter(fileBlobs, scratch);
  await ownBlobs.start?.();
  const blobs = options.ports?.blobs ?? ownBlobs.port;
  const scheduled = new Map<string, () => Promise<void>>();
  const timeless = withoutTimes(options.ports?.relational, scheduled);
  const ports = { ...options.ports, ...timeless, blobs, cache: cache.port, bus, peers } as Ports;
  const hub: HubFacts = {
    version: '0.0.0',
    publicUrl: options.publicUrl ?? 'http://127.0.0.1:8080',
    linkAddress: '127.0.0.1:4320',
    page: '',
    downloads: options.downloads ?? [],
    training: options.training ?? [],
    listen: '127.0.0.1',
    hostnames: ['127.0.0.1'],
    routes: options.services.flatMap(({ definition, prefixes }) =>
      prefixes.map((prefix) => ({ prefix, service: definition.name })),
    ),
  };
  const made: { name: string; component: Service; app: ServiceApp }[] = [];
  for (const { definition, config } of options.services) {
    const settings = checkSettings(definition.config, config ?? {}, []) as Static<TObject>;
    const refused = (): Promise<never> => Promise.reject(new Error('this test calls nobody'));
    const egress = options.egress ?? refused;
    const component = definition.create({ ...given, config: settings, ports, metrics, hub, egress, channels } as never);
    const app = await createServiceApp(definition.name, silentLogger);
    await component.routes?.(app);
    await app.ready();
    peers.attach(definition.name, app);
    made.push({ name: definition.name, component, app });
  }
  await ownBus.start?.();
  for (const { component } of made) await component.start?.();
  const listener = await createListener({
    listen: '127.0.0.1',
    port: 0,
    version: hub.version,
    metrics,
    metricsOpen: true,
    checked: made,
    documents: () => Promise.resolve(made.map(({ app }) => app.swagger())),
    peerDoor: { local: peers, tokens: createServiceTokens({ secrets: [], clock }) },
    services: made.map(({ component }) => component),
    log: silentLogger,
  });
  return {
    listener,
    peers,
    bus,
    blobs,
    clock,
    metrics,
    async runScheduled(name) {
      const work = scheduled.get(name);
      if (work === undefined) throw new Error(`nobody has scheduled ${name}`);
      await work();
    },
    async stop() {
      await listener.close();
      for (const { component, app } of made.reverse()) {
        await component.stop?.();
        await app.close();
      }
      await ownBus.stop?.();
      await cache.stop?.();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}
