import { LOG_LEVELS } from '#sdk';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Type, type Static } from 'typebox';

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
    tls: Type.Object(
      {
        certificate: Type.String({
          description: 'PEM file of the certificate chain; empty means one of our own authority.',
          default: '',
        }),
        key: Type.String({ description: 'PEM file of its private key.', default: '' }),
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

/** The settings file in use: the one named, else the data folder's, else the system's; undefined when none exists. */
export function settingsFile(named: string | undefined, data: string | undefined): string | undefined {
  if (named !== undefined) return named;
  const places = [join(data ?? defaultDataFolder(), 'outrider-hub.yaml'), '/etc/outrider/outrider-hub.yaml'];
  return places.find((place) => existsSync(place));
}
