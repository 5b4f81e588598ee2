import { generateKeyPairSync } from 'node:crypto';
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
  type HubMessage,
} from '#proto/agent/v1/index.ts';
import { VERSION, type Clock, type Logger } from '#sdk';
import type { Spool, SpooledBatch, SpoolReader } from '../spool/index.ts';
import { createBackoff } from './backoff.ts';
import { isDueForRenewal, keepIdentity, type Identity } from './identity.ts';
import { openWire, type Wire } from './wire.ts';

/** The protocol that this agent speaks. */
const PROTOCOL = 1;
/** Batches, and their bytes, that may be under way unacknowledged. */
const WINDOW = 32;
const WINDOW_BYTES = 8_000_000;
/** After a refusal that trying again will not help, milliseconds. */
const REFUSED_MS = 60_000;
/** Without anything to send, the certificate is looked at this often, milliseconds. */
const IDLE_MS = 60_000;
/** A hub that says nothing for this long after a hello is given up. */
const WELCOME_MS = 20_000;

/** What the link tells others. */
export interface LinkState {
  connected: boolean;
  /** What keeps it from being connected, in words; empty when nothing does. */
  reason: string;
  hub: string;
  lastAckMs: number | undefined;
  acknowledged: bigint;
  /** The agent's clock minus the hub's, milliseconds. */
  skewMs: number;
}

/** What the link stands on. */
export interface LinkGiven {
  identity: Identity;
  dataFolder: string;
  spool: Spool;
  clock: Clock;
  log: Logger;
  hostname: string;
  labels: Readonly<Record<string, string>>;
  inventory(): Readonly<Record<string, string>>;
}

/** Sends what the spool holds, for ever. */
export interface Link {
  start(): void;
  stop(): Promise<void>;
  state(): Readonly<LinkState>;
}

const message = (kind: AgentMessage['kind']): AgentMessage => create(AgentMessageSchema, { kind });

/** How one connection ended. */
interface Ending {
  reason: string;
  /** False: the hub said that trying again unchanged will not help. */
  retry: boolean;
  /** True when the stream was welcomed, so that the next try comes soon. */
  welcomed: boolean;
}

/** One connection: says hello, sends batches of one epoch in order, and takes acknowledgements. */
function createConnection(
  given: LinkGiven,
  identity: Identity,
  state: LinkState,
  renewed: (identity: Identity) => void,
) {
  const { spool, clock, log } = given;
  const sent: { seq: bigint; bytes: number }[] = [];
  const tables = new Set<bigint>();
  let refusal: { code: string; detail: string; retry: boolean } | undefined;
  let welcomed = false;
  let pendingKey: string | undefined;
  let wake: () => void = () => undefined;
  let changed = new Promise<void>((resolve) => (wake = resolve));
  const note = (): void => {
    const waking = wake;
    changed = new Promise((resolve) => (wake = resolve));
    waking();
  };

  const received = ({ kind }: HubMessage): void => {
    if (kind.case === 'welcome') {
      welcomed = true;
      state.connected = true;
      state.reason = '';
      state.skewMs = clock.now() - Number(kind.value.clockMs);
      spool.acknowledge(kind.value.ackedLive);
    } else if (kind.case === 'ack') {
      state.lastAckMs = clock.now();
      state.acknowledged = kind.value.seq;
      while (sent[0] !== undefined && sent[0].seq <= kind.value.seq) sent.shift();
      spool.acknowledge(kind.value.seq);
    } else if (kind.case === 'certificate' && pendingKey !== undefined) {
      const next = { ...identity, key: pendingKey, certificate: kind.value.chain };
      keepIdentity(given.dataFolder, next);
      pendingKey = undefined;
      log.info('the certificate was renewed');
      renewed(next);
    } else if (kind.case === 'refusal') {
      refusal = kind.value;
    }
    note();
  };

  const renew = (wire: Wire): void => {
    if (pendingKey !== undefined || !isDueForRenewal(identity, clock.now())) return;
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    pendingKey = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const value = create(RenewSchema, { publicKey: publicKey.export({ type: 'spki', format: 'der' }) });
    wire.send(message({ case: 'renew', value }));
  };

  const send = async (wire: Wire, batch: SpooledBatch): Promise<void> => {
    const fresh = [...batch.tables].filter(([id]) => !tables.has(id));
    const value = create(BatchSchema, {
      epoch: batch.epoch,
      lane: Lane.LIVE,
      seq: batch.seq,
      encoding: Encoding.GZIP,
      metrics: batch.metrics,
      logs: batch.logs,
      tables: fresh.map(([id, bytes]) => ({ ...fromBinary(TableSchema, bytes), id })),
    });
    for (const [id] of fresh) tables.add(id);
    sent.push({ seq: batch.seq, bytes: batch.metrics.length + batch.logs.length });
    if (!wire.send(message({ case: 'batch', value }))) await wire.drained();
  };

  /** Waits for news, or for a while; leaves no timer behind. */
  const firstOf = async (news: Promise<void>[], ms: number): Promise<void> => {
    const enough = new AbortController();
    await Promise.race([...news, clock.sleep(ms, enough.signal)]);
    enough.abort();
  };

  const isFull = (): boolean => sent.length >= WINDOW || sent.reduce((sum, { bytes }) => sum + bytes, 0) > WINDOW_BYTES;

  /** Sends until the stream ends or batches of another epoch come; those need a hello of their own. */
  const pump = async (
    wire: Wire,
    reader: SpoolReader,
    first: SpooledBatch | undefined,
    epoch: bigint,
    over: () => boolean,
  ): Promise<void> => {
    let next = first;
    while (!over()) {
      renew(wire);
      next ??= reader.next();
      if (next === undefined) await firstOf([spool.appended(), changed], IDLE_MS);
      else if (next.epoch !== epoch) {
        if (sent.length === 0) return;
        await changed;
      } else if (isFull()) await changed;
      else {
        await send(wire, next);
        next = undefined;
      }
    }
  };

  return async (signal: AbortSignal): Promise<Ending> => {
    const reader = spool.reader();
    const first = reader.next();
    const epoch = first?.epoch ?? spool.epoch;
    const wire = openWire(identity, received);
    let ended = '';
    const over = (): boolean => ended !== '' || refusal !== undefined || signal.aborted;
    void wire.ended.then((reason) => {
      ended = reason;
      note();
    });
    const abort = (): void => note();
    signal.addEventListener('abort', abort, { once: true });
    try {
      const hello = {
        protocol: PROTOCOL,
        agentVersion: VERSION,
        epoch,
        clockMs: BigInt(clock.now()),
        hostname: given.hostname,
        labels: { ...given.labels },
        inventory: { ...given.inventory() },
      };
      wire.send(message({ case: 'hello', value: create(HelloSchema, hello) }));
      const late = clock.monotonic() + WELCOME_MS;
      while (!welcomed && !over() && clock.monotonic() < late) await firstOf([changed], 1000);
      if (welcomed) await pump(wire, reader, first, epoch, over);
    } finally {
      signal.removeEventListener('abort', abort);
      reader.close();
      wire.close();
      state.connected = false;
    }
    if (refusal !== undefined) return { reason: refusal.detail, retry: refusal.retry, welcomed };
    return { reason: ended === '' ? 'the hub did not answer' : ended, retry: true, welcomed };
  };
}

/** Makes the link. It comes back for ever, with a jittered wait between tries. */
export function createLink(given: LinkGiven): Link {
  const { clock, log } = given;
  const stopping = new AbortController();
  const backoff = createBackoff();
  let identity = given.identity;
  const state: LinkState = {
    connected: false,
    reason: 'not connected yet',
    hub: identity.link,
    lastAckMs: undefined,
    acknowledged: 0n,
    skewMs: 0,
  };
  let work: Promise<void> | undefined;

  const run = async (): Promise<void> => {
    let told = '';
    while (!stopping.signal.aborted) {
      const connect = createConnection(given, identity, state, (next) => (identity = next));
      const { reason, retry, welcomed } = await connect(stopping.signal);
      if (stopping.signal.aborted) return;
      state.reason = reason;
      if (welcomed) {
        backoff.reset();
        told = '';
      }
      // Told once for each reason; the status shows it for as long as it lasts.
      if (reason !== told) {
        if (retry)
          log.warn('the hub cannot be reached; what is collected stays in the spool', { hub: state.hub, reason });
        else log.error('the hub refuses this agent; it is asked again each minute', { hub: state.hub, reason });
        told = reason;
      }
      await clock.sleep(retry ? backoff.next() : REFUSED_MS, stopping.signal);
    }
  };
  return {
    start() {
      work ??= run();
    },
    async stop() {
      stopping.abort();
      await work;
    },
    state: () => state,
  };
}
