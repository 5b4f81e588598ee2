import { chmodSync, existsSync, unlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import {
  createLogger,
  defineProblems,
  fileSink,
  openDataFolder,
  reasonOf,
  run,
  socketPath,
  UNKNOWN_VARIABLE,
  unknownVariables,
  VERSION,
  type Clock,
  type Component,
  type DataFolder,
  type LineSink,
  type Logger,
  type Running,
  type SettingSources,
} from '#sdk';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { assemble, planFor, planSettings, type Assembly, type Plan, type PlanSettings } from './assemble.ts';
import type { ServiceTable } from './catalogue.ts';
import { isLoopback } from './config.ts';
import { createControl } from './control.ts';
import { createEgress } from './egress.ts';
import { keepFirstSignIn, type FirstSignIn } from './first-sign-in.ts';
import { createListener, listen, readPem, type ListenerOptions } from './serve.ts';
import type { Finding } from './doctor.ts';
import type { BusUpkeep } from './ports/bus.ts';
import type { HubFacts } from './service.ts';
import { createTracing, traceFacts } from './tracing.ts';

const problems = defineProblems('hub', {
  keepsNothing: { status: 409, title: 'There is nothing on this bus.' },
});

/** The newest form of the data folder that this version reads and writes. */
const DATA_FORMAT = 1;

/** How to start a hub. */
export interface StartOptions {
  target: string;
  /** Another table of services than the one that ships. */
  table?: ServiceTable;
  sources: SettingSources;
  clock: Clock;
  /** Where log lines go besides the data folder. */
  sinks: readonly LineSink[];
}

/** A hub that answers. */
export interface StartedHub {
  url: string;
  settings: PlanSettings;
  /** Present until the first administrator has chosen a password. */
  firstSignIn: FirstSignIn | undefined;
  /** Resolves with the reason when a part fails for good. */
  failed: Promise<Error>;
  stop(): Promise<void>;
}

/** Where the built page lies, seen from the bundle and from the source. */
function builtPage(): string {
  const here = import.meta.dirname;
  const places = [join(here, '..', 'web'), join(here, '..', 'dist', 'web')];
  return places.find((place) => existsSync(join(place, 'index.html')) && existsSync(join(place, 'assets'))) ?? '';
}

/** The built program that trains models, as arguments of Node. */
function trainingProgram(): string[] {
  const here = import.meta.dirname;
  const places = [join(here, 'training.js'), join(here, '..', 'dist', 'hub', 'training.js')];
  return places.filter((place) => existsSync(place)).slice(0, 1);
}

/** Where packages of the agent lie: where an operator puts them, and where make package does. */
function downloadFolders(dataFolder: string): string[] {
  const here = import.meta.dirname;
  return [resolve(dataFolder, 'downloads'), join(here, '..', 'package'), join(here, '..', 'dist', 'package')];
}

/** Where people reach the web API: told, or worked out; a process without the gateway takes the gateway's usual port. */
function publicUrl(settings: PlanSettings, host: string, { target, table }: Plan): string {
  if (settings.url !== '') return settings.url;
  const isPlain = (isLoopback(settings.listen) && settings.advertise === '') || settings.tls.plain;
  const port = target.services.includes('gateway') ? settings.port : (table['gateway']?.port ?? settings.port);
  return `${isPlain ? 'http' : 'https'}://${host}:${port}`;
}

function factsOf(settings: PlanSettings, plan: Plan): HubFacts {
  const everywhere = settings.listen === '0.0.0.0' || settings.listen === '::';
  const name = settings.advertise || (everywhere ? hostname() : settings.listen);
  const host = name.includes(':') ? `[${name}]` : name;
  const { port: linkPort = 0, advertise = '' } = (settings['ingest'] ?? {}) as { port?: number; advertise?: string };
  return {
    version: VERSION,
    publicUrl: publicUrl(settings, host, plan),
    linkAddress: advertise || `${host}:${linkPort}`,
    listen: settings.listen,
    hostnames: [...new Set([name, hostname(), 'localhost', '127.0.0.1'])],
    page: builtPage(),
    downloads: downloadFolders(settings.data),
    training: trainingProgram(),
    routes: Object.entries(plan.table).flatMap(([service, { prefixes }]) =>
      prefixes.map((prefix) => ({ prefix, service })),
    ),
  };
}

/** Key and certificate of the listener: given files, else one of our own authority; none on loopback. */
async function listenerTls(settings: PlanSettings, assembly: Assembly): Promise<ListenerOptions['tls']> {
  if (settings.tls.certificate !== '')
    return { cert: readPem(settings.tls.certificate), key: readPem(settings.tls.key) };
  if (settings.tls.plain || (isLoopback(settings.listen) && settings.advertise === '')) return undefined;
  return assembly.peers.json<{ key: string; cert: string }>('ingest', {
    method: 'GET',
    path: '/internal/ingest/certificate',
  });
}

/** OpenAPI documents: of every service where the gateway runs, wherever they run; else of this process's own. Those that do not answer are left out. */
function documentsOf({ target, table }: Plan, { peers }: Assembly): ListenerOptions['documents'] {
  const names = target.services.includes('gateway') ? Object.keys(table) : target.services;
  const ask = (name: string): Promise<object[]> =>
    peers.json<object>(name, { method: 'GET', path: '/internal/openapi' }).then(
      (document) => [document],
      () => [],
    );
  return async () => (await Promise.all(names.map(ask))).flat();
}

function listenerPart(given: {
  settings: PlanSettings;
  plan: Plan;
  facts: HubFacts;
  assembly: Assembly;
  metrics: Registry;
  log: Logger;
}): Component & { url: string } {
  const { settings, plan, facts, assembly, metrics, log } = given;
  let close: (() => Promise<void>) | undefined;
  return {
    url: facts.publicUrl,
    async start() {
      const app = await createListener({
        listen: settings.listen,
        port: settings.port,
        tls: await listenerTls(settings, assembly),
        version: VERSION,
        metrics,
        metricsOpen: settings.metrics.open,
        checked: [...assembly.ports, ...assembly.services],
        documents: documentsOf(plan, assembly),
        peerDoor: { local: assembly.local, tokens: assembly.tokens },
        services: assembly.services.map(({ component }) => component),
        log,
      });
      close = async () => app.close();
      await listen(app, settings.listen, settings.port);
    },
    async stop() {
      await close?.();
      await assembly.closePeers();
    },
  };
}

function controlPart(path: string, assembly: Assembly, own: Parameters<typeof createControl>[1]): Component {
  let server: Server | undefined;
  return {
    async start() {
      server = createServer(createControl(assembly.peers, own));
      if (process.platform !== 'win32') removeStale(path);
      await new Promise<void>((resolve, reject) => server?.once('error', reject).listen(path, resolve));
      if (process.platform !== 'win32') chmodSync(path, 0o600);
    },
    stop: () =>
      new Promise((resolve) => {
        if (server === undefined) return resolve();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function removeStale(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // None was left behind.
  }
}

/** What an operator may do with the bus; a sentence where there is nothing to do. */
function busOf({ bus }: Assembly): BusUpkeep {
  if (bus?.upkeep !== undefined) return bus.upkeep;
  throw problems.keepsNothing(
    bus === undefined
      ? 'This process uses no bus; ask one that does (outrider-hub list-targets).'
      : 'The bus inside one process keeps nothing: what a service could not handle is sent again by whoever sent it.',
  );
}

/** What the doctor says of this process and of each sister's. */
async function examineAll(
  { target }: Plan,
  { doctor, peers }: Assembly,
): Promise<{ where: string; findings: Finding[] }[]> {
  const ask = async (service: string): Promise<{ where: string; findings: Finding[] }> => {
    const findings = await peers
      .json<Finding[]>(service, { method: 'GET', path: '/internal/doctor' })
      .catch((error: unknown): Finding[] => [
        {
          level: 'failing',
          subject: `service ${service}`,
          text: reasonOf(error),
          todo: 'Start that process, or mend peers.addresses.',
        },
      ]);
    return { where: service, findings };
  };
  const here = { where: target.name, findings: await doctor.examine() };
  return [here, ...(await Promise.all(target.sisters.map(ask)))];
}

/** Starts a hub: all settings are checked first, then ports, services and the listener start in order. */
export async function startHub(options: StartOptions): Promise<StartedHub> {
  const { clock } = options;
  const plan = await planFor(options.target, options.sources, options.table);
  const settings = planSettings(plan, options.sources);
  const unknown = unknownVariables(plan.schema, options.sources.env);
  const folder = openDataFolder(settings.data, 'hub', DATA_FORMAT);
  try {
    return await startIn(folder, { plan, settings, clock, sinks: options.sinks, unknown });
  } catch (error) {
    folder.close();
    throw error;
  }
}

async function startIn(
  folder: DataFolder,
  given: {
    plan: Plan;
    settings: PlanSettings;
    clock: Clock;
    sinks: readonly LineSink[];
    unknown: ReturnType<typeof unknownVariables>;
  },
): Promise<StartedHub> {
  const { plan, settings, clock } = given;
  const log = createLogger(settings.log.level, [fileSink(join(folder.path, 'log'), 'hub'), ...given.sinks], traceFacts);
  for (const unknown of given.unknown) log.warn(UNKNOWN_VARIABLE, { ...unknown });
  const facts = factsOf(settings, plan);
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<Error>((resolve) => (fail = resolve));
  const egress = createEgress({ allow: settings.egress.allow });
  const assembly = await assemble(plan, {
    settings,
    dataFolder: folder.path,
    hub: facts,
    clock,
    log,
    metrics,
    egress,
    ca: settings.peers.ca === '' ? undefined : readPem(settings.peers.ca),
    fail,
  });
  const listener = listenerPart({ settings, plan, facts, assembly, metrics, log });
  const tracing = { name: 'tracing', component: createTracing(settings.tracing, plan.target.name) };
  const doctor = { name: 'doctor', component: assembly.doctor };
  const parts = [tracing, ...assembly.ports, ...assembly.services, doctor, { name: 'listener', component: listener }];
  const examined = (): Promise<unknown> => examineAll(plan, assembly);
  const control = {
    name: 'control',
    component: controlPart(socketPath(folder.path, 'hub'), assembly, {
      '/doctor': examined,
      '/bus/status': () => busOf(assembly).status(),
      '/bus/replay': (body) => busOf(assembly).replayDead(JSON.parse(body) as Parameters<BusUpkeep['replayDead']>[0]),
    }),
  };
  const running: Running = await run([...parts, control], { clock, log });
  const firstSignIn = await keepFirstSignIn(folder.path, assembly);
  log.info('the hub is ready', { url: facts.publicUrl, version: VERSION });
  return {
    url: facts.publicUrl,
    settings,
    firstSignIn,
    failed,
    async stop() {
      try {
        await running.stop();
        log.info('the hub has stopped');
      } catch (error) {
        log.error('the hub did not stop cleanly', { reason: reasonOf(error) });
        throw error;
      } finally {
        folder.close();
      }
    },
  };
}
