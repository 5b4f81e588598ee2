import { create } from '@bufbuild/protobuf';
import {
  PingSchema,
  RenewSchema,
  type Ack,
  type HubMessage,
  type Refusal,
  type Rejected,
  type Welcome,
} from '#proto/agent/v1/index.ts';
import type { Cancel } from '#sdk';
import { packingFor, withGzip } from '../packing.ts';
import type { Lane, Packing, SpooledBatch, SpoolReader } from '../spool/index.ts';
import type { Identity } from './identity.ts';
import type { LinkGiven, LinkState } from './link.ts';
import { agentMessage, batchOf, helloOf, laneOf, STREAM, takenBy } from './messages.ts';
import { createNews, type News } from './news.ts';
import { isAboutABatch, type RefusedBatches } from './refused-batches.ts';
import { createRenewal, type Renewal } from './renewal.ts';
import { createProbe, type Probe } from './skew.ts';
import type { Wire } from './transports/transport.ts';
import { createWindow, type SendWindow } from './window.ts';

/** A hub that says nothing for this long after a hello is given up. */
const WELCOME_MS = 20_000;
/** How often a quiet connection looks whether its certificate is due. */
const QUIET_MS = 60_000;
/** And one that waits for the hub's clock whether it has waited enough. */
const UNSURE_MS = 500;
/** A stream of back-fill ends when there was none for this long. */
const LINGER_MS = 60_000;

/** How one connection ended. */
export interface Ending {
  reason: string;
  /** False: the hub said that trying again unchanged will not help. */
  retry: boolean;
  /** True when the stream was welcomed, so that the next try comes soon. */
  welcomed: boolean;
}

/** What the connections of one link have in common. */
export interface Connecting extends LinkGiven {
  current(): Identity;
  renewed(identity: Identity): void;
  state: LinkState;
  /** Tells that `state.connected` has changed, and that the agent stops. */
  news: News;
  /** Hears of a batch that was acknowledged and cannot be stored at the hub. */
  rejected(batch: Rejected): void;
  /** Aborts when everything that the spool holds should be sent and then no more. */
  finishing: AbortSignal;
  /** Aborts when the connection must end now. */
  ending: AbortSignal;
}

/** One connection: the batches of one lane and one epoch, in order. */
interface Session {
  readonly lane: Lane;
  readonly isLive: boolean;
  readonly epoch: bigint;
  readonly news: News;
  readonly window: SendWindow;
  readonly refused: RefusedBatches;
  readonly renewal: Renewal;
  readonly probe: Probe;
  /** Ids of tables that the hub has from this connection. */
  readonly tables: Set<bigint>;
  /** When the hello was said, by the monotonic clock. */
  helloMs: number;
  isWelcome: boolean;
  /** This hub answers what the agent says that it detects by. */
  hearsDetection: boolean;
  /** How this hub takes batches. */
  takes: Packing;
  refusal: Refusal | undefined;
  /** Why the transport ended. */
  ended: string | undefined;
}

const isOver = ({ ended, refusal }: Session, { ending }: Connecting): boolean =>
  ended !== undefined || refusal !== undefined || ending.aborted;

/** The hub's own words know neither the folder of this agent nor its command. */
const removed = (dataFolder: string): string =>
  `an administrator removed this agent from the hub. To bring it back, get a new join token, stop the agent, and run: outrider-agent enroll --force --data ${dataFolder}`;

/** What a refusal means for the next try. A batch that holds up everything behind it is given up after some. */
function judge(
  { epoch, lane, window, refused }: Session,
  { detail, code, retry }: Refusal,
  { spool, dataFolder }: Connecting,
): Omit<Ending, 'welcomed'> {
  const reason = code === 'ingest.revoked' ? removed(dataFolder) : detail;
  const underWay = window.underWay();
  const [oldest] = underWay;
  // It may have been damaged on its way: that is seen soon, not each minute.
  if (oldest === undefined || !refused.isHopeless(underWay, code))
    return { reason, retry: retry || (oldest !== undefined && isAboutABatch(code)) };
  const reader = spool.reader(lane);
  const batch = reader.next();
  reader.close();
  if (batch?.epoch !== epoch || batch.lane !== oldest.lane || batch.seq !== oldest.seq) return { reason, retry };
  spool.giveUp(batch, reason);
  return { reason, retry: true };
}

/** Takes what the hub says. */
function createHearing(session: Session, given: Connecting) {
  const { spool, clock, log, skew, state, news, rejected, exchange, detection } = given;
  const { epoch, isLive, probe, window, renewal, tables } = session;
  const welcomed = (welcome: Welcome): void => {
    const { clockMs, ackedLive, ackedBackfill } = welcome;
    session.isWelcome = true;
    session.hearsDetection = welcome.detection;
    session.takes = takenBy(welcome, given);
    skew.measured({ sentMs: session.helloMs, receivedMs: clock.monotonic(), hubMs: Number(clockMs) });
    spool.acknowledge({ epoch, lane: 'live', seq: ackedLive });
    spool.acknowledge({ epoch, lane: 'backfill', seq: ackedBackfill });
    if (!isLive) return;
    Object.assign(state, { connected: true, reason: '', packing: packingFor(session.takes) });
    log.info('connected to the hub', { hub: state.hub });
    news.tell();
    probe.begin();
  };
  const acknowledged = ({ epoch: of, lane: number, seq }: Ack): void => {
    if (of !== epoch) return;
    const key = { epoch, lane: laneOf(number), seq };
    state.lastAckMs = clock.now();
    if (isLive) state.acknowledged = seq;
    window.acknowledge(key.lane, seq);
    spool.acknowledge(key);
  };
  const wasRejected = (batch: Rejected): void => {
    tables.clear(); // It may have been the one that took them along.
    if (isLive) rejected(batch);
  };
  return ({ kind }: HubMessage): void => {
    if (kind.case === 'welcome') welcomed(kind.value);
    else if (kind.case === 'ack') acknowledged(kind.value);
    else if (kind.case === 'pong') probe.take(kind.value);
    else if (kind.case === 'certificate') renewal.take(kind.value.chain);
    else if (kind.case === 'refusal') session.refusal = kind.value;
    else if (kind.case === 'rejected') wasRejected(kind.value);
    else if (kind.case === 'settings') exchange?.take(kind.value);
    else if (kind.case === 'detection') detection?.take(kind.value);
    session.news.tell();
  };
}

/** What a connection sends: a batch takes those tables along that went with none before it. */
function createSending(wire: Wire, { window, tables, takes }: Session, given: Connecting) {
  return async (spooled: SpooledBatch): Promise<void> => {
    const batch = takes === 'zstd' ? spooled : await withGzip(spooled);
    const fresh = [...batch.tables].filter(([id]) => !tables.has(id));
    for (const [id] of fresh) tables.add(id);
    const { epoch, lane, seq, metrics, logs } = batch;
    window.add({ epoch, lane, seq, bytes: metrics.length + logs.length });
    if (!wire.send(agentMessage({ case: 'batch', value: batchOf(batch, fresh, given) }))) await wire.drained();
  };
}

/** Sends until the stream ends, or until there is nothing more for it: batches of another epoch need a hello of their own. */
async function pump(session: Session, reader: SpoolReader, wire: Wire, given: Connecting): Promise<void> {
  const { epoch, lane, isLive, news, window, refused, renewal, probe } = session;
  const { spool, clock, finishing } = given;
  const send = createSending(wire, session, given);
  let next: SpooledBatch | undefined;
  let sentMs = clock.monotonic();
  const renew = async (): Promise<void> => {
    const publicKey = await renewal.wish();
    if (publicKey !== undefined) wire.send(agentMessage({ case: 'renew', value: create(RenewSchema, { publicKey }) }));
  };
  /** True when nothing more is to come on this stream. */
  const isDone = (): boolean => {
    if (finishing.aborted || spool.epoch !== epoch) return true;
    return !isLive && (next !== undefined || clock.monotonic() - sentMs >= LINGER_MS);
  };
  while (!isOver(session, given)) {
    if (isLive) await renew();
    const isUnsure = isLive && probe.look();
    const appended = spool.appended();
    const isQuiet = window.underWay().length === 0;
    // Frames of the other lane lie between: nothing is read while nothing waits.
    if (isLive || !isQuiet || spool.hasMore(lane)) next ??= reader.next();
    const mine = next?.epoch === epoch && (isLive || !finishing.aborted) ? next : undefined;
    const waits = window.isFull() || (mine !== undefined && !isQuiet && refused.isSuspect(mine));
    if (mine !== undefined && !isUnsure && !waits) {
      await send(mine);
      next = undefined;
      sentMs = clock.monotonic();
    } else if (mine === undefined && isQuiet && isDone()) return;
    else await news.wait(isUnsure ? UNSURE_MS : QUIET_MS, mine === undefined ? appended : undefined);
  }
}

/** Says what the agent has of what the hub gives: now, and whenever that changes. */
function report({ hearsDetection }: Session, wire: Wire, { exchange, detection }: Connecting): (Cancel | undefined)[] {
  return [
    exchange?.watch((value) => void wire.send(agentMessage({ case: 'settings', value }))),
    hearsDetection
      ? detection?.watch((value) => void wire.send(agentMessage({ case: 'detection', value })))
      : undefined,
  ];
}

/** Says hello and sends, once the hub has answered. */
async function converse(session: Session, reader: SpoolReader, wire: Wire, given: Connecting): Promise<void> {
  const { clock } = given;
  const { news } = session;
  session.helloMs = clock.monotonic();
  wire.send(agentMessage({ case: 'hello', value: helloOf(given, session) }));
  const late = session.helloMs + WELCOME_MS;
  while (!session.isWelcome && !isOver(session, given) && clock.monotonic() < late)
    await news.wait(late - clock.monotonic());
  if (!session.isWelcome) return;
  const unwatch = session.isLive ? report(session, wire, given) : [];
  try {
    await pump(session, reader, wire, given);
  } finally {
    for (const end of unwatch) end?.();
  }
}

/** One connection of a lane: says hello, sends batches of one epoch in order, and takes acknowledgements. Resolves when it has ended. */
export async function connect(given: Connecting, lane: Lane, refused: RefusedBatches): Promise<Ending> {
  const { spool, clock, state, skew, finishing, ending } = given;
  const first = spool.reader(lane);
  const epoch = first.next()?.epoch ?? spool.epoch;
  first.close();
  const news = createNews(clock);
  const isLive = lane === 'live';
  const ask = (id: bigint): void => void wire.send(agentMessage({ case: 'ping', value: create(PingSchema, { id }) }));
  const session: Session = {
    ...{
      lane,
      isLive,
      epoch,
      news,
      helloMs: 0,
      isWelcome: false,
      hearsDetection: false,
      takes: 'gzip' as const,
      refusal: undefined,
      ended: undefined,
    },
    ...{
      tables: new Set(),
      window: createWindow(),
      refused,
      renewal: createRenewal(given),
      probe: createProbe(clock, skew, ask),
    },
  };
  const wire = await given.transport.open(given.current(), STREAM[lane], createHearing(session, given));
  void wire.ended.then((reason) => {
    session.ended = reason;
    news.tell();
  });
  for (const signal of [finishing, ending]) signal.addEventListener('abort', news.tell);
  const reader = spool.reader(lane);
  try {
    await converse(session, reader, wire, given);
  } finally {
    for (const signal of [finishing, ending]) signal.removeEventListener('abort', news.tell);
    session.probe.end();
    reader.close();
    wire.close();
    if (isLive) state.connected = false;
  }
  const { refusal, ended, isWelcome: welcomed } = session;
  if (refusal !== undefined) return { ...judge(session, refusal, given), welcomed };
  return { reason: ended ?? (welcomed ? '' : 'the hub did not answer'), retry: true, welcomed };
}
