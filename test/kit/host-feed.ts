import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import {
  Kind,
  LogsSchema,
  MetricsSchema,
  TableSchema,
  type AnomalyEventSchema,
  type LedgerSchema,
  type Level,
  type LogTemplateSchema,
  type LossSchema,
} from '#proto/agent/v1/index.ts';
import { SUBJECTS } from '#proto/subjects.ts';
import { createHash, randomUUID } from 'node:crypto';
import type { Bus } from '../../hub/ports/bus.ts';

/** One sample as a test writes it; a gauge without attributes unless it says otherwise. */
export interface FedSample {
  name: string;
  value: number;
  attributes?: Readonly<Record<string, string>>;
  kind?: 'gauge' | 'counter';
}

/** One line as a test writes it. */
export interface FedLine {
  text: string;
  level?: Level;
  source?: string;
  timeMs?: number;
  /** Those of its chunk, and its own. */
  attributes?: Record<string, string>;
  own?: Record<string, string>;
  template?: bigint;
  parameters?: number[];
}

/** What one batch of a host holds. */
export interface FedBatch {
  timeMs: number;
  /** 1 live, 2 filled in later. */
  lane?: 1 | 2;
  samples?: readonly FedSample[];
  lines?: readonly FedLine[];
  templates?: MessageInitShape<typeof LogTemplateSchema>[];
  losses?: MessageInitShape<typeof LossSchema>[];
  ledger?: MessageInitShape<typeof LedgerSchema>;
  anomalies?: MessageInitShape<typeof AnomalyEventSchema>[];
  /** The agent's clock minus the hub's. */
  skewMs?: number;
}

/** A host whose batches reach the services as ingest hands them over. */
export interface HostFeed {
  resource: string;
  /** Resolves when all services have stored the batch. */
  send(batch: FedBatch): Promise<void>;
  /** The last batch once more, as after a lost acknowledgement. */
  resend(): Promise<void>;
}

function tableFor(samples: readonly FedSample[]) {
  const series = samples.map(({ name, kind, attributes = {} }) => ({
    name,
    kind: kind ?? ('gauge' as const),
    attributes: { ...attributes },
  }));
  const wire = series.map((one) => ({ ...one, kind: one.kind === 'counter' ? Kind.COUNTER : Kind.GAUGE }));
  const bytes = toBinary(TableSchema, create(TableSchema, { series: wire }));
  return { id: createHash('sha256').update(bytes).digest().readBigUInt64LE(0), series };
}

/** Enrols a host with an org, without a token and a certificate, and gives what sends for it. */
export async function feedHost(bus: Bus, org: string, name: string, more: { ephemeral?: boolean } = {}) {
  const resource = randomUUID();
  const enrolled = { agent: resource, name, labels: {}, ephemeral: more.ephemeral ?? false };
  await bus.publish(SUBJECTS.agentEnrolled, org, enrolled);
  return feedResource(bus, org, resource);
}

/** Sends for a resource that exists. */
export function feedResource(bus: Bus, org: string, resource: string, epoch = 1n): HostFeed {
  let seq = 0n;
  let last: FedBatch = { timeMs: 0 };
  const publish = async (batch: FedBatch): Promise<void> => {
    const {
      timeMs,
      lane = 1,
      samples = [],
      lines = [],
      templates = [],
      losses = [],
      ledger,
      anomalies = [],
      skewMs = 0,
    } = batch;
    const table = tableFor(samples);
    const blocks =
      samples.length === 0
        ? []
        : [{ table: table.id, timeMs: BigInt(timeMs), values: samples.map(({ value }) => value) }];
    const chunks = lines.map(
      ({ text, level = 2, source = '/var/log/app.log', timeMs: at = timeMs, attributes = {}, own = {}, ...kind }) => ({
        source,
        attributes,
        lines: [{ timeMs: BigInt(at), level, text, truncated: false, attributes: own, ...kind }],
      }),
    );
    await bus.publish(SUBJECTS.batchReceived, org, {
      agent: resource,
      resource,
      epoch,
      lane,
      seq,
      receivedMs: timeMs,
      skewMs,
      tables: samples.length === 0 ? [] : [table],
      metrics: toBinary(MetricsSchema, create(MetricsSchema, { blocks, anomalies })),
      logs: toBinary(
        LogsSchema,
        create(LogsSchema, { chunks, templates, losses, ...(ledger === undefined ? {} : { ledger }) }),
      ),
    });
  };
  return {
    resource,
    send(batch) {
      seq += 1n;
      last = batch;
      return publish(batch);
    },
    resend: () => publish(last),
  };
}
