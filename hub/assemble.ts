import {
  invalidSettings,
  leavesOf,
  loadSettings,
  Problem,
  reasonOf,
  type Clock,
  type Component,
  type GuardedFetch,
  type Logger,
  type SettingSources,
} from '#sdk';
import type { Registry } from 'prom-client';
import { Type, type Static, type TObject, type TSchema } from 'typebox';
import { Value } from 'typebox/value';
import type { AdapterDefinition } from './adapter.ts';
import {
  adapters,
  channels,
  peers as peerKinds,
  services as shipped,
  type AdaptedPort,
  type ServiceTable,
} from './catalogue.ts';
import { HubSettings, isLoopback, settingFaults } from './config.ts';
import { createDoctor, findMismatches } from './doctor.ts';
import { createServiceApp, type ServiceApp } from './http.ts';
import { createMeasures } from './measures.ts';
import { peersOver, type Peers } from './ports/peers.ts';
import type { HubFacts, PortName, Ports, Service, ServiceDefinition } from './service.ts';
import { createServiceTokens, type ServiceTokens } from './service-token.ts';
import { readTarget, targetFaults, targetSettings, type PeersSettings, type Target } from './targets.ts';

/** The definitions that a target runs, before anything is created. */
export interface Plan {
  target: Target;
  /** Every service that ships, running here or not. */
  table: ServiceTable;
  schema: TObject;
  ports: readonly { name: AdaptedPort; definition: AdapterDefinition<Ports[AdaptedPort]> }[];
  services: readonly ServiceDefinition[];
}

const PORT_ORDER = Object.keys(adapters) as AdaptedPort[];

/** The target that a flag names; a fault of the settings when there is none of that name. */
function targetOf(text: string, table: ServiceTable): Target {
  try {
    return readTarget(text, table);
  } catch (error) {
    throw invalidSettings([`target: ${reasonOf(error)}`]);
  }
}

/** The adapter that the settings choose for a port; undefined when they cannot be read, which `planSettings` tells with all else. */
function chosenAdapter(port: AdaptedPort, sources: SettingSources): string | undefined {
  const names = Object.keys(adapters[port]);
  const own = Type.Object({ adapter: Type.Enum(names, { default: names[0] }) }, { default: {} });
  try {
    const chosen = loadSettings(Type.Object({ [port]: own }), sources) as Record<string, { adapter: string }>;
    return chosen[port]?.adapter;
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

function portSchema(port: AdaptedPort, chosen: string | undefined, config: TObject): TObject {
  const adapter = Type.Enum(Object.keys(adapters[port]), {
    description: `Which adapter gives the port "${port}".`,
    default: chosen ?? Object.keys(adapters[port])[0],
  });
  // What else stands there is for an adapter that is not known.
  if (chosen === undefined) return Type.Object({ adapter }, { default: {} });
  return Type.Object({ adapter, ...config.properties }, { additionalProperties: false, default: {} });
}

/** Sections of what this process does not use: one settings file may serve all processes of a hub. Without a sister who would check them they are checked here. */
async function otherSections(
  sisters: readonly string[],
  unused: readonly AdaptedPort[],
  sources: SettingSources,
): Promise<Record<string, TSchema>> {
  if (sisters.length > 0) {
    const anything = Type.Optional(Type.Record(Type.String(), Type.Unknown()));
    return Object.fromEntries([...sisters, ...unused].map((name) => [name, anything]));
  }
  const sections = unused.map(async (port) => {
    const chosen = chosenAdapter(port, sources);
    return [port, portSchema(port, chosen, (await loadAdapter(port, chosen)).config)] as const;
  });
  return Object.fromEntries(await Promise.all(sections));
}

/** Loads what a target runs and puts its settings schema together. */
export async function planFor(text: string, sources: SettingSources, table: ServiceTable = shipped): Promise<Plan> {
  const target = targetOf(text, table);
  const definitions = await Promise.all(target.services.map((name) => (table[name] as (typeof table)[string]).load()));
  const needed = new Set<PortName>(definitions.flatMap((definition) => [...definition.needs]));
  const names = PORT_ORDER.filter((port) => needed.has(port));
  const unused = PORT_ORDER.filter((port) => !needed.has(port));
  const ports = await Promise.all(
    names.map(async (name) => {
      const chosen = chosenAdapter(name, sources);
      return { name, chosen, definition: await loadAdapter(name, chosen) };
    }),
  );
  const parts = {
    ...Object.fromEntries(
      ports.map(({ name, chosen, definition }) => [name, portSchema(name, chosen, definition.config)]),
    ),
    ...Object.fromEntries(
      definitions.map(({ name, config }) => [
        name,
        Type.Object(config.properties, { additionalProperties: false, default: {} }),
      ]),
    ),
    ...(await otherSections(target.sisters, unused, sources)),
  };
  const own = targetSettings(HubSettings, target, table);
  return {
    target,
    table,
    schema: Type.Object({ ...own, ...parts }, { additionalProperties: false }),
    ports,
    services: definitions,
  };
}

/** Loads an adapter by name; the port's first one when it has none of that name. */
function loadAdapter(port: AdaptedPort, name: string | undefined): Promise<AdapterDefinition<Ports[AdaptedPort]>> {
  const table = adapters[port] as Readonly<Record<string, () => Promise<AdapterDefinition<Ports[AdaptedPort]>>>>;
  const load = table[name ?? ''] ?? Object.values(table)[0];
  if (load === undefined) throw new Error(`no adapter for ${port}`);
  return load();
}

/** All settings of a plan: the program's own, and each part's under its name. */
export type PlanSettings = Static<typeof HubSettings> & { peers: PeersSettings } & Record<
    string,
    Record<string, unknown>
  >;

/** Adapters of a port that every process of a hub can use. */
function sharedAdapters(port: AdaptedPort): string[] {
  return Object.keys(adapters[port]).slice(1);
}

/** Faults of the target, once the settings that they rest on fit the schema. */
function faultsOfTarget(plan: Plan, settings: Record<string, unknown>): string[] {
  const { target, schema } = plan;
  const { peers, listen, tls } = schema.properties;
  const fits = Value.Check(Type.Object({ peers, listen, tls } as never), settings);
  if (!fits) return [];
  const own = settings as unknown as PlanSettings;
  return targetFaults(
    target,
    { peers: own.peers, listenIsLocal: isLoopback(own.listen), tls: own.tls },
    plan.ports,
    sharedAdapters,
  );
}

/** Reads and checks every setting of a plan, each alone and against the others; throws one Problem with all faults. */
export function planSettings(plan: Plan, sources: SettingSources): PlanSettings {
  return loadSettings(plan.schema, sources, (settings) => [
    ...settingFaults(settings),
    ...faultsOfTarget(plan, settings),
    ...plan.ports.flatMap(({ name, definition }) => {
      const own = settings[name];
      const fits = Value.Check(Type.Object(definition.config.properties), own);
      return fits ? (definition.faults?.(own as Record<string, unknown>) ?? []) : [];
    }),
  ]) as PlanSettings;
}

/** Every setting there is: those of `all` with each port's first adapter, then what each further adapter adds, under the setting that chooses it. */
export async function everySetting(): Promise<{ path: readonly string[]; schema: TSchema; only?: string }[]> {
  const plan = await planFor('all', { env: {}, flags: {} });
  const ports = Object.fromEntries(PORT_ORDER.map((port) => [port, undefined]));
  const leaves: { path: readonly string[]; schema: TSchema; only?: string }[] = leavesOf(plan.schema).filter(
    ({ path: [head = ''] }) => !(head in ports),
  );
  for (const port of PORT_ORDER) {
    const [first = '', ...others] = Object.keys(adapters[port]);
    const definition = await loadAdapter(port, first);
    const known = leavesOf(portSchema(port, first, definition.config), [port]);
    leaves.push(...known);
    for (const name of others) {
      const more = leavesOf((await loadAdapter(port, name)).config, [port]);
      leaves.push(...more.map((leaf) => ({ ...leaf, only: `${port}.adapter: ${name}` })));
    }
  }
  return leaves;
}

/** What creating the parts needs besides their settings. */
export interface Given {
  settings: PlanSettings;
  dataFolder: string;
  hub: HubFacts;
  clock: Clock;
  log: Logger;
  metrics: Registry;
  egress: GuardedFetch;
  /** PEM of the authority that certified sisters in other processes; the system's when absent. */
  ca?: string;
  fail(error: Error): void;
}

/** Parts that were created and not yet started. */
export interface Assembly {
  ports: { name: string; component: Component }[];
  services: { name: string; component: Service; app: ServiceApp }[];
  peers: Ports['peers'];
  /** The services of this process alone. */
  local: Peers;
  tokens: ServiceTokens;
  /** Ends the connections to other processes. */
  closePeers(): Promise<void>;
  bus: Ports['bus'] | undefined;
  doctor: ReturnType<typeof createDoctor>;
}

/** How this process reaches every service: those that it runs in place, the others over HTTP. */
async function reach(
  plan: Plan,
  { settings, clock, metrics, ca }: Given,
  local: Awaited<ReturnType<typeof peerKinds.local>>,
) {
  const { secret, previousSecret, addresses } = settings.peers;
  const tokens = createServiceTokens({ secrets: [secret, previousSecret].filter((one) => one !== ''), clock });
  if (plan.target.sisters.length === 0) return { peers: local, tokens, close: () => Promise.resolve() };
  const createRemotePeers = await peerKinds.remote();
  const elsewhere = Object.fromEntries(plan.target.sisters.map((name) => [name, addresses[name] ?? []]));
  const remote = createRemotePeers({ addresses: elsewhere, sign: tokens.sign, metrics, ca });
  const peers = peersOver((service, request) => (local.has(service) ? local : remote).call(service, request));
  return { peers, tokens, close: remote.close };
}

/** Creates every part of a plan in the order in which they start. No I/O happens here. */
export async function assemble(plan: Plan, given: Given): Promise<Assembly> {
  const { settings, clock, log, fail } = given;
  const measures = createMeasures(given.metrics);
  const opened: Partial<Record<PortName, unknown>> = {};
  const local = await peerKinds.local();
  const { peers, tokens, close: closePeers } = await reach(plan, given, local);
  opened.peers = peers;
  const ports = plan.ports.map(({ name, definition }) => {
    const { adapter, ...config } = settings[name] ?? {};
    const context = {
      config,
      log: log.child({ port: name, adapter }),
      clock,
      fail,
      dataFolder: given.dataFolder,
      metrics: given.metrics,
    };
    const component = definition.create(context as never);
    opened[name] = measures.port(name, definition.name, component.port as object);
    return { name, component: component as Component };
  });
  const made: Assembly['services'] = [];
  const doctor = createDoctor({
    checked: () => [...ports, ...made.filter(({ component }) => component.check !== undefined)],
    known: findMismatches(opened as Partial<Ports>),
    metrics: given.metrics,
    dataFolder: given.dataFolder,
    certificate: settings.tls.certificate,
    clock,
  });
  for (const definition of plan.services) {
    const own = Object.fromEntries(definition.needs.map((need) => [need, opened[need]])) as unknown as Ports;
    const serviceLog = log.child({ service: definition.name });
    const component = definition.create({
      config: settings[definition.name] ?? {},
      log: serviceLog,
      clock,
      fail,
      ports: own,
      metrics: given.metrics,
      hub: given.hub,
      egress: given.egress,
      channels,
    } as never);
    const app = await createServiceApp(definition.name, serviceLog, { measures, examine: () => doctor.examine() });
    await component.routes?.(app);
    await app.ready();
    local.attach(definition.name, app);
    made.push({ name: definition.name, component, app });
  }
  return {
    ports,
    services: made,
    peers,
    local,
    tokens,
    closePeers,
    doctor,
    bus: opened.bus as Ports['bus'] | undefined,
  };
}
