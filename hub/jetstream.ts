import {
  AckPolicy,
  DeliverPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type ConsumerConfig,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  type StreamConfig,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { defineProblems, Problem, reasonOf, type Clock, type Logger } from '#sdk';

/** A message that nobody said anything about for this long is handed out again: its hub was killed. Milliseconds. */
const ACK_MS = 5_000;
const BEAT_MS = 1_500;
/** The longest pause before a message is tried again, milliseconds: within it a store that is back is used again. */
const LATEST_MS = 2_000;
/** Tries of a message whose handler fails in a way that nobody expected. */
export const TRIES = 20;
const AGAIN_MS = 500;
const NANOS_A_MS = 1_000_000;
/** The stream exists with other settings. */
const IS_THERE = 10058;
/** How often streams are looked at although nobody missed one, and the longest pause between tries to make one anew, milliseconds. */
const LOOK_MS = 15_000;
const LONGEST_MS = 10_000;

const problems = defineProblems('jetstream', {
  streamGone: { status: 503, title: 'A stream of NATS is gone.', retryable: true },
});

/** The streams and consumers of an open connection. */
export interface JetStream {
  js: JetStreamClient;
  manager: JetStreamManager;
}

/** What is demanded of a stream. */
export type WantedStream = Partial<StreamConfig> & { name: string };

/** Makes streams as they are wanted. Safe when several hubs do it at once: adding what is there with the same settings changes nothing. */
export async function keepStreams(manager: JetStreamManager, streams: readonly WantedStream[]): Promise<void> {
  for (const stream of streams) {
    try {
      await manager.streams.add(stream);
    } catch (error) {
      if (!isApiError(error, IS_THERE)) throw error;
      await manager.streams.update(stream.name, stream);
    }
  }
}

/** True of the answer of a server that has this code of JetStream's. */
export const isApiError = (error: unknown, code: number): boolean =>
  error instanceof JetStreamApiError && error.code === code;

/** Tells whether an open connection reaches a server now, and hears of each change. */
export function watchConnection(nats: NatsConnection, changed: (isUp: boolean) => void): () => boolean {
  let isUp = true;
  const set = (now: boolean): void => {
    if (now === isUp) return;
    isUp = now;
    changed(now);
  };
  void (async () => {
    for await (const { type } of nats.status()) {
      if (type === 'disconnect' || type === 'staleConnection') set(false);
      if (type === 'reconnect') set(true);
    }
  })();
  return () => isUp;
}

/** The servers without their secrets, for messages. */
export const placeOf = (servers: readonly string[]): string =>
  servers.map((server) => server.replace(/\/\/[^@/]*@/, '//')).join(', ');

async function isGone(manager: JetStreamManager, { name }: WantedStream): Promise<boolean> {
  try {
    await manager.streams.info(name);
    return false;
  } catch (error) {
    if (isApiError(error, JetStreamApiCodes.StreamNotFound)) return true;
    throw error;
  }
}

/** Looks after streams while a hub runs: a server that lost its disk comes back without them. */
export interface StreamKeeper {
  /** Looks whether the streams are there and makes those anew that are not; at once, unless it failed just now. Never rejects. */
  look(): Promise<void>;
  /** Throws while a stream is gone and could not be made anew. */
  check(): void;
  stop(): void;
}

/** Begins to look after streams. */
export function watchStreams(given: {
  manager: JetStreamManager;
  streams: readonly WantedStream[];
  clock: Clock;
  log: Logger;
}): StreamKeeper {
  const { manager, streams, clock, log } = given;
  let fault: { gone: string; reason: string; tries: number; notBeforeMs: number } | undefined;
  let looking: Promise<void> | undefined;
  const mend = async (gone: string): Promise<void> => {
    try {
      await keepStreams(manager, streams);
      log.error('a stream of NATS was gone with all that waited in it; it was made anew', { streams: gone });
      fault = undefined;
    } catch (error) {
      const [reason, tries] = [reasonOf(error), (fault?.tries ?? 0) + 1];
      if (fault === undefined)
        log.error('a stream of NATS is gone and cannot be made anew; it is tried again', { streams: gone, reason });
      const waitMs = Math.min(LONGEST_MS, AGAIN_MS * 2 ** Math.min(tries - 1, 10));
      fault = { gone, reason, tries, notBeforeMs: clock.monotonic() + waitMs };
    }
  };
  const once = async (): Promise<void> => {
    const gone: string[] = [];
    for (const stream of streams) if (await isGone(manager, stream)) gone.push(stream.name);
    if (gone.length > 0) await mend(gone.join(', '));
    else fault = undefined;
  };
  const look = (): Promise<void> => {
    if (fault !== undefined && clock.monotonic() < fault.notBeforeMs) return Promise.resolve();
    // A server that does not answer says nothing about its streams.
    looking ??= once()
      .catch((error: unknown) =>
        log.debug('the streams of NATS are looked at again later', { reason: reasonOf(error) }),
      )
      .finally(() => (looking = undefined));
    return looking;
  };
  const stop = clock.every(LOOK_MS, () => void look());
  return {
    look,
    check() {
      if (fault === undefined) return;
      const { gone, reason, tries } = fault;
      throw problems.streamGone(`NATS has no ${gone} any more, and ${tries} tries to make it anew failed (${reason}).`);
    },
    stop,
  };
}

/** What to do with a message that could not be handled: is it hopeless, and how long to wait else. */
export function verdictOn(error: unknown, tries: number): { dead: boolean; waitMs: number } {
  const waitMs = Math.min(LATEST_MS, 50 * 2 ** Math.min(tries, 10));
  if (error instanceof Problem) return { dead: !error.retryable, waitMs };
  return { dead: tries >= TRIES, waitMs };
}

/** How one message is handled. */
export interface Handling {
  handle(): Promise<void>;
  /** Puts a message aside that can never be handled. */
  bury(error: unknown): Promise<void>;
  clock: Clock;
  verdict?: typeof verdictOn;
}

/** Handles a message, and says to JetStream what became of it. */
export async function settle(message: JsMsg, { handle, bury, clock, verdict = verdictOn }: Handling): Promise<void> {
  const beat = clock.every(BEAT_MS, () => message.working());
  try {
    await handle();
    // Once it is known to have arrived nobody gets the message again.
    await message.ackAck({ timeout: ACK_MS }).catch(() => false);
  } catch (error) {
    const { dead, waitMs } = verdict(error, message.info.deliveryCount);
    if (!dead) return message.nak(waitMs);
    await bury(error).then(
      () => message.term('put aside'),
      () => message.nak(LATEST_MS),
    );
  } finally {
    beat();
  }
}

/** One lane of a stream. */
export interface StreamLane extends JetStream {
  stream: string;
  /** Its name; whoever works under the same one shares the lane. */
  durable: string;
  filter: Pick<ConsumerConfig, 'filter_subject'> | Pick<ConsumerConfig, 'filter_subjects'>;
  /** How long the server may have nothing to say, milliseconds. */
  quiet: { expires: number; idle_heartbeat: number };
  keeper: Pick<StreamKeeper, 'look'>;
  handle(message: JsMsg): Promise<void>;
  /** Hears why the lane begins anew. */
  failed(error: unknown): void;
  clock: Clock;
}

/**
 * Works on a lane until it is stopped, and then until the message in hand is done: JetStream hands out the next message only when the one before is done, however many hubs
 * share the lane. A consumer that is gone is made anew.
 */
export function workOn(given: StreamLane): { stop(): Promise<void> } {
  const { js, manager, stream, durable, filter, quiet, keeper, handle, failed, clock } = given;
  let stopping = false;
  let close: (() => Promise<unknown>) | undefined;
  const once = async (): Promise<void> => {
    await manager.consumers.add(stream, {
      durable_name: durable,
      ...filter,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ack_wait: ACK_MS * NANOS_A_MS,
      max_ack_pending: 1,
      max_deliver: -1,
    });
    const consumer = await js.consumers.get(stream, durable);
    const messages = await consumer.consume({ max_messages: 1, ...quiet, abort_on_missing_resource: true });
    close = () => messages.close();
    // Not awaited: what nobody reads never says that it is closed.
    if (stopping) return void messages.close();
    for await (const message of messages) {
      if (stopping) break;
      await handle(message);
    }
  };
  const loop = (async () => {
    while (!stopping) {
      try {
        await once();
      } catch (error) {
        if (stopping) return;
        failed(error);
        await keeper.look();
        await clock.sleep(AGAIN_MS);
      }
    }
  })();
  return {
    async stop() {
      stopping = true;
      await close?.().catch(() => undefined);
      await loop;
    },
  };
}
