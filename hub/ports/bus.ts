import type { Subject } from '#proto/subjects.ts';

/** Takes one message. When it rejects, the message is delivered again: handlers are idempotent. */
export type Handler<Payload> = (org: string, payload: Payload) => Promise<void>;

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
  check(): Promise<void>;
}
