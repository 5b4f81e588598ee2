import { Type, type Static } from 'typebox';

const file = (description: string) => Type.String({ description, default: '' });

/** Settings of a cache on Redis. One of `url`, `sentinels` and `nodes` says where it is. */
export const RedisConfig = Type.Object({
  url: Type.String({
    description: 'One server: redis://user:password@host:6379/0, or rediss:// for TLS.',
    secret: true,
    default: '',
  }),
  sentinels: Type.Array(Type.String(), {
    description: 'Sentinels that know which server is the primary, each host:port.',
    default: [],
  }),
  sentinelName: Type.String({ description: 'Name under which the sentinels know the primary.', default: 'mymaster' }),
  sentinelPassword: Type.String({ description: 'Password of the sentinels.', secret: true, default: '' }),
  nodes: Type.Array(Type.String(), {
    description: 'Some nodes of a Redis Cluster, each host:port; the others are found through them.',
    default: [],
  }),
  username: Type.String({ description: 'User of the servers; empty is the default user.', default: '' }),
  password: Type.String({ description: 'Password of the servers.', secret: true, default: '' }),
  prefix: Type.String({
    description: 'What every key begins with, so that several hubs may share a server.',
    default: 'outrider:',
  }),
  timeoutMs: Type.Integer({
    description: 'Milliseconds within which a command must be answered.',
    default: 2_000,
    minimum: 50,
    maximum: 30_000,
  }),
  tls: Type.Object(
    {
      on: Type.Boolean({
        description: 'Speak TLS with sentinels and nodes; rediss:// does so by itself.',
        default: false,
      }),
      ca: file('PEM file of the authority that certified the servers; empty means the system’s.'),
      certificate: file('PEM file of the hub’s own certificate, for servers that ask for one.'),
      key: file('PEM file of its private key.'),
    },
    { additionalProperties: false, default: {} },
  ),
});
export type RedisConfig = Static<typeof RedisConfig>;

const HELP = 'Write redis://user:password@host:6379/0';

/** Host and port of `host:port`, `[::1]:port` or `host`; undefined when it is neither. */
export function hostAndPort(text: string, otherwise: number): { host: string; port: number } | undefined {
  if (!URL.canParse(`redis://${text}`)) return undefined;
  const { hostname, port, pathname, search, username, password, hash } = new URL(`redis://${text}`);
  if (hostname === '' || `${pathname}${search}${username}${password}${hash}`.replace(/^\/$/, '') !== '')
    return undefined;
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? otherwise : Number(port) };
}

/** A URL of one server, taken apart; undefined when it is none. */
export function serverOf(url: string) {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, port, pathname, username, password } = new URL(url);
  const database = pathname.replace(/^\//, '');
  if (!/^rediss?:$/.test(protocol) || hostname === '' || !/^\d*$/.test(database)) return undefined;
  return {
    tls: protocol === 'rediss:',
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? 6379 : Number(port),
    database: Number(database),
    username: decodeURIComponent(username),
    password: decodeURIComponent(password),
  };
}

/** Where the cache is, without its secrets. */
export function addressOf({ url, sentinels, sentinelName, nodes }: RedisConfig): string {
  if (sentinels.length > 0) return `${sentinelName} of the sentinels ${sentinels.join(', ')}`;
  if (nodes.length > 0) return `the cluster ${nodes.join(', ')}`;
  const server = serverOf(url);
  return server === undefined ? 'no address' : `${server.host}:${server.port}`;
}

/** What is wrong with the settings, a sentence each. */
export function faultsOf({ url, sentinels, nodes, prefix, tls, sentinelName }: RedisConfig): string[] {
  const faults: string[] = [];
  const places = [url !== '', sentinels.length > 0, nodes.length > 0].filter(Boolean).length;
  if (places === 0) faults.push(`cache.url: is missing, and so are cache.sentinels and cache.nodes. ${HELP}`);
  if (places > 1) faults.push('cache: give one of cache.url, cache.sentinels and cache.nodes, not several');
  if (url !== '' && serverOf(url) === undefined) faults.push(`cache.url: is no address of a Redis server. ${HELP}`);
  for (const [name, list] of Object.entries({ sentinels, nodes }))
    for (const text of list.filter((one) => hostAndPort(one, 1) === undefined))
      faults.push(`cache.${name}: "${text.replace(/.*@/, '***@')}" is no host:port`);
  if (sentinels.length > 0 && sentinelName === '') faults.push('cache.sentinelName: is missing');
  if (/[{}\s]/.test(prefix)) faults.push('cache.prefix: must have no braces and no white space');
  if ((tls.certificate === '') !== (tls.key === '')) faults.push('cache.tls: certificate and key go together');
  return faults;
}
