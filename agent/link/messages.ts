import { create, fromBinary } from '@bufbuild/protobuf';
import {
  AgentMessageSchema,
  BatchSchema,
  Encoding,
  HelloSchema,
  Lane,
  Stream,
  TableSchema,
  type AgentMessage,
  type Batch,
  type Hello,
  type Welcome,
} from '#proto/agent/v1/index.ts';
import { VERSION } from '#sdk';
import type { Lane as SpoolLane, Packing, SpooledBatch } from '../spool/index.ts';
import type { LinkGiven } from './link.ts';

/** The protocol that this agent speaks. */
const PROTOCOL = 1;
const LANE: Record<SpoolLane, Lane> = { live: Lane.LIVE, backfill: Lane.BACKFILL };
const ENCODING: Record<Packing, Encoding> = { gzip: Encoding.GZIP, zstd: Encoding.ZSTD };

/** The kind of stream that carries a lane. */
export const STREAM: Record<SpoolLane, Stream> = { live: Stream.LIVE, backfill: Stream.BACKFILL };

/** A message of the agent of one kind. */
export const agentMessage = (kind: AgentMessage['kind']): AgentMessage => create(AgentMessageSchema, { kind });

/** The spool's name of a lane. */
export const laneOf = (lane: Lane): SpoolLane => (lane === Lane.BACKFILL ? 'backfill' : 'live');

/** What a hub takes that says so of itself: zstd, unless the settings or other hubs behind the transport are against it. */
export function takenBy({ encodings }: Welcome, { compression = 'auto', transport }: LinkGiven): Packing {
  const isWanted = compression === 'zstd' || (compression === 'auto' && !transport.isShared);
  return isWanted && encodings.includes(Encoding.ZSTD) ? 'zstd' : 'gzip';
}

/** What a stream begins with. */
export function helloOf(
  { hostname, labels, inventory, clock }: LinkGiven,
  { epoch, lane }: { epoch: bigint; lane: SpoolLane },
): Hello {
  return create(HelloSchema, {
    protocol: PROTOCOL,
    agentVersion: VERSION,
    epoch,
    clockMs: BigInt(Math.round(clock.now())),
    hostname,
    labels: { ...labels },
    inventory: { ...inventory() },
    stream: STREAM[lane],
  });
}

/** The agent's clock minus the hub's when a batch was put; that of now for one that is older than any measurement. */
function skewOf(batch: SpooledBatch, { spool, skew }: LinkGiven): number | undefined {
  const { epoch, timeMs: wallMs, monotonicMs, skewMs } = batch;
  if (skewMs !== undefined) return skewMs;
  return monotonicMs !== undefined && epoch === spool.epoch ? skew.at({ wallMs, monotonicMs }) : skew.now();
}

/** A batch as it travels, with the tables that the hub does not have from this connection. */
export function batchOf(
  batch: SpooledBatch,
  fresh: readonly (readonly [bigint, Uint8Array])[],
  given: LinkGiven,
): Batch {
  const { epoch, lane, seq, packing, metrics, logs } = batch;
  const skewMs = skewOf(batch, given);
  return create(BatchSchema, {
    epoch,
    lane: LANE[lane],
    seq,
    encoding: ENCODING[packing],
    metrics,
    logs,
    tables: fresh.map(([id, bytes]) => ({ ...fromBinary(TableSchema, bytes), id })),
    ...(skewMs === undefined ? {} : { skewMs: BigInt(Math.round(skewMs)) }),
  });
}
