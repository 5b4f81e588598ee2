import { LOG_LEVELS, reasonOf } from '#sdk';
import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';
import { rangeFault } from './address-ranges.ts';

/** Where the hub keeps its data unless told otherwise. */
export function defaultDataFolder(): string {
  return process.getuid?.() === 0 ? '/var/lib/outrider-hub' : join(homedir(), '.local', 'share', 'outrider-hub');
}

/** The settings of the program itself. Each port and each service adds its own under its name. */
export const HubSettings = Type.Object(
  {
    data: Type.String({ description: 'Folder for everything that the hub keeps.', default: defaultDataFolder() }),
    listen: Type.String({
      description: 'Address to listen on. Anything but loopback speaks TLS.',
      default: '127.0.0.1',
    }),
    port: Type.Integer({ description: 'Port of the web API and the page.', default: 8080, minimum: 0, maximum: 65535 }),
    advertise: Type.String({
      description: 'Host name or address by which people and agents reach this hub; empty means the listen address.',
      default: '',
    }),
    url: Type.String({
      description:
        'Address of the web API as people and agents type it, when a proxy or another process answers there: https://outrider.example.org. Empty: what listen, advertise and port say.',
      default: '',
    }),
    tls: Type.Object(
      {
        certificate: Type.String({
          description: 'PEM file of the certificate chain; empty means one of our own authority.',
          default: '',
        }),
        key: Type.String({ description: 'PEM file of its private key.', default: '' }),
        plain: Type.Boolean({
          description: 'Speak plain HTTP to other machines too: only behind a proxy or a mesh that encrypts.',
          default: false,
        }),
      },
      { additionalProperties: false, default: {} },
    ),
    log: Type.Object(
      { level: Type.Enum([...LOG_LEVELS], { description: 'The least level that is written.', default: 'info' }) },
      { additionalProperties: false, default: {} },
    ),
    egress: Type.Object(
      {
        allow: Type.Array(Type.String(), {
          description: 'Private address ranges (CIDR) that webhooks and scrapes may reach.',
          default: [],
        }),
      },
      { additionalProperties: false, default: {} },
    ),
    tracing: Type.Object(
      {
        endpoint: Type.String({
          description: 'Where spans are sent over OTLP/HTTP: http://collector:4318. Empty: nowhere.',
          default: '',
        }),
        ratio: Type.Number({
          description: 'Share of the calls from outside that are traced, 0 to 1.',
          default: 0.1,
          minimum: 0,
          maximum: 1,
        }),
      },
      { additionalProperties: false, default: {} },
    ),
    metrics: Type.Object(
      {
        open: Type.Boolean({
          description: 'Answer /metrics to everyone; otherwise only to callers on this machine.',
          default: false,
        }),
      },
      { additionalProperties: false, default: {} },
    ),
  },
  { additionalProperties: false },
);
export type HubSettings = Static<typeof HubSettings>;

type Checked = { [K in keyof HubSettings]?: HubSettings[K] } & { ingest?: { port: number } };

const Ingest = Type.Object({ port: Type.Integer() });

/** The parts of settings that fit the schema: the others are faults already. */
function fitting(settings: Record<string, unknown>): Checked {
  const schemas = { ...HubSettings.properties, ingest: Ingest };
  return Object.fromEntries(
    Object.entries(schemas).flatMap(([key, schema]) =>
      Value.Check(schema, settings[key]) ? [[key, settings[key]]] : [],
    ),
  );
}

/** An address, or a name whose last word is not a number: such a name would be a mistyped address. */
const isListenAddress = (text: string): boolean =>
  isIP(text) !== 0 || (/^[a-z\d-]+(\.[a-z\d-]+)*$/i.test(text) && !/(^|\.)\d+$/.test(text));

/** True for an address that only this machine reaches. */
export const isLoopback = (address: string): boolean => /^(127\.|::1$|localhost$)/.test(address);

/** `http://host:port` or `https://host:port`, and nothing behind it. */
export function isWebAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, pathname, search, hash, username } = new URL(text);
  return /^https?:$/.test(protocol) && pathname === '/' && `${search}${hash}${username}` === '' && !text.endsWith('/');
}

function tlsFaults({ certificate, key, plain }: HubSettings['tls']): string[] {
  if (plain && certificate !== '') return ['tls.plain: is set, and so is tls.certificate; choose one'];
  if (certificate === '' && key === '') return [];
  if (key === '') return ['tls.key: is missing; tls.certificate is given, and the listener needs both'];
  if (certificate === '') return ['tls.certificate: is missing; tls.key is given, and the listener needs both'];
  const faults: string[] = [];
  const read = (setting: string, path: string): string => {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      faults.push(`${setting}: the file ${path} cannot be read (${reasonOf(error)})`);
      return '';
    }
  };
  const [cert, secret] = [read('tls.certificate', certificate), read('tls.key', key)];
  if (faults.length > 0) return faults;
  try {
    createSecureContext({ cert, key: secret });
    return [];
  } catch (error) {
    return [`tls: ${certificate} and ${key} are no certificate and its key (${reasonOf(error)})`];
  }
}

/** What is wrong with the program's settings beyond their schema, a sentence each. Looks at the files that they name. */
export function settingFaults(settings: Record<string, unknown>): string[] {
  const { listen, port, url, tls, egress, ingest, tracing } = fitting(settings);
  const faults: string[] = [];
  if (tracing !== undefined && tracing.endpoint !== '' && !isWebAddress(tracing.endpoint))
    faults.push(
      `tracing.endpoint: "${tracing.endpoint}" is no address of a collector; write http://host:4318, without a path`,
    );
  if (url !== undefined && url !== '' && !isWebAddress(url))
    faults.push(`url: "${url}" is no address of a web server; write https://host or https://host:port, without a path`);
  if (listen !== undefined && !isListenAddress(listen))
    faults.push(
      `listen: "${listen}" is no address and no name of a host; 127.0.0.1 is this machine alone, 0.0.0.0 all`,
    );
  if (port !== undefined && port !== 0 && port === ingest?.port)
    faults.push(`port: ${port} is ingest.port too; the page and the agents need a port each`);
  if (tls !== undefined) faults.push(...tlsFaults(tls));
  faults.push(...(egress?.allow ?? []).flatMap((text) => rangeFault(text) ?? []));
  return faults;
}

/** The settings file in use: the one named, else the data folder's, else the system's; undefined when none exists. */
export function settingsFile(named: string | undefined, data: string | undefined): string | undefined {
  if (named !== undefined) return named;
  const places = [join(data ?? defaultDataFolder(), 'outrider-hub.yaml'), '/etc/outrider/outrider-hub.yaml'];
  return places.find((place) => existsSync(place));
}
