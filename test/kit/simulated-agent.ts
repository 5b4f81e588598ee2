import { createHash, generateKeyPairSync } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import {
  AgentMessageSchema,
  type AnomalyEventSchema,
  BatchSchema,
  Encoding,
  HelloSchema,
  HubMessageSchema,
  Kind,
  Lane,
  LogsSchema,
  MetricsSchema,
  SettingsReportSchema,
  SettingsState,
  Stream,
  TableSchema,
  type AgentMessage,
  type HubMessage,
  type Level,
  type PushedSettings,
  type Table,
} from '#proto/agent/v1/index.ts';
import { digestOf } from '#proto/agent/v1/pushed-digest.ts';
import { HUB_SERVER_NAME, type EnrolReply } from '#proto/enrolment.ts';
import { until } from './programs.ts';

/** What a simulated agent got at its enrolment. */
export interface SimulatedIdentity extends EnrolReply {
  key: string;
}

/** Enrols as a real agent does, with a join token. */
export async function enrolSimulated(hubUrl: string, token: string, hostname: string): Promise<SimulatedIdentity> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const reply = await fetch(`${hubUrl}/api/v1/agents/enroll`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token, hostname, publicKey: publicKey.export({ type: 'spki', format: 'pem' }) }),
  });
  if (!reply.ok) throw new Error(`enrolment answered ${reply.status}: ${await reply.text()}`);
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  return { ...((await reply.json()) as EnrolReply), key: key.toString() };
}

const CONNECT = '/outrider.agent.v1.Link/Connect';

/** An open stream. `received` gets every message of the hub; `ended` resolves when the stream is over, with its reason. */
export interface SimulatedStream {
  /** Sends a message, or bytes that need not be one. */
  send(message: AgentMessage | Uint8Array): boolean;
  ended: Promise<string>;
  close(): void;
}

/** What is unusual about a stream's beginning. */
export interface HelloOptions {
  protocol?: number;
  clockMs?: number;
  stream?: Stream;
  /** Says nothing by itself. */
  silent?: boolean;
}

/** Opens a stream with an identity and says hello. */
export function openSimulated(
  identity: Pick<SimulatedIdentity, 'ca' | 'key' | 'certificate' | 'link' | 'resourceName'>,
  epoch: bigint,
  received: (message: HubMessage) => void,
  { protocol = 1, clockMs = Date.now(), stream: kind = Stream.UNSPECIFIED, silent = false }: HelloOptions = {},
): SimulatedStream {
  const credentials = grpc.credentials.createSsl(
    Buffer.from(identity.ca),
    Buffer.from(identity.key),
    Buffer.from(identity.certificate),
  );
  const client = new grpc.Client(identity.link, credentials, { 'grpc.ssl_target_name_override': HUB_SERVER_NAME });
  const stream = client.makeBidiStreamRequest<AgentMessage | Uint8Array, HubMessage>(
    CONNECT,
    (message) => Buffer.from(message instanceof Uint8Array ? message : toBinary(AgentMessageSchema, message)),
    (bytes) => fromBinary(HubMessageSchema, bytes),
  );
  const ended = new Promise<string>((resolve) => {
    stream.on('error', (error) => resolve(error.message));
    stream.on('end', () => resolve('end'));
  });
  stream.on('data', received);
  const hello = create(HelloSchema, {
    protocol,
    agentVersion: 'simulated',
    epoch,
    clockMs: BigInt(clockMs),
    hostname: identity.resourceName,
    stream: kind,
  });
  if (!silent) stream.write(create(AgentMessageSchema, { kind: { case: 'hello', value: hello } }));
  return {
    send: (message) => stream.write(message),
    ended,
    close() {
      stream.end();
      client.close();
    },
  };
}

/** An agent that says what a test wants of the settings that it gets. */
export interface SettingsAgent {
  /** What it got, oldest first. */
  pushed: readonly PushedSettings[];
  /** Says what became of settings; undefined: it has none. */
  say(of: PushedSettings | undefined, state: SettingsState, why?: readonly [code: string, problem: string]): void;
  close(): void;
}

/** Opens a stream that says, once it is welcome, that it has no settings of the hub. */
export async function openSettingsAgent(identity: SimulatedIdentity): Promise<SettingsAgent> {
  const pushed: PushedSettings[] = [];
  let welcome = false;
  const stream = openSimulated(identity, 7n, ({ kind }) => {
    if (kind.case === 'settings') pushed.push(kind.value);
    if (kind.case === 'welcome') welcome = true;
  });
  const say: SettingsAgent['say'] = (of, state, [code, problem] = ['', '']) => {
    const [revision, digest] = of === undefined ? [0n, ''] : [of.revision, digestOf(of.document)];
    const value = create(SettingsReportSchema, { revision, digest, state, code, problem });
    stream.send(create(AgentMessageSchema, { kind: { case: 'settings', value } }));
  };
  await until('the hub welcomes the agent', () => welcome || undefined);
  say(undefined, SettingsState.APPLIED);
  return { pushed, say, close: () => stream.close() };
}

/** A gauge with attributes of its own. */
export interface SimulatedSeries {
  name: string;
  attributes: Readonly<Record<string, string>>;
}

/** A table of gauges with these names (one series each) and its id. */
export function tableOf(
  names: readonly (string | SimulatedSeries)[],
  attributes: Readonly<Record<string, string>> = {},
): Table {
  const series = names.map((one) => ({ kind: Kind.GAUGE, ...(typeof one === 'string' ? { name: one, attributes } : one) })); // prettier-ignore
  const table = create(TableSchema, { series });
  const id = createHash('sha256').update(toBinary(TableSchema, table)).digest().readBigUInt64LE(0);
  return { ...table, id };
}

/** What goes into one batch. */
export interface SimulatedBatch {
  epoch: bigint;
  seq: bigint;
  timeMs: number;
  table: Table;
  values: readonly number[];
  /** Rows of the table before this one. */
  before?: readonly { timeMs: number; values: readonly number[] }[];
  lines?: readonly string[];
  anomalies?: MessageInitShape<typeof AnomalyEventSchema>[];
  level?: Level;
  withTable: boolean;
  lane?: Lane;
  /** The agent's clock minus the hub's. */
  skewMs?: number;
}

/** One batch, encoded as agents do. */
export function batchMessage(batch: SimulatedBatch): AgentMessage {
  const blocks = [...(batch.before ?? []), batch].map(({ timeMs, values }) => ({
    ...{ table: batch.table.id, timeMs: BigInt(timeMs), values: [...values] },
  }));
  const metrics = toBinary(MetricsSchema, create(MetricsSchema, { blocks, anomalies: batch.anomalies ?? [] }));
  const lines = (batch.lines ?? []).map((text) => ({
    timeMs: BigInt(batch.timeMs),
    level: batch.level ?? 2,
    text,
    truncated: false,
  }));
  const logs =
    lines.length === 0
      ? new Uint8Array()
      : toBinary(LogsSchema, create(LogsSchema, { chunks: [{ source: '/var/log/app.log', lines }] }));
  const value = create(BatchSchema, {
    epoch: batch.epoch,
    lane: batch.lane ?? Lane.LIVE,
    seq: batch.seq,
    encoding: Encoding.GZIP,
    metrics: gzipSync(metrics, { level: 1 }),
    logs: logs.length === 0 ? logs : gzipSync(logs, { level: 1 }),
    tables: batch.withTable ? [batch.table] : [],
    ...(batch.skewMs === undefined ? {} : { skewMs: BigInt(batch.skewMs) }),
  });
  return create(AgentMessageSchema, { kind: { case: 'batch', value } });
}
