import {
  invalidSettings,
  leavesOf,
  loadSettings,
  Problem,
  type Clock,
  type Component,
  type GuardedFetch,
  type Logger,
  type SettingSources,
} from '#sdk';
import type { Registry } from 'prom-client';
import { Type, type Static, type TObject } from 'typebox';
import { Value } from 'typebox/value';
import type { AdapterDefinition } from './adapter.ts';
import { adapters, channels, peers as peerKinds, services, targets, type AdaptedPort } from './catalogue.ts';
import { HubSettings, settingFaults } from './config.ts';
import { createServiceApp, type ServiceApp } from './http.ts';
import type { HubFacts, PortName, Ports, Service, ServiceDefinition } from './service.ts';

/** The definitions that a target runs, before anything is created. */
export interface Plan {
  schema: TObject;
  ports: readonly { name: AdaptedPort; definition: AdapterDefinition<Ports[AdaptedPort]> }[];
  services: readonly ServiceDefinition[];
}

const PORT_ORDER = Object.keys(adapters) as AdaptedPort[];

/** The services of a target: a group of the table, or one service by name. */
export function servicesOf(target: string): readonly string[] {
  const names = targets[target] ?? (Object.hasOwn(services, target) ? [target] : undefined);
  if (names !== undefined) return names;
  throw invalidSettings([
    `target: "${target}" is none of ${[...Object.keys(targets), ...Object.keys(services)].join(', ')}`,
  ]);
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

/** Loads what a target runs and puts its settings schema together. */
export async function planFor(target: string, sources: SettingSources): Promise<Plan> {
  const definitions = await Promise.all(
    servicesOf(target).map((name) => (services[name] as (typeof services)[string]).load()),
  );
  const needed = new Set<PortName>(definitions.flatMap((definition) => [...definition.needs]));
  const names = PORT_ORDER.filter((port) => needed.has(port));
  const ports = await Promise.all(
    names.map(async (name) => {
      const table = adapters[name] as Readonly<Record<string, () => Promise<AdapterDefinition<Ports[AdaptedPort]>>>>;
      const chosen = chosenAdapter(name, sources);
      const load = table[chosen ?? ''] ?? Object.values(table)[0];
      if (load === undefined) throw new Error(`no adapter for ${name}`);
      return { name, chosen, definition: await load() };
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
  };
  return {
    schema: Type.Object({ ...HubSettings.properties, ...parts }, { additionalProperties: false }),
    ports,
    services: definitions,
  };
}

/** All settings of a plan: the program's own, and each part's under its name. */
export type PlanSettings = Static<typeof HubSettings> & Record<string, Record<string, unknown>>;

/** Reads and checks every setting of a plan, each alone and against the others; throws one Problem with all faults. */
export function planSettings(plan: Plan, sources: SettingSources): PlanSettings {
  return loadSettings(plan.schema, sources, (settings) => [
    ...settingFaults(settings),
    ...plan.ports.flatMap(({ name, definition }) => {
      const own = settings[name];
      const fits = Value.Check(Type.Object(definition.config.properties), own);
      return fits ? (definition.faults?.(own as Record<string, unknown>) ?? []) : [];
    }),
  ]) as PlanSettings;
}

/** Every setting that the default target knows, for the documentation. */
export function settingLeaves(plan: Plan): ReturnType<typeof leavesOf> {
  return leavesOf(plan.schema);
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
  fail(error: Error): void;
}

/** Parts that were created and not yet started. */
export interface Assembly {
  ports: { name: string; component: Component }[];
  services: { name: string; component: Service; app: ServiceApp }[];
  peers: Ports['peers'];
  bus: Ports['bus'] | undefined;
}

/** Creates every part of a plan in the order in which they start. No I/O happens here. */
export async function assemble(plan: Plan, given: Given): Promise<Assembly> {
  const { settings, clock, log, fail } = given;
  const opened: Partial<Record<PortName, unknown>> = {};
  const peers = await peerKinds.local();
  opened.peers = peers;
  const ports = plan.ports.map(({ name, definition }) => {
    const { adapter, ...config } = settings[name] ?? {};
    const context = { config, log: log.child({ port: name, adapter }), clock, fail, dataFolder: given.dataFolder };
    const component = definition.create(context as never);
    opened[name] = component.port;
    return { name, component: component as Component };
  });
  const made: Assembly['services'] = [];
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
    const app = await createServiceApp(definition.name, serviceLog);
    await component.routes?.(app);
    await app.ready();
    peers.attach(definition.name, app);
    made.push({ name: definition.name, component, app });
  }
  return { ports, services: made, peers, bus: opened.bus as Ports['bus'] | undefined };
}
