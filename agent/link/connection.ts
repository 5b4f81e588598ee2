import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { create, fromBinary } from '@bufbuild/protobuf';
import {
  AgentMessageSchema,
  BatchSchema,
  Encoding,
  HelloSchema,
  Lane,
  RenewSchema,
  TableSchema,
  type AgentMessage,
  type Batch,
  type Hello,
  type HubMessage,
  type Refusal,
} from '#proto/agent/v1/index.ts';
import { VERSION, type Clock } from '#sdk';
import type { SpooledBatch } from '../spool/index.ts';
import { isDueForRenewal, type Identity } from './identity.ts';
import type { LinkGiven, LinkState } from './link.ts';
import { openWire, type Wire } from './wire.ts';

/** The protocol that this agent speaks. */
const PROTOCOL = 1;
/** Batches, and their bytes, that may be under way unacknowledged. */
const WINDOW = 32;
const WINDOW_BYTES = 8_000_000;
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

const makeKeys = promisify(generateKeyPair);

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

function batchOf(
  { epoch, seq, metrics, logs }: SpooledBatch,
  fresh: readonly (readonly [bigint, Uint8Array])[],
): Batch {
  return create(BatchSchema, {
    epoch,
    lane: Lane.LIVE,
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

/** Batches that were sent and not acknowledged. */
function createWindow() {
  const sent: { seq: bigint; bytes: number }[] = [];
  let bytes = 0;
  return {
    isFull: () => sent.length >= WINDOW || bytes > WINDOW_BYTES,
    isEmpty: () => sent.length === 0,
    add(seq: bigint, size: number): void {
      sent.push({ seq, bytes: size });
      bytes += size;
    },
    acknowledge(seq: bigint): void {
      for (let [oldest] = sent; oldest !== undefined && oldest.seq <= seq; [oldest] = sent) {
        bytes -= oldest.bytes;
        sent.shift();
      }
    },
  };
}

/** Asks for a new certificate when the old one is due, with a key that exists nowhere else; one wish at a time. */
function createRenewal({ current, renewed, clock }: Connecting) {
  let key: string | undefined;
  return {
    async ask(wire: Wire): Promise<void> {
      if (key !== undefined || !isDueForRenewal(current(), clock.now())) return;
      const { publicKey, privateKey } = await makeKeys('ec', { namedCurve: 'P-256' });
      key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      const value = create(RenewSchema, { publicKey: publicKey.export({ type: 'spki', format: 'der' }) });
      wire.send(message({ case: 'renew', value }));
    },
    take(chain: string): void {
      if (key === undefined) return;
      renewed({ ...current(), key, certificate: chain });
      key = undefined;
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
  const reader = spool.reader();
  let next = reader.next();
  const epoch = next?.epoch ?? spool.epoch;
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
      spool.acknowledge(kind.value.ackedLive, epoch);
    } else if (kind.case === 'ack' && kind.value.epoch === epoch) {
      Object.assign(state, { lastAckMs: clock.now(), acknowledged: kind.value.seq });
      window.acknowledge(kind.value.seq);
      spool.acknowledge(kind.value.seq, epoch);
    } else if (kind.case === 'certificate') renewal.take(kind.value.chain);
    else if (kind.case === 'refusal') refusal = kind.value;
    news.tell();
  };
  const wire = openWire(given.current(), received);

  const send = async (batch: SpooledBatch): Promise<void> => {
    const fresh = [...batch.tables].filter(([id]) => !tables.has(id));
    for (const [id] of fresh) tables.add(id);
    window.add(batch.seq, batch.metrics.length + batch.logs.length);
    if (!wire.send(message({ case: 'batch', value: batchOf(batch, fresh) }))) await wire.drained();
  };
  /** Sends until the stream ends or batches of another epoch come; those need a hello of their own. */
  const pump = async (): Promise<void> => {
    while (!isOver()) {
      await renewal.ask(wire);
      const appended = spool.appended();
      next ??= reader.next();
      const isForeign = next !== undefined && next.epoch !== epoch;
      if (next !== undefined && !isForeign && !window.isFull()) {
        await send(next);
        next = undefined;
      } else if (window.isEmpty() && (isForeign || (next === undefined && finishing.aborted))) return;
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
    reader.close();
    wire.close();
    state.connected = false;
  }
  if (refusal !== undefined) return { reason: refusal.detail, retry: refusal.retry, welcomed: isWelcome };
  return { reason: ended ?? (isWelcome ? '' : 'the hub did not answer'), retry: true, welcomed: isWelcome };
}
