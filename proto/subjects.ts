import type { Lane } from '#proto/agent/v1/index.ts';

/** A clock that is off by less is left alone: samples stay on their second. */
const TOLERATED_MS = 500;
/** Corrections are rounded to this, so that a batch that comes again is put right by the same. */
const GRAIN_MS = 100;

/** What is to be taken off the times of a batch whose agent's clock was off by `skewMs`. */
export function shiftOf(skewMs: number): number {
  return Math.abs(skewMs) < TOLERATED_MS ? 0 : Math.round(skewMs / GRAIN_MS) * GRAIN_MS;
}

/** A kind of news: its name on the bus and how it becomes bytes where it must. */
export interface Subject<Payload> {
  name: string;
  /** Messages of one key are handed out one after another, in the order in which they were published. */
  key(payload: Payload): string;
  /** Over how many lanes the keys are spread on a bus between processes; never changed once released. */
  lanes: number;
  /** What tells a message that is published twice from two messages; absent when every one counts. */
  id?(payload: Payload): string;
  encode(payload: Payload): Uint8Array;
  decode(data: Uint8Array): Payload;
}

/** JSON in which a bigint is a text that begins with `$`, as in `"$123"`; a text that begins so by itself has it twice. */
function jsonSubject<Payload>(name: string): Subject<Payload> {
  return {
    name,
    key: () => '',
    lanes: 1,
    encode: (payload) =>
      Buffer.from(
        JSON.stringify(payload, (_key, value: unknown) =>
          typeof value === 'bigint' || (typeof value === 'string' && value.startsWith('$')) ? `$${value}` : value,
        ),
      ),
    decode: (data) =>
      JSON.parse(Buffer.from(data).toString('utf8'), (_key, value: unknown) => {
        if (typeof value !== 'string' || !value.startsWith('$')) return value;
        return value.startsWith('$$') ? value.slice(1) : BigInt(value.slice(1));
      }) as Payload,
  };
}

/** A table that a batch uses, as the agent sent it. */
export interface ReceivedTable {
  id: bigint;
  series: readonly { name: string; kind: 'gauge' | 'counter'; attributes: Readonly<Record<string, string>> }[];
}

/** A batch that ingest accepted: bounded, decompressed, not yet durable. */
export interface BatchReceived {
  agent: string;
  resource: string;
  epoch: bigint;
  lane: Lane;
  seq: bigint;
  /** The hub's clock when it arrived, milliseconds. */
  receivedMs: number;
  /** The agent's clock minus the hub's when the batch was collected, milliseconds; 0 when it is not known. The times inside are the agent's own: see `shiftOf`. */
  skewMs: number;
  tables: readonly ReceivedTable[];
  /** An encoded `Metrics` message, not compressed. Empty when there is none. */
  metrics: Uint8Array;
  /** An encoded `Logs` message, not compressed. Empty when there is none. */
  logs: Uint8Array;
}

/** An agent got its first certificate. Monitoring makes its resource, with the agent's id. */
export interface AgentEnrolled {
  agent: string;
  name: string;
  labels: Readonly<Record<string, string>>;
  ephemeral: boolean;
}

/** An agent opened or lost its stream. */
export interface AgentConnection {
  agent: string;
  connected: boolean;
  atMs: number;
  version: string;
  inventory: Readonly<Record<string, string>>;
}

/** A resource and all its data go away. Every owner of data about it deletes it; ingest revokes its agent. */
export interface ResourceDeleted {
  resource: string;
}

/** A person chose a new password. */
export interface PasswordChanged {
  user: string;
}

/** A rule began to fire, was resolved, or a test was asked for. */
export interface AlertChanged {
  /** The firing's id; the same for firing and resolved. */
  firing: string;
  rule: string;
  ruleName: string;
  state: 'firing' | 'resolved';
  severity: 'info' | 'warning' | 'critical';
  resource: string;
  resourceName: string;
  metric: string;
  /** Attributes of the series that crossed the threshold. */
  attributes: Readonly<Record<string, string>>;
  value: number;
  threshold: number;
  operator: string;
  unit: string;
  startedMs: number;
  atMs: number;
  /** One line that says what and where. */
  title: string;
  text: string;
  /** Names of the org's channels to tell; empty means all enabled ones. */
  channels: readonly string[];
}

/** Bytes inside, so the binary form is length-prefixed JSON followed by the two messages. */
const batches = (name: string, lanes: number): Subject<BatchReceived> => ({
  name,
  key: ({ agent }) => agent,
  lanes,
  id: ({ agent, epoch, lane, seq }) => `${agent}:${epoch}:${lane}:${seq}`,
  encode({ metrics, logs, ...head }) {
    const json = jsonSubject<typeof head>('').encode(head);
    const sizes = Buffer.alloc(8);
    sizes.writeUInt32LE(json.length, 0);
    sizes.writeUInt32LE(metrics.length, 4);
    return Buffer.concat([sizes, json, metrics, logs]);
  },
  decode(data) {
    const view = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const headEnd = 8 + view.readUInt32LE(0);
    const metricsEnd = headEnd + view.readUInt32LE(4);
    const head = jsonSubject<Omit<BatchReceived, 'metrics' | 'logs'>>('').decode(view.subarray(8, headEnd));
    return { ...head, metrics: view.subarray(headEnd, metricsEnd), logs: view.subarray(metricsEnd) };
  },
});

/** Every subject of the bus: `<service>.<noun>-<past>`, the service that publishes first. */
export const SUBJECTS = {
  batchReceived: batches('ingest.batch-received', 32),
  backfillReceived: batches('ingest.backfill-received', 16),
  agentEnrolled: jsonSubject<AgentEnrolled>('ingest.agent-enrolled'),
  agentConnection: jsonSubject<AgentConnection>('ingest.agent-connection-changed'),
  resourceDeleted: jsonSubject<ResourceDeleted>('monitoring.resource-deleted'),
  passwordChanged: jsonSubject<PasswordChanged>('users.password-changed'),
  alertChanged: jsonSubject<AlertChanged>('monitoring.alert-changed'),
} as const;

/** Batches come as two kinds of news, so that back-fill of many agents after an outage does not stand before what happens now. */
export const BATCH_SUBJECTS = [SUBJECTS.batchReceived, SUBJECTS.backfillReceived] as const;
