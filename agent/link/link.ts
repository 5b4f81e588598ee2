import { reasonOf, type Clock, type Logger } from '#sdk';
import type { Spool } from '../spool/index.ts';
import { createBackoff } from './backoff.ts';
import { connect, type Connecting, type Ending } from './connection.ts';
import { certificateEndMs, keepIdentity, type Identity } from './identity.ts';
import { createRefusedBatches } from './refused-batches.ts';
import type { Transport } from './transports/transport.ts';

/** After a refusal that trying again will not help, milliseconds. */
const REFUSED_MS = 60_000;
/** How long a stop waits for acknowledgements of what was collected last. */
const LAST_WORDS_MS = 3000;

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
  /** Batches that were acknowledged and could not be stored at the hub after all. */
  rejected: number;
}

/** What the link stands on. */
export interface LinkGiven {
  identity: Identity;
  dataFolder: string;
  transport: Transport;
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

const expired = (endMs: number, dataFolder: string, reason: string): string =>
  `this agent's certificate ended on ${new Date(endMs).toISOString().slice(0, 10)} (${reason}). If this machine's clock is right, get a new join token and run: outrider-agent enroll --force --data ${dataFolder}`;

const beginning = (hub: string): LinkState => ({
  connected: false,
  reason: 'the first try is under way',
  hub,
  lastAckMs: undefined,
  acknowledged: 0n,
  skewMs: 0,
  rejected: 0,
});

/** Makes the link. It comes back for ever, with a jittered wait between tries. */
export function createLink(given: LinkGiven): Link {
  const { clock, log } = given;
  const finishing = new AbortController();
  const ending = new AbortController();
  const backoff = createBackoff();
  let identity = given.identity;
  const state = beginning(given.transport.place);
  const connecting: Connecting = {
    ...given,
    state,
    refused: createRefusedBatches(),
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
  let told = '';
  let work: Promise<void> | undefined;

  /** Tells each reason once; the status shows it for as long as it lasts. */
  const tell = ({ reason, retry }: Ending): void => {
    state.reason = reason;
    if (reason === told || reason === '') return;
    told = reason;
    const facts = { hub: state.hub, reason };
    if (retry) log.warn('the hub cannot be reached; what is collected stays in the spool', facts);
    else log.error('the hub refuses this agent; it is asked again each minute', facts);
  };
  const tryOnce = async (): Promise<Ending> => {
    const endMs = certificateEndMs(identity);
    try {
      const end = await connect(connecting);
      // TLS says no more than that the other side hung up. A clock that is wrong by weeks looks the same.
      if (end.welcomed || clock.now() < endMs) return end;
      return { ...end, reason: expired(endMs, given.dataFolder, end.reason), retry: false };
    } catch (error) {
      return { reason: reasonOf(error), retry: true, welcomed: false };
    }
  };
  const run = async (): Promise<void> => {
    while (!finishing.signal.aborted) {
      const end = await tryOnce();
      if (finishing.signal.aborted) return;
      if (end.welcomed) {
        backoff.reset();
        told = '';
      }
      tell(end);
      if (end.reason !== '') await clock.sleep(end.retry ? backoff.next() : REFUSED_MS, finishing.signal);
    }
  };
  return {
    start() {
      if (!finishing.signal.aborted) work ??= run();
    },
    async stop() {
      finishing.abort();
      if (!state.connected) ending.abort();
      const cancel = clock.after(LAST_WORDS_MS, () => ending.abort());
      await work;
      cancel();
    },
    state: () => state,
  };
}
