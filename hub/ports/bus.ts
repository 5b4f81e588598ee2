import type { Subject } from '#proto/subjects.ts';

/** Takes one message. When it rejects, the message is delivered again: handlers are idempotent. */
export type Handler<Payload> = (org: string, payload: Payload) => Promise<void>;

/** How far one subscriber is with one kind of news. */
export interface SubscriberStatus {
  subscriber: string;
  subject: string;
  /** Messages that it has not handled yet. */
  pending: number;
  /** Messages that were handed out more than once and are not handled yet. */
  again: number;
}

/** Messages of one kind that a subscriber could not handle. */
export interface DeadLetters {
  subscriber: string;
  subject: string;
  count: number;
  /** Why, of the newest one. */
  reason: string;
}

/** What is on a bus that keeps messages. */
export interface BusStatus {
  messages: number;
  bytes: number;
  maxBytes: number;
  subscribers: SubscriberStatus[];
  deadLetters: DeadLetters[];
}

/** What an operator sees and does of a bus that keeps messages. */
export interface BusUpkeep {
  status(): Promise<BusStatus>;
  /** Hands dead letters to their subscribers once more, the oldest first; gives how many. With `dryRun` nothing is done. */
  replayDead(wish: { subscriber?: string; limit: number; dryRun: boolean }): Promise<number>;
}

/** News between services. Payloads are never changed by anyone who gets them. */
export interface Bus {
  /** Resolves when the message cannot be lost any more: each subscriber has finished, or it is on disk. Rejects when a subscriber did. */
  publish<Payload>(subject: Subject<Payload>, org: string, payload: Payload): Promise<void>;
  /** `name` identifies the subscriber for ever: several processes with one name share the messages. Returns the end of the subscription. */
  subscribe<Payload>(subject: Subject<Payload>, name: string, handler: Handler<Payload>): () => void;
  /** Every process hears every message that is published from now on, as it passes; nothing is kept for it, and a fault is its own affair. Returns the end. */
  listen<Payload>(subject: Subject<Payload>, handler: (org: string, payload: Payload) => void): () => void;
  /** Hands the subscriber `name` of this process again what was published since; resolves when it has all. A bus that keeps nothing resolves at once. */
  replay<Payload>(subject: Subject<Payload>, name: string, sinceMs: number): Promise<void>;
  /** Absent where nothing is kept. */
  upkeep?: BusUpkeep;
  check(): Promise<void>;
}
