import {
  checkSettings,
  Problem,
  reasonOf,
  type Channel,
  type ChannelDefinition,
  type Clock,
  type GuardedFetch,
  type Logger,
  type Message,
} from '#sdk';
import type { SavedChannel } from './channel-store.ts';
import { withoutSecrets } from './channel-settings.ts';
import { problems } from './errors.ts';
import type { Kinds } from './kinds.ts';

/** Longest reason that is kept. */
const REASON_LENGTH = 1000;

/** What came of one try. */
export type SendResult = { sent: true } | { sent: false; retryable: boolean; reason: string };

/** One try: `limitMs` bounds it whatever the channel does, and `signal` ends it early. */
export type Send = (
  channel: SavedChannel,
  message: Message,
  limits: { limitMs: number; signal: AbortSignal },
) => Promise<SendResult>;

/** What a try stands on. */
export interface SendingGiven {
  kinds: Kinds;
  egress: GuardedFetch;
  clock: Clock;
  log: Logger;
}

/** Rejects when the signal aborts, for channels that do not heed it. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

function makeChannel(
  { name, settings }: SavedChannel,
  definition: ChannelDefinition,
  { clock, log, egress }: SendingGiven,
): Channel {
  const faults: string[] = [];
  const config = checkSettings(definition.config, settings, faults);
  // They were checked when they were saved; a newer version may want more.
  if (faults.length > 0)
    throw problems.unusable(`Its settings are not valid any more: ${faults.join('; ')}. Save it again.`);
  return definition.create({ config, log: log.child({ channel: name }), clock, fetch: egress });
}

/** The words of a Problem, its title before its detail where both say something. */
function wordsOf({ title, message }: Problem): string {
  return message === title ? title : `${title} ${message}`;
}

/** Makes what sends one message through one channel. It never rejects. */
export function createSending(given: SendingGiven): Send {
  const { kinds, clock, log } = given;
  const attempt = async (
    definition: ChannelDefinition,
    channel: SavedChannel,
    message: Message,
    signal: AbortSignal,
  ) => {
    signal.throwIfAborted();
    const made = makeChannel(channel, definition, given);
    try {
      await Promise.race([made.send(message, signal), untilAborted(signal)]);
    } finally {
      made.stop?.().catch((error: unknown) => log.warn('a channel did not stop', { reason: reasonOf(error) }));
    }
  };
  const failure = (error: unknown, channel: SavedChannel): { retryable: boolean; reason: string } => {
    if (error instanceof Problem) return { retryable: error.retryable, reason: wordsOf(error) };
    const { id, kind } = channel;
    const stack = error instanceof Error ? error.stack : undefined;
    log.error('a channel failed in a way that it should not', { id, kind, reason: reasonOf(error), stack });
    return { retryable: true, reason: wordsOf(problems.broken(`${reasonOf(error)}.`)) };
  };
  return async (channel, message, { limitMs, signal }) => {
    const definition = await kinds.find(channel.kind);
    if (definition === undefined)
      return { sent: false, retryable: false, reason: `This hub knows no kind of channel “${channel.kind}”.` };
    const over = new AbortController();
    const timedOut = problems.timedOut(`It did not finish within ${limitMs / 1000} s.`);
    const cancel = clock.after(limitMs, () => over.abort(timedOut));
    try {
      await attempt(definition, channel, message, AbortSignal.any([signal, over.signal]));
      return { sent: true };
    } catch (error) {
      const { retryable, reason } = failure(over.signal.aborted ? timedOut : error, channel);
      const words = withoutSecrets(definition, channel.settings, reason);
      return { sent: false, retryable, reason: words.slice(0, REASON_LENGTH) };
    } finally {
      cancel();
    }
  };
}
