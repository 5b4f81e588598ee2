import { readFileSync } from 'node:fs';
import { jetstream, jetstreamManager, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream';
import { connect, nkeyAuthenticator, type ConnectionOptions, type NatsConnection } from '@nats-io/transport-node';
import { EVERY_BATCH } from '#proto/agent/v1/nats.ts';
import type { Clock, Logger } from '#sdk';
import {
  keepStreams,
  placeOf,
  watchConnection,
  watchStreams,
  type StreamKeeper,
  type WantedStream,
} from '../../../jetstream.ts';
import { problems } from '../errors.ts';
import { AGENTS_ACCOUNT, type NatsSeeds } from './keys.ts';
import type { NatsConfig } from './config.ts';

const ANSWER_MS = 5_000;
/** Streams transform subjects from 2.10 on. */
const LEAST_VERSION = [2, 10] as const;
const MEGABYTE = 1024 * 1024;
const NANOS_A_MS = 1_000_000;
const DUPLICATES_MS = 120_000;
/** Batches of one lane of one agent that may wait: more than an hour of seconds; nobody fills the stream alone. */
const WAITING_LIMIT = 5_000;

/** Into how many parts agents are spread; each is worked on one message after another. Never changed once released. */
export const PARTITIONS = 64;
export const STREAM = 'outrider-agents';
export const DEAD_STREAM = 'outrider-agents-dead';
const KEPT = 'outrider.agents';

/** The subject under which the stream keeps a lane of a part. */
export const keptSubject = (partition: number, lane: string): string => `${KEPT}.${partition}.*.*.${lane}`;

/** Whose batch lies under a subject of the stream. */
export function readKept(subject: string): { org: string; agent: string; lane: string } | undefined {
  const [, org, agent, lane] = /^outrider\.agents\.\d+\.([^.]+)\.([^.]+)\.([^.]+)$/.exec(subject) ?? [];
  return org === undefined || agent === undefined || lane === undefined ? undefined : { org, agent, lane };
}

/** Where a batch goes that cannot be stored. */
export const deadSubject = ({ org, agent, lane }: { org: string; agent: string; lane: string }): string =>
  `${DEAD_STREAM}.${org}.${agent}.${lane}`;

/** The hub’s open connections: one among the agents, one in the system account. */
export interface AgentsNats {
  nats: NatsConnection;
  system: NatsConnection;
  js: JetStreamClient;
  manager: JetStreamManager;
  keeper: StreamKeeper;
  /** False while one of the connections reaches no server. */
  isUp(): boolean;
  close(): Promise<void>;
}

function optionsOf({ servers, ca, certificate, key }: NatsConfig, seed: string): ConnectionOptions {
  const read = (path: string): string | undefined => (path === '' ? undefined : readFileSync(path, 'utf8'));
  const hasTls = ca !== '' || certificate !== '' || servers.some((server) => server.startsWith('tls://'));
  return {
    servers: [...servers],
    name: 'outrider-hub',
    authenticator: nkeyAuthenticator(Buffer.from(seed, 'latin1')),
    ...(hasTls ? { tls: { ca: read(ca), cert: read(certificate), key: read(key) } } : {}),
    timeout: ANSWER_MS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    pingInterval: 2_000,
    maxPingOut: 2,
    ignoreAuthErrorAbort: true,
  };
}

function wantedStreams({ maxGb, replicas }: NatsConfig): WantedStream[] {
  const max_bytes = Math.floor(maxGb * 1e9);
  const kept = { storage: 'file', num_replicas: replicas } as const;
  return [
    {
      ...kept,
      name: STREAM,
      subjects: [EVERY_BATCH],
      subject_transform: {
        src: EVERY_BATCH,
        dest: `${KEPT}.{{partition(${PARTITIONS},2)}}.{{wildcard(1)}}.{{wildcard(2)}}.{{wildcard(3)}}`,
      },
      retention: 'workqueue',
      discard: 'new',
      discard_new_per_subject: true,
      max_msgs_per_subject: WAITING_LIMIT,
      max_msg_size: 4 * MEGABYTE,
      max_bytes,
      duplicate_window: DUPLICATES_MS * NANOS_A_MS,
    },
    {
      ...kept,
      name: DEAD_STREAM,
      subjects: [`${DEAD_STREAM}.>`],
      discard: 'old',
      max_bytes: Math.floor(max_bytes / 20),
    },
  ];
}

/** A server that knows no accounts lets everybody in, also the hub, and what is made there no agent would reach. */
async function demandAccount(nats: NatsConnection): Promise<void> {
  const reply = await nats.request('$SYS.REQ.USER.INFO', '', { timeout: ANSWER_MS });
  const { account } = reply.json<{ data?: { account?: string } }>().data ?? {};
  if (account === AGENTS_ACCOUNT) return;
  throw problems.unfitNats('It does not know the agents of this hub: what outrider-hub nats-config prints is missing.');
}

/** Connects and keeps the streams; rejects while the servers are away or do not know the hub yet. Once open it comes back by itself. */
export async function openAgentsNats(
  config: NatsConfig,
  seeds: NatsSeeds,
  { clock, log }: { clock: Clock; log: Logger },
): Promise<AgentsNats> {
  const nats = await connect(optionsOf(config, seeds.hub));
  let system: NatsConnection | undefined;
  try {
    const [major = 0, minor = 0] = (nats.info?.version ?? '').split('.').map(Number);
    if (major < LEAST_VERSION[0] || (major === LEAST_VERSION[0] && minor < LEAST_VERSION[1]))
      throw problems.unfitNats(`It is ${nats.info?.version}; the hub needs ${LEAST_VERSION.join('.')} or newer.`);
    await demandAccount(nats);
    system = await connect(optionsOf(config, seeds.system));
    const manager = await jetstreamManager(nats, { timeout: ANSWER_MS });
    const streams = wantedStreams(config);
    await keepStreams(manager, streams);
    const keeper = watchStreams({ manager, streams, clock, log });
    const place = placeOf(config.servers);
    const told = (now: boolean): void =>
      now
        ? log.info('NATS for agents is back', { place })
        : log.warn('NATS for agents is away; it is tried again', { place });
    const [isAgentsUp, isSystemUp] = [watchConnection(nats, told), watchConnection(system, () => undefined)];
    const isUp = (): boolean => isAgentsUp() && isSystemUp();
    const close = async (): Promise<void> => {
      keeper.stop();
      await Promise.all([nats.close(), system?.close()]);
    };
    return { nats, system, manager, keeper, isUp, js: jetstream(nats, { timeout: ANSWER_MS }), close };
  } catch (error) {
    await Promise.all([nats.close(), system?.close()]);
    throw error;
  }
}
