import type { Static, TObject } from 'typebox';
import type { Clock } from './clock.ts';
import type { Logger } from './log.ts';

/** How bad it is, worst last. */
export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** One thing to tell a person. Texts are plain; a channel escapes them for its own form. */
export interface Message {
  /** The same for every try at the same news, so that a receiver can drop doubles. */
  key: string;
  /** What the news belongs to: messages that have one of these in common are one conversation. */
  threads: readonly string[];
  state: 'firing' | 'resolved' | 'test';
  severity: Severity;
  /** One line that says what and where: "Disk / on web-1 is 96 % full". */
  title: string;
  /** What is known, in a few sentences. */
  text: string;
  /** Label and value pairs that prove it: metric, value, threshold, since. */
  facts: readonly (readonly [label: string, value: string])[];
  /** Where to look on the page. */
  url: string;
  /** Milliseconds since 1970. */
  at: number;
}

/** One way to tell a person. `send` rejects with a Problem whose `retryable` says whether trying again makes sense; the host decides when. */
export interface Channel {
  send(message: Message, signal: AbortSignal): Promise<void>;
  stop?(): Promise<void>;
}

/** Fetches for a user's setting through the hub's egress guard: resolves, checks the address, pins it. */
export type GuardedFetch = (
  url: string,
  init: { method: string; headers: Record<string, string>; body: string; signal: AbortSignal },
) => Promise<{ status: number; text: string }>;

/** What a channel is given. */
export interface ChannelContext<Config> {
  config: Config;
  log: Logger;
  clock: Clock;
  fetch: GuardedFetch;
}

/** How a channel is declared; `plugins/channels/catalogue.ts` lists those that ship. `config` is what a person fills in on the page. */
export interface ChannelDefinition<Schema extends TObject = TObject> {
  name: string;
  /** What it does, in one sentence, for the page. */
  summary: string;
  config: Schema;
  /** Keys of `config` that are never shown again once saved. */
  secrets: readonly string[];
  /** Keys of `config` that say where messages go and how safely: when one changes, saved secrets must be given again, or they could be sent to a stranger. */
  destination: readonly string[];
  /** Least time between two messages about one resource; what comes meanwhile is gathered into one. Absent: each goes alone, at once. */
  spacingSeconds?: number;
  create(context: ChannelContext<Static<Schema>>): Channel;
}

/** Declares a channel; its types follow from its settings schema. */
export function defineChannel<Schema extends TObject>(
  definition: ChannelDefinition<Schema>,
): ChannelDefinition<Schema> {
  return definition;
}
