import { randomUUID } from 'node:crypto';
import type { Clock } from '#sdk';
import { problems } from './errors.ts';
import { testMessage } from './message.ts';
import type { Send } from './sending.ts';
import type { NotificationsStore } from './store.ts';

/** Somebody waits for the answer: shorter than the hub's own command waits. */
const LIMIT_MS = 12_000;

/** What a test stands on. */
export interface TrialGiven {
  store: NotificationsStore;
  send: Send;
  clock: Clock;
  page: string;
}

/** Sends a test through a channel at once, also through one that is switched off, and says in one sentence what happened. */
export function createTrial({ store, send, clock, page }: TrialGiven) {
  const trial = async (org: string, id: string, by: string): Promise<string> => {
    const channel = await store.channel(org, id);
    if (channel === undefined) throw problems.notFound();
    const message = testMessage({ id: randomUUID(), channel: channel.name, by, page, nowMs: clock.now() });
    const result = await send(channel, message, { limitMs: LIMIT_MS, signal: new AbortController().signal });
    await store.recordTest(org, channel, message, result.sent ? '' : result.reason);
    if (!result.sent) throw problems.testFailed(result.reason);
    return `The test message was handed over through “${channel.name}” (${channel.kind}): look whether it has arrived.`;
  };
  return {
    trial,
    /** For the hub's own command, which knows a channel by its name only. */
    async trialByName(name: string): Promise<string> {
      const known = await store.knownChannels();
      const [found, second] = known.filter((channel) => channel.name.toLowerCase() === name.toLowerCase());
      if (second !== undefined)
        throw problems.ambiguous(`Several organisations call a channel “${name}”: send the test from the page.`);
      if (found !== undefined) return trial(found.org, found.id, 'Somebody at the hub’s own machine');
      const names = [...new Set(known.map((channel) => channel.name))];
      const there =
        names.length === 0
          ? 'there are none yet: add one on the page, under Alerts, Channels'
          : `there are: ${names.slice(0, 50).join(', ')}`;
      throw problems.notFound(`There is no channel “${name}”; ${there}.`);
    },
  };
}
export type Trial = ReturnType<typeof createTrial>;
