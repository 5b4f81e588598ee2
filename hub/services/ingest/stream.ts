import { create } from '@bufbuild/protobuf';
import { HubMessageSchema, type AgentMessage, type HubMessage } from '#proto/agent/v1/index.ts';
import { type Problem } from '#sdk';

/** One agent's stream, as the listener hands it over. `pause` and `resume` hold the sender back through the transport. */
export interface Wire {
  org: string;
  agent: string;
  send(message: HubMessage): void;
  /** True while the agent does not take what was sent. */
  isBehind(): boolean;
  end(): void;
  pause(): void;
  resume(): void;
}

/** What the hub knows of one open stream. */
export interface OpenStream {
  wire: Wire;
  /** Takes the next message; they are worked on one after another. */
  take(message: AgentMessage): void;
  /** Tells the agent why and ends the stream. */
  refuse(problem: Problem): void;
  closed(): void;
}

/** Who works on the messages of a stream, and who hears of its end. */
export interface StreamGiven {
  handle(message: AgentMessage): Promise<void>;
  /** The hub's clock, for who asks. */
  pong(id: bigint): HubMessage;
  /** What to tell the agent when a message could not be handled. */
  explain(error: unknown): Problem;
  refused(problem: Problem): void;
}

/** Messages that wait in one stream before its sender is held back. */
const WAITING_LIMIT = 8;

/** A message of the hub of one kind. */
export const hubMessage = (kind: HubMessage['kind']): HubMessage => create(HubMessageSchema, { kind });

/** Opens a stream: a short queue with one worker, which the first fault ends, so that nothing overtakes what failed. */
export function openStream(wire: Wire, { handle, pong, explain, refused }: StreamGiven): OpenStream {
  const waiting: AgentMessage[] = [];
  let working = false;
  let over = false;

  const refuse = (problem: Problem): void => {
    if (over) return;
    over = true;
    waiting.length = 0;
    refused(problem);
    const { code, message: detail, retryable: retry } = problem;
    wire.send(hubMessage({ case: 'refusal', value: { $typeName: 'outrider.agent.v1.Refusal', code, detail, retry } }));
    wire.end();
  };

  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined && !over; next = waiting.shift()) {
      if (waiting.length === WAITING_LIMIT - 1) wire.resume();
      await handle(next);
    }
  };

  return {
    wire,
    take(next) {
      if (over) return;
      // Not behind batches that wait: it asks for the time. Who takes no answers gets none, so that they do not pile up.
      if (next.kind.case === 'ping') return wire.isBehind() ? undefined : wire.send(pong(next.kind.value.id));
      waiting.push(next);
      if (waiting.length >= WAITING_LIMIT) wire.pause();
      if (working) return;
      working = true;
      work()
        .catch((error: unknown) => refuse(explain(error)))
        .finally(() => (working = false));
    },
    refuse,
    closed() {
      over = true;
      waiting.length = 0;
    },
  };
}
