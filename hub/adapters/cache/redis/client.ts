import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { hostAndPort, serverOf, type RedisConfig } from './config.ts';
import { SCRIPTS, type ScriptClient } from './scripts.ts';

export type Client = (Redis | Cluster) & ScriptClient;

/** Longest pause between two tries to connect: a server that came back is used within this and a handshake. */
const LONGEST_PAUSE_MS = 500;
const CONNECT_MS = 2_000;

const pause = (tries: number): number => Math.min(50 * tries, LONGEST_PAUSE_MS);

function tlsOptions({ ca, certificate, key }: RedisConfig['tls']): ConnectionOptions {
  const read = (path: string): Buffer | undefined => (path === '' ? undefined : readFileSync(path));
  return { ca: read(ca), cert: read(certificate), key: read(key) };
}

/** What every connection to a server has in common. Nothing waits in a queue while the server is away. */
function connection(config: RedisConfig): RedisOptions {
  const server = serverOf(config.url);
  const given = { username: config.username, password: config.password };
  return {
    protocol: 2,
    username: server?.username || given.username || undefined,
    password: server?.password || given.password || undefined,
    db: server?.database ?? 0,
    tls: config.tls.on || server?.tls === true ? tlsOptions(config.tls) : undefined,
    connectionName: 'outrider',
    connectTimeout: CONNECT_MS,
    // A server that took the connection and says nothing more is given up, so that calls fail at once and not one by one.
    socketTimeout: config.timeoutMs,
    commandTimeout: config.timeoutMs,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: pause,
    // After a failover the old primary still answers, as a replica.
    reconnectOnError: (error) => /^READONLY/.test(error.message),
    lazyConnect: true,
  };
}

/** A client of the servers that the settings name; it connects when told to. Reads the files of `tls`. */
export function createClient(config: RedisConfig): Client {
  const options = connection(config);
  const endpoints = (list: readonly string[], port: number) => list.flatMap((one) => hostAndPort(one, port) ?? []);
  if (config.nodes.length > 0) {
    const { retryStrategy: _retryStrategy, lazyConnect: _lazyConnect, ...redisOptions } = options;
    return new Cluster(endpoints(config.nodes, 6379), {
      redisOptions,
      scripts: SCRIPTS,
      enableOfflineQueue: false,
      lazyConnect: true,
      clusterRetryStrategy: pause,
      slotsRefreshTimeout: CONNECT_MS,
      slotsRefreshInterval: 5_000,
    } as ConstructorParameters<typeof Cluster>[1]) as unknown as Client;
  }
  const common: RedisOptions = { ...options, scripts: SCRIPTS, enableOfflineQueue: false };
  if (config.sentinels.length > 0) {
    return new Redis({
      ...common,
      sentinels: endpoints(config.sentinels, 26379),
      name: config.sentinelName,
      sentinelPassword: config.sentinelPassword || undefined,
      sentinelTLS: config.tls.on ? tlsOptions(config.tls) : undefined,
      enableTLSForSentinelMode: config.tls.on,
      sentinelRetryStrategy: pause,
    }) as unknown as Client;
  }
  const server = serverOf(config.url);
  return new Redis({ ...common, host: server?.host, port: server?.port }) as unknown as Client;
}
