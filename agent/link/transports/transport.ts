import { create } from '@bufbuild/protobuf';
import { RefusalSchema, type AgentMessage, type HubMessage, type Refusal, type Stream } from '#proto/agent/v1/index.ts';
import type { Identity } from '../identity.ts';

/** One open stream to the hub. Whatever the transport: messages arrive in order, and what was not acknowledged before the end is sent again. */
export interface Wire {
  /** False when the transport wants a pause: wait for `drained`. */
  send(message: AgentMessage): boolean;
  drained(): Promise<void>;
  /** Resolves with the reason once the stream is over, an empty one when it need not be told; never rejects. */
  ended: Promise<string>;
  close(): void;
}

/** How an agent reaches its hub. */
export interface Transport {
  /** Where that is, for people. */
  place: string;
  /** True when a batch may be read by another hub than the one that welcomed. */
  isShared: boolean;
  /** Opens a stream of a kind; every message of the hub is handed to `received`. */
  open(identity: Identity, kind: Stream, received: (message: HubMessage) => void): Wire | Promise<Wire>;
}

/** What a transport tells of a batch that is too large for it, in the hub's stead: the hub never sees it. */
export const tooLarge = (detail: string): Refusal =>
  create(RefusalSchema, { code: 'ingest.too-large', detail, retry: true });
