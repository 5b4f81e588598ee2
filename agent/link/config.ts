import { Type, type Static } from 'typebox';

/** How the agent reaches its hub. */
export const LinkConfig = Type.Object(
  {
    transport: Type.Enum(['grpc', 'nats'], {
      description:
        'How batches travel: grpc to the address that the enrolment named, or nats through the servers below. Enrolment is HTTPS either way.',
      default: 'grpc',
    }),
    compression: Type.Enum(['auto', 'gzip', 'zstd'], {
      description:
        'How batches are packed. auto: zstd where this agent’s Node (22.15 or newer) and its hub both have it, else gzip; over NATS always gzip. zstd: also over NATS, where any hub may read a batch, so that the Node of each must have it. gzip: never zstd.',
      default: 'auto',
    }),
    nats: Type.Object(
      {
        servers: Type.Array(
          Type.String({
            pattern: '^((nats|tls)://)?[^\\s/@]+$',
            form: 'an address like tls://host:4222, without user and password',
          }),
          {
            description:
              'NATS servers, one after another until one answers: tls://host:4222. Without TLS only on this machine.',
            default: [],
          },
        ),
        ca: Type.String({
          description: 'PEM file of the authority that certified the servers; empty: the system’s and the hub’s.',
          default: '',
        }),
        certificate: Type.String({
          description: 'PEM file of a certificate to show the servers; empty: the agent’s own.',
          default: '',
        }),
        key: Type.String({ description: 'PEM file of its private key.', default: '' }),
        credentials: Type.String({
          description:
            'File of credentials (.creds) for servers that ask no hub who somebody is; empty: the agent’s certificate opens its own subjects.',
          default: '',
        }),
      },
      { additionalProperties: false, default: {} },
    ),
  },
  { additionalProperties: false, default: {} },
);
export type LinkSettings = Static<typeof LinkConfig>;

/** True for an address on this machine, which alone may do without TLS. */
export function isLocal(server: string): boolean {
  const text = server.includes('://') ? server : `nats://${server}`;
  if (!URL.canParse(text)) return false;
  const { hostname } = new URL(text);
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}

/** What the schema cannot say, one sentence a fault; what it refuses already is left to it. */
export function linkFaults({ transport, nats }: Readonly<Record<string, unknown>>): string[] {
  if (transport !== 'nats' || typeof nats !== 'object' || nats === null) return [];
  const { servers, certificate = '', key = '' } = nats as Readonly<Record<string, unknown>>;
  const named: unknown[] = Array.isArray(servers) ? servers : [];
  const open = named.flatMap((server, index) =>
    typeof server !== 'string' || server.startsWith('tls://') || isLocal(server)
      ? []
      : `link.nats.servers.${index}: ${server} is not on this machine, so it needs TLS: tls://${server.replace('nats://', '')}`,
  );
  const isNone = servers === undefined || (Array.isArray(servers) && servers.length === 0);
  return [
    ...(isNone ? ['link.nats.servers: is missing; name at least one: tls://host:4222'] : []),
    ...open,
    ...((certificate === '') === (key === '') ? [] : ['link.nats: certificate and key belong together']),
  ];
}
