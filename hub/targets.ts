import { Type, type TObject, type TSchema } from 'typebox';
import type { AdapterDefinition } from './adapter.ts';
import { OWNED, services as shipped, type AdaptedPort, type ServiceTable } from './catalogue.ts';
import { defaultDataFolder, isWebAddress, type HubSettings } from './config.ts';

/** What a process runs, before anything is loaded. */
export interface Target {
  /** As it was asked for: `all`, `logs`, `logs,monitoring`. */
  name: string;
  /** Its services, in the order in which they start. */
  services: readonly string[];
  /** Those that run elsewhere. */
  sisters: readonly string[];
  /** The port that its listener has unless told otherwise. */
  port: number;
}

/** Reads a target; throws a sentence that lists what there is. */
export function readTarget(text: string, table: ServiceTable = shipped): Target {
  const all = Object.keys(table);
  const asked = text.split(',').map((name) => name.trim());
  const unknown = asked.find((name) => name !== 'all' && !Object.hasOwn(table, name));
  if (unknown !== undefined)
    throw new Error(`"${unknown}" is none of all, ${all.join(', ')} (several are joined by commas)`);
  const services = asked.includes('all') ? all : all.filter((name) => asked.includes(name));
  const first = services.includes('gateway') ? 'gateway' : (services[0] ?? 'gateway');
  return {
    name: services.length === all.length ? 'all' : services.join(','),
    services,
    sisters: all.filter((name) => !services.includes(name)),
    port: table[first]?.port ?? 8080,
  };
}

/** Where a target keeps its data unless told otherwise: processes of one machine have a folder each. */
export function dataFolderOf({ name }: Target): string {
  return name === 'all' ? defaultDataFolder() : `${defaultDataFolder()}-${name.replaceAll(',', '-')}`;
}

/** Where the sisters of a process are, and how they know each other. */
function peersSettings(table: ServiceTable): TObject {
  const addresses = Object.entries(table).map(([name, { port }]): [string, TSchema] => [
    name,
    Type.Array(Type.String(), {
      description: `Addresses of the processes that run the service ${name}, for those that do not run it themselves.`,
      default: [`http://127.0.0.1:${port}`],
    }),
  ]);
  return Type.Object(
    {
      secret: Type.String({
        description:
          'What all processes of one hub know: at least 32 characters, the same everywhere. Keys that change every hour are derived from it.',
        secret: true,
        default: '',
      }),
      previousSecret: Type.String({
        description: 'The secret before, still trusted while processes are restarted with a new one.',
        secret: true,
        default: '',
      }),
      ca: Type.String({
        description: 'PEM file of the authority that certified the sisters’ listeners; empty means the system’s.',
        default: '',
      }),
      addresses: Type.Object(Object.fromEntries(addresses), { additionalProperties: false, default: {} }),
    },
    { additionalProperties: false, default: {} },
  );
}

/** The program's own settings with the defaults of a target. */
export function targetSettings(
  schema: typeof HubSettings,
  target: Target,
  table: ServiceTable,
): Record<string, TSchema> {
  const { data, port, ...rest } = schema.properties;
  return {
    data: { ...data, default: dataFolderOf(target) } as TSchema,
    port: { ...port, default: target.port } as TSchema,
    ...rest,
    peers: peersSettings(table),
  };
}

/** Settings of `peers`, checked. */
export interface PeersSettings {
  secret: string;
  previousSecret: string;
  ca: string;
  addresses: Readonly<Record<string, readonly string[]>>;
}

const LEAST_SECRET = 32;

function secretFaults({ secret, previousSecret }: PeersSettings, target: Target): string[] {
  const faults = Object.entries({ secret, previousSecret }).flatMap(([name, value]) =>
    value !== '' && value.length < LEAST_SECRET
      ? [`peers.${name}: has ${value.length} characters and needs ${LEAST_SECRET}; make one with: openssl rand -hex 32`]
      : [],
  );
  if (target.sisters.length > 0 && secret === '')
    faults.push(
      `peers.secret: is missing; the target ${target.name} asks ${target.sisters.join(', ')} in other processes, and all must have the same (openssl rand -hex 32)`,
    );
  return faults;
}

/** What is wrong with settings because of what the target runs, a sentence each. */
export function targetFaults(
  target: Target,
  settings: { peers: PeersSettings; listenIsLocal: boolean; tls: HubSettings['tls'] },
  ports: readonly { name: AdaptedPort; definition: AdapterDefinition<unknown> }[],
  alternatives: (port: AdaptedPort) => readonly string[],
): string[] {
  const { peers, tls } = settings;
  const faults = secretFaults(peers, target);
  for (const [service, urls] of Object.entries(peers.addresses))
    for (const url of urls.filter((one) => !isWebAddress(one)))
      faults.push(`peers.addresses.${service}: "${url}" is no address; write http://host:port`);
  if (target.sisters.length === 0) return faults;
  for (const { name, definition } of ports) {
    if (definition.reach === 'hub' || OWNED.includes(name)) continue;
    faults.push(
      `${name}.adapter: "${definition.name}" reaches this process alone, and the target ${target.name} shares it with ${target.sisters.join(', ')}; choose one of ${alternatives(name).join(', ')}`,
    );
  }
  const hasAuthority = target.services.includes('ingest');
  if (!settings.listenIsLocal && !hasAuthority && tls.certificate === '' && !tls.plain)
    faults.push(
      `tls.certificate: is missing; only a process with ingest has an authority of its own. Give tls.certificate and tls.key, or set tls.plain behind a mesh that encrypts`,
    );
  return faults;
}
