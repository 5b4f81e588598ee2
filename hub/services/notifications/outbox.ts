import { reasonOf, type Cancel, type Clock, type Logger } from '#sdk';
import type { AlertChanged } from '#proto/subjects.ts';
import type { Counter } from 'prom-client';
import type { Kinds } from './kinds.ts';
import { messageOf } from './message.ts';
import type { Capacity, Claim, Outcome } from './queue-store.ts';
import { waitMs } from './retry.ts';
import type { Send, SendResult } from './sending.ts';
import type { NotificationsStore } from './store.ts';

/** How often it looks for what is due: retries, the next message to a host, what a killed hub left. */
const LOOK_MS = 2000;
/** A try that takes longer is given up. */
const SEND_MS = 30_000;
/** Messages that one channel sends at once: one that hangs holds up no other channel. */
const ROOM = 4;
/** How long messages on their way may take when the hub stops. */
const STOP_MS = 4000;
const HOUR_MS = 3_600_000;

/** What the outbox stands on. */
export interface OutboxGiven {
  store: NotificationsStore;
  kinds: Kinds;
  send: Send;
  clock: Clock;
  log: Logger;
  retryHours: number;
  /** Where people look: the hub's address. */
  page: string;
  messages: Counter<'kind' | 'outcome'>;
}

/** Takes news, keeps it until it is sent, and sends it. */
export interface Outbox {
  /** Resolves when the news cannot be lost any more. The same news twice is taken once. */
  take(org: string, news: AlertChanged): Promise<void>;
  /** Looks at once for what is due. */
  wake(): void;
  start(): void;
  stop(): Promise<void>;
}

function outcomeOf(given: OutboxGiven, claim: Claim, result: SendResult & { message: string }): Outcome {
  if (result.sent) return { kind: 'sent', message: result.message };
  const { reason } = result;
  if (!result.retryable) return { kind: 'failed', reason };
  return { kind: 'deferred', reason, nextMs: given.clock.now() + waitMs(claim.attempts, Math.random()) };
}

/** Sends one claim and writes down what came of it; never rejects. */
async function carry(given: OutboxGiven, claim: Claim, stopping: AbortSignal): Promise<void> {
  const { store, send, log, page, messages } = given;
  const { channel, news, attempts } = claim;
  const facts = { channel: channel.name, host: news[0].resourceName };
  try {
    const message = messageOf(news, page);
    const result = await send(channel, message, { limitMs: SEND_MS, signal: stopping });
    const released = !result.sent && stopping.aborted;
    const outcome: Outcome = released
      ? { kind: 'released' }
      : outcomeOf(given, claim, { ...result, message: message.key });
    messages.inc({ kind: channel.kind, outcome: outcome.kind });
    if (outcome.kind === 'failed') log.error('a message could not be sent', { ...facts, reason: outcome.reason });
    if (outcome.kind === 'deferred' && attempts === 1)
      log.warn('a message could not be sent; it is tried again', { ...facts, reason: outcome.reason });
    await store.finish(claim, outcome);
  } catch (error) {
    // Its lease ends, and it is sent again: with the same key, by which a receiver drops doubles.
    log.warn('it could not be written down what came of a message', { ...facts, reason: reasonOf(error) });
  }
}

/** Calls `look` at once and again for each call that comes meanwhile, never twice at a time. */
function createTurns(look: () => Promise<void>, failed: (error: unknown) => void) {
  let running: Promise<void> | undefined;
  let again = false;
  const run = async (): Promise<void> => {
    do {
      again = false;
      await look().catch(failed);
    } while (again);
  };
  return {
    wake(): void {
      again = true;
      running ??= run().finally(() => (running = undefined));
    },
    settled: (): Promise<void> => running ?? Promise.resolve(),
  };
}

/** Makes the outbox. */
export function createOutbox(given: OutboxGiven): Outbox {
  const { store, kinds, clock, log, retryHours } = given;
  const stopping = new AbortController();
  const flights = new Map<Claim, Promise<void>>();
  let stopped = false;
  let cancel: Cancel | undefined;

  const launch = (claim: Claim): void => {
    const flight = carry(given, claim, stopping.signal).then(() => {
      flights.delete(claim);
      turns.wake();
    });
    flights.set(claim, flight);
  };
  const capacity: Capacity = {
    room: (channel) => ROOM - [...flights.keys()].filter((claim) => claim.channel.id === channel).length,
    carries: (channel, lane) =>
      [...flights.keys()].some((claim) => claim.channel.id === channel && claim.lane === lane),
  };
  const renew = async (): Promise<void> => {
    const ids = new Map<string, string[]>();
    for (const claim of flights.keys()) ids.set(claim.org, [...(ids.get(claim.org) ?? []), ...claim.ids]);
    for (const [org, own] of ids) await store.renew(org, own);
  };
  const failed = (error: unknown): void =>
    log.warn('messages that are due could not be read; it is tried again', { reason: reasonOf(error) });
  const look = async (): Promise<void> => {
    if (stopped) return;
    await renew();
    for (const org of await store.orgsDue()) {
      const claims = await store.claim(org, capacity).catch(failed);
      claims?.forEach(launch);
    }
  };
  const turns = createTurns(look, failed);

  return {
    async take(org, news) {
      const spacings = new Map((await kinds.all()).map(({ name, spacingSeconds }) => [name, spacingSeconds ?? 0]));
      const all = await store.take(org, news, { spacings, retryMs: retryHours * HOUR_MS });
      for (const { status, reason } of all)
        if (status === 'failed') log.error('somebody could not be told of an alert', { alert: news.firing, reason });
      turns.wake();
    },
    wake: turns.wake,
    start() {
      cancel = clock.every(LOOK_MS, turns.wake);
      turns.wake();
    },
    async stop() {
      stopped = true;
      cancel?.();
      await turns.settled();
      const giveUp = clock.after(STOP_MS, () => stopping.abort(new Error('the hub stops')));
      while (flights.size > 0) await Promise.all(flights.values());
      giveUp();
    },
  };
}
