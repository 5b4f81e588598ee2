import { readFileSync } from 'node:fs';
import { jetstream, jetstreamManager, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream';
import { connect, credsAuthenticator, type ConnectionOptions, type NatsConnection } from '@nats-io/transport-node';
import { Problem, reasonOf, type Clock, type Logger } from '#sdk';
import {
  isApiError,
  keepStreams,
  placeOf,
  watchConnection,
  watchStreams,
  type StreamKeeper,
  type WantedStream,
} from '../../../jetstream.ts';
import type { NatsConfig } from './config.ts';
import { problems } from './errors.ts';
import type { Names } from './names.ts';

/** Before 2.11 a consumer loses its place when its leader changes while a message is being worked on. */
const LEAST_VERSION = [2, 10] as const;
const DUPLICATES_MS = 120_000;
const NANOS_A_MS = 1_000_000;
const ANSWER_MS = 5_000;

/** An open connection. */
export interface Link {
  nats: NatsConnection;
  js: JetStreamClient;
  manager: JetStreamManager;
  keeper: StreamKeeper;
  /** False while the server is away. */
  isUp(): boolean;
  close(): Promise<void>;
}

function optionsOf(config: NatsConfig): ConnectionOptions {
  const { servers, user, password, token, credentials, ca, certificate, key } = config;
  const file = (path: string): string | undefined => (path === '' ? undefined : path);
  const hasTls = ca !== '' || certificate !== '' || servers.some((server) => server.startsWith('tls://'));
  return {
    servers: [...servers],
    name: 'outrider-hub',
    ...(user === '' ? {} : { user, pass: password }),
    ...(token === '' ? {} : { token }),
    ...(credentials === '' ? {} : { authenticator: credsAuthenticator(new Uint8Array(readFileSync(credentials))) }),
    ...(hasTls ? { tls: { caFile: file(ca), certFile: file(certificate), keyFile: file(key) } } : {}),
    timeout: ANSWER_MS,
    reconnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    pingInterval: 2_000,
    maxPingOut: 2,
    ignoreAuthErrorAbort: true,
  };
}

/** Why a server could not be used, in words. */
function whyNot(error: unknown, place: string): unknown {
  const text = reasonOf(error);
  if (/authorization|authentication|permission/i.test(text))
    return problems.refused(
      `NATS at ${place} refuses the hub (${text}). Look at bus.user, bus.password, bus.token or bus.credentials.`,
      { cause: error },
    );
  if (/certificate|tls|ssl/i.test(text))
    return problems.refused(
      `NATS at ${place}: ${text}. Look at bus.ca, bus.certificate and bus.key, and when the certificate ends.`,
      { cause: error },
    );
  return problems.unavailable(`NATS at ${place} does not answer (${text}). Start it, or mend bus.servers.`, {
    cause: error,
  });
}

async function demandJetStream(nats: NatsConnection, place: string): Promise<JetStreamManager> {
  const version = nats.info?.version ?? '0';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < LEAST_VERSION[0] || (major === LEAST_VERSION[0] && minor < LEAST_VERSION[1]))
    throw problems.unfit(`NATS at ${place} is ${version}; the hub needs ${LEAST_VERSION.join('.')} or newer.`);
  try {
    return await jetstreamManager(nats, { timeout: ANSWER_MS });
  } catch (error) {
    throw problems.unfit(
      `NATS at ${place} has no JetStream for this user (${reasonOf(error)}). Add to its settings: jetstream { store_dir: "/data", sync_interval: always }`,
      { cause: error },
    );
  }
}

/** The server's code for a stream that it has no room for. */
const NO_ROOM = 10047;

/** Streams as the settings want them. */
function wantedStreams(names: Names, config: NatsConfig): WantedStream[] {
  const kept = { storage: 'file', num_replicas: config.replicas, retention: 'limits', discard: 'new' } as const;
  const max_bytes = Math.floor(config.maxGb * 1e9);
  const news = { name: names.stream, subjects: names.streamSubjects, max_bytes };
  const dead = { name: names.deadStream, subjects: names.deadSubjects, max_bytes: Math.floor(max_bytes / 10) };
  return [
    { ...kept, ...news, duplicate_window: DUPLICATES_MS * NANOS_A_MS },
    { ...kept, ...dead },
  ];
}

/** Why the streams could not be had, in words. */
function noStreams(error: unknown, place: string, { maxGb, replicas }: NatsConfig): unknown {
  if (error instanceof Problem) return error;
  const what = isApiError(error, NO_ROOM)
    ? `has no room for ${maxGb} GB of messages; lower bus.maxGb or raise max_file_store of the server`
    : `cannot keep the hub’s streams (${reasonOf(error)}); look at bus.maxGb and bus.replicas (${replicas})`;
  return problems.unfit(`NATS at ${place} ${what}.`, { cause: error });
}

/** Connects, looks whether the server fits, and keeps the streams. Once open it comes back by itself. */
export async function openLink(
  config: NatsConfig,
  names: Names,
  { clock, log }: { clock: Clock; log: Logger },
): Promise<Link> {
  const place = placeOf(config.servers);
  let nats: NatsConnection;
  try {
    nats = await connect(optionsOf(config));
  } catch (error) {
    throw whyNot(error, place);
  }
  const isUp = watchConnection(nats, (up) => {
    if (up) log.info('the bus is back', { place });
    else log.warn('the bus is away; it is tried again', { place });
  });
  try {
    const manager = await demandJetStream(nats, place);
    const streams = wantedStreams(names, config);
    await keepStreams(manager, streams);
    const keeper = watchStreams({ manager, streams, clock, log });
    const close = async (): Promise<void> => {
      keeper.stop();
      await nats.close();
    };
    return { nats, js: jetstream(nats, { timeout: ANSWER_MS }), manager, keeper, isUp, close };
  } catch (error) {
    await nats.close();
    throw noStreams(error, place, config);
  }
}
