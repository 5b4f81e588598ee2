import { create, fromBinary } from '@bufbuild/protobuf';
import {
  AgentMessageSchema,
  BatchSchema,
  Encoding,
  HelloSchema,
  Lane,
  RenewSchema,
  Stream,
  TableSchema,
  type AgentMessage,
  type Batch,
  type Hello,
  type HubMessage,
  type Refusal,
  type Rejected,
} from '#proto/agent/v1/index.ts';
import { VERSION, type Clock } from '#sdk';
import type { BatchKey, Lane as SpoolLane, Spool, SpooledBatch } from '../spool/index.ts';
import type { Identity } from './identity.ts';
import type { LinkGiven, LinkState } from './link.ts';
import type { RefusedBatches } from './refused-batches.ts';
import { createRenewal } from './renewal.ts';
import { createWindow } from './window.ts';

/** The protocol that this agent speaks. */
const PROTOCOL = 1;
/** A hub that says nothing for this long after a hello is given up. */
const WELCOME_MS = 20_000;
/** How often a quiet connection looks whether its certificate is due. */
const QUIET_MS = 60_000;

const message = (kind: AgentMessage['kind']): AgentMessage => create(AgentMessageSchema, { kind });

/** How one connection ended. */
export interface Ending {
  reason: string;
  /** False: the hub said that trying again unchanged will not help. */
  retry: boolean;
  /** True when the stream was welcomed, so that the next try comes soon. */
  welcomed: boolean;
}

function helloOf({ hostname, labels, inventory }: LinkGiven, epoch: bigint, clockMs: number): Hello {
  return create(HelloSchema, {
    protocol: PROTOCOL,
    agentVersion: VERSION,
    epoch,
    clockMs: BigInt(Math.round(clockMs)),
    hostname,
    labels: { ...labels },
    inventory: { ...inventory() },
  });
}

const LANE: Record<SpoolLane, Lane> = { live: Lane.LIVE, backfill: Lane.BACKFILL };

function batchOf(
  { epoch, lane, seq, metrics, logs }: SpooledBatch,
  fresh: readonly (readonly [bigint, Uint8Array])[],
): Batch {
  return create(BatchSchema, {
    epoch,
    lane: LANE[lane],
    seq,
    encoding: Encoding.GZIP,
    metrics,
    logs,
    tables: fresh.map(([id, bytes]) => ({ ...fromBinary(TableSchema, bytes), id })),
  });
}

/** What the connections of one link have in common. */
export interface Connecting extends LinkGiven {
  current(): Identity;
  renewed(identity: Identity): void;
  state: LinkState;
  refused: RefusedBatches;
  /** Hears of a batch that was acknowledged and cannot be stored at the hub. */
  rejected(batch: Rejected): void;
  /** Aborts when everything that the spool holds should be sent and then no more. */
  finishing: AbortSignal;
  /** Aborts when the connection must end now. */
  ending: AbortSignal;
}

/** Something that happened, for those who wait for it. */
function createNews(clock: Clock) {
  let wake = (): void => undefined;
  let changed = new Promise<void>((resolve) => (wake = resolve));
  return {
    tell(): void {
      const waking = wake;
      changed = new Promise((resolve) => (wake = resolve));
      waking();
    },
    /** Resolves at the next news, when `other` does, or after `ms`. */
    async wait(ms: number, other?: Promise<void>): Promise<void> {
      const enough = new AbortController();
      await Promise.race([changed, clock.sleep(ms, enough.signal), ...(other === undefined ? [] : [other])]);
      enough.abort();
    },
  };
}

/** The hub's own words know neither the folder of this agent nor its command. */
const removed = (dataFolder: string): string =>
  `an administrator removed this agent from the hub. To bring it back, get a new join token, stop the agent, and run: outrider-agent enroll --force --data ${dataFolder}`;

/** What a refusal means for the next try. A batch that holds up everything behind it is given up after some. */
function judge(
  { spool, refused, dataFolder }: Connecting,
  refusal: Refusal,
  name: BatchKey | undefined,
): Omit<Ending, 'welcomed'> {
  const { detail, code, retry } = refusal;
  const reason = code === 'ingest.revoked' ? removed(dataFolder) : detail;
  if (name === undefined || !refused.isHopeless(name, code)) return { reason, retry };
  const reader = spool.reader(name.epoch === spool.epoch ? name.lane : 'backfill');
  const batch = reader.next();
  reader.close();
  if (batch?.epoch !== name.epoch || batch.lane !== name.lane || batch.seq !== name.seq) return { reason, retry };
  spool.giveUp(batch, reason);
  return { reason, retry: true };
}

/**
 * What one connection sends, all of it of one epoch: first what earlier epochs left, each by a connection of its own,
 * then live batches, and back-fill while there is no live one.
 */
function openQueue(spool: Spool) {
  const [live, backfill] = [spool.reader('live'), spool.reader('backfill')];
  let old = backfill.next();
  const epoch = old?.epoch ?? spool.epoch;
  const isCurrent = epoch === spool.epoch;
  return {
    epoch,
    /** The next batch; undefined while there is none. */
    next(): SpooledBatch | undefined {
      const fresh = isCurrent ? live.next() : undefined;
      if (fresh !== undefined) return fresh;
      const next = old ?? backfill.next();
      const isForeign = next !== undefined && next.epoch !== epoch;
      old = isForeign ? next : undefined;
      return isForeign ? undefined : next;
    },
    /** True when there is no next one and never will be. */
    isOver: () => !isCurrent || spool.epoch !== epoch,
    close(): void {
      live.close();
      backfill.close();
    },
  };
}

/** One connection: says hello, sends batches of one epoch in order, and takes acknowledgements. Resolves when it has ended. */
export async function connect(given: Connecting): Promise<Ending> {
  const { spool, clock, state, finishing, ending } = given;
  const news = createNews(clock);
  const window = createWindow();
  const renewal = createRenewal(given);
  const tables = new Set<bigint>();
  const helloMs = clock.now();
  let refusal: Refusal | undefined;
  let isWelcome = false;
  let ended: string | undefined;
  const isOver = (): boolean => ended !== undefined || refusal !== undefined || ending.aborted;

  const received = ({ kind }: HubMessage): void => {
    if (kind.case === 'welcome') {
      isWelcome = true;
      // The hub looked at its clock about half way between our hello and now.
      const skewMs = (helloMs + clock.now()) / 2 - Number(kind.value.clockMs);
      Object.assign(state, { connected: true, reason: '', skewMs });
      spool.acknowledge({ epoch, lane: 'live', seq: kind.value.ackedLive });
      spool.acknowledge({ epoch, lane: 'backfill', seq: kind.value.ackedBackfill });
    } else if (kind.case === 'ack' && kind.value.epoch === epoch) {
      const { lane: number, seq } = kind.value;
      const lane = number === Lane.BACKFILL ? 'backfill' : 'live';
      Object.assign(state, { lastAckMs: clock.now(), acknowledged: seq });
      window.acknowledge(lane, seq);
      spool.acknowledge({ epoch, lane, seq });
    } else if (kind.case === 'certificate') renewal.take(kind.value.chain);
    else if (kind.case === 'refusal') refusal = kind.value;
    else if (kind.case === 'rejected') given.rejected(kind.value);
    news.tell();
  };
  const wire = await given.transport.open(given.current(), Stream.UNSPECIFIED, received);
  const queue = openQueue(spool);
  const { epoch } = queue;
  let next: SpooledBatch | undefined;

  const send = async (batch: SpooledBatch): Promise<void> => {
    const fresh = [...batch.tables].filter(([id]) => !tables.has(id));
    for (const [id] of fresh) tables.add(id);
    window.add({ lane: batch.lane, seq: batch.seq, bytes: batch.metrics.length + batch.logs.length });
    if (!wire.send(message({ case: 'batch', value: batchOf(batch, fresh) }))) await wire.drained();
  };
  /** Sends until the stream ends or batches of another epoch come; those need a hello of their own. */
  const pump = async (): Promise<void> => {
    while (!isOver()) {
      const publicKey = await renewal.wish();
      if (publicKey !== undefined) wire.send(message({ case: 'renew', value: create(RenewSchema, { publicKey }) }));
      const appended = spool.appended();
      next ??= queue.next();
      if (next !== undefined && !window.isFull()) {
        await send(next);
        next = undefined;
      } else if (next === undefined && window.oldest() === undefined && (queue.isOver() || finishing.aborted)) return;
      else await news.wait(QUIET_MS, next === undefined ? appended : undefined);
    }
  };

  void wire.ended.then((reason) => {
    ended = reason;
    news.tell();
  });
  for (const signal of [finishing, ending]) signal.addEventListener('abort', news.tell);
  try {
    wire.send(message({ case: 'hello', value: helloOf(given, epoch, helloMs) }));
    const late = clock.monotonic() + WELCOME_MS;
    while (!isWelcome && !isOver() && clock.monotonic() < late) await news.wait(late - clock.monotonic());
    if (isWelcome) await pump();
  } finally {
    for (const signal of [finishing, ending]) signal.removeEventListener('abort', news.tell);
    queue.close();
    wire.close();
    state.connected = false;
  }
  const oldest = window.oldest();
  const name = oldest && { epoch, lane: oldest.lane, seq: oldest.seq };
  if (refusal !== undefined) return { ...judge(given, refusal, name), welcomed: isWelcome };
  return { reason: ended ?? (isWelcome ? '' : 'the hub did not answer'), retry: true, welcomed: isWelcome };
}
