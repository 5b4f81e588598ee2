import { reasonOf, type Clock, type Logger } from '#sdk';
import type { DetectionExchange } from '../anomalies/sensitivity.ts';
import type { SettingsExchange } from '../pushed/index.ts';
import type { Lane, Packing, Spool } from '../spool/index.ts';
import { createBackoff } from './backoff.ts';
import type { LinkSettings } from './config.ts';
import { connect, type Connecting, type Ending } from './connection.ts';
import { certificateEndMs, keepIdentity, type Identity } from './identity.ts';
import { createNews } from './news.ts';
import { createRefusedBatches } from './refused-batches.ts';
import type { Skew } from './skew.ts';
import type { Transport } from './transports/transport.ts';

/** After a refusal that trying again will not help, milliseconds. */
const REFUSED_MS = 60_000;
/** How long a stop waits for acknowledgements of what was collected last. */
const LAST_WORDS_MS = 3000;
/** How often the spool is looked at for something to back-fill although nothing was put, milliseconds. */
const LOOK_MS = 60_000;

/** What the link tells others. */
export interface LinkState {
  connected: boolean;
  /** What keeps it from being connected, in words; empty when nothing does. */
  reason: string;
  hub: string;
  lastAckMs: number | undefined;
  acknowledged: bigint;
  /** The agent's clock minus the hub's, milliseconds; as last known. */
  skewMs: number;
  /** How batches are to be packed: as the hub said last that it takes them, where this Node can. */
  packing: Packing;
  /** Batches that were acknowledged and could not be stored at the hub after all. */
  rejected: number;
}

/** What the link stands on. */
export interface LinkGiven {
  identity: Identity;
  dataFolder: string;
  transport: Transport;
  spool: Spool;
  skew: Skew;
  clock: Clock;
  log: Logger;
  hostname: string;
  labels: Readonly<Record<string, string>>;
  /** `auto` unless given. */
  compression?: LinkSettings['compression'];
  inventory(): Readonly<Record<string, string>>;
  /** What passes between the hub and the settings that it pushes; absent where none are taken. */
  exchange?: SettingsExchange;
  /** What passes between the hub and what the agent detects by; absent where nothing is taken. */
  detection?: DetectionExchange;
}

/** Sends what the spool holds, for ever. */
export interface Link {
  start(): void;
  stop(): Promise<void>;
  state(): Readonly<LinkState>;
}

const expired = (endMs: number, dataFolder: string, reason: string): string =>
  `this agent's certificate ended on ${new Date(endMs).toISOString().slice(0, 10)} (${reason}). If this machine's clock is right, get a new join token and run: outrider-agent enroll --force --data ${dataFolder}`;

const beginning = (hub: string): LinkState => ({
  connected: false,
  reason: 'the first try is under way',
  hub,
  lastAckMs: undefined,
  acknowledged: 0n,
  skewMs: 0,
  packing: 'gzip',
  rejected: 0,
});

/** Waits until there is something to back-fill and the live stream stands, or the agent stops. */
async function untilNeeded({ spool, state, news, finishing }: Connecting): Promise<void> {
  while (!finishing.aborted) {
    const appended = spool.appended();
    if (state.connected && spool.hasMore('backfill')) return;
    await news.wait(LOOK_MS, state.connected ? appended : undefined);
  }
}

/** Connects for one lane again and again, with a jittered wait between tries; returns when the agent stops. The live lane's state is the link's. */
function createLaneLoop(connecting: Connecting, lane: Lane): () => Promise<void> {
  const { clock, log, state, finishing, dataFolder, current } = connecting;
  const backoff = createBackoff();
  const refused = createRefusedBatches();
  const isLive = lane === 'live';
  let told = '';
  /** Tells each reason once; the status shows that of the live lane for as long as it lasts. */
  const tell = ({ reason, retry, welcomed }: Ending): void => {
    if (isLive) state.reason = reason;
    if (reason === told || reason === '') return;
    // What both streams suffer from is told by the live one.
    if (!isLive && (welcomed || !state.connected)) return;
    told = reason;
    const facts = { hub: state.hub, reason, ...(isLive ? {} : { lane }) };
    if (retry) log.warn('the hub cannot be reached; what is collected stays in the spool', facts);
    else log.error('the hub refuses this agent; it is asked again each minute', facts);
  };
  const tryOnce = async (): Promise<Ending> => {
    const endMs = certificateEndMs(current());
    try {
      const end = await connect(connecting, lane, refused);
      // TLS says no more than that the other side hung up. A clock that is wrong by weeks looks the same.
      if (end.welcomed || clock.now() < endMs) return end;
      return { ...end, reason: expired(endMs, dataFolder, end.reason), retry: false };
    } catch (error) {
      return { reason: reasonOf(error), retry: true, welcomed: false };
    }
  };
  return async () => {
    while (!finishing.aborted) {
      if (!isLive) await untilNeeded(connecting);
      if (finishing.aborted) return;
      const end = await tryOnce();
      if (finishing.aborted) return;
      if (end.welcomed) {
        backoff.reset();
        told = '';
      }
      tell(end);
      if (end.reason !== '') await clock.sleep(end.retry ? backoff.next() : REFUSED_MS, finishing);
    }
  };
}

/** Makes the link: live batches over one stream, back-fill over another when there is any, so that neither stands before the other. */
export function createLink(given: LinkGiven): Link {
  const { clock, log, skew } = given;
  const finishing = new AbortController();
  const ending = new AbortController();
  let identity = given.identity;
  const state = beginning(given.transport.place);
  const news = createNews(clock);
  finishing.signal.addEventListener('abort', news.tell);
  const connecting: Connecting = {
    ...given,
    state,
    news,
    rejected({ code, detail, seq }) {
      state.rejected += 1;
      log.error('the hub cannot store a batch that it had taken; its lines are lost', { seq, code, reason: detail });
    },
    finishing: finishing.signal,
    ending: ending.signal,
    current: () => identity,
    renewed(next) {
      keepIdentity(given.dataFolder, next);
      identity = next;
      log.info('the certificate was renewed');
    },
  };
  const lanes = [createLaneLoop(connecting, 'live'), createLaneLoop(connecting, 'backfill')];
  let work: Promise<unknown> | undefined;
  return {
    start() {
      if (!finishing.signal.aborted) work ??= Promise.all(lanes.map((run) => run()));
    },
    async stop() {
      finishing.abort();
      if (!state.connected) ending.abort();
      const cancel = clock.after(LAST_WORDS_MS, () => ending.abort());
      await work;
      cancel();
    },
    state: () => Object.assign(state, { skewMs: skew.now() ?? state.skewMs }),
  };
}
