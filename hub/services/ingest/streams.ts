import type { Counter, Gauge } from 'prom-client';
import { Stream, type HubMessage } from '#proto/agent/v1/index.ts';
import type { Logger } from '#sdk';
import { createConversation, explain, type ConversationGiven } from './conversation.ts';
import type { Enrolment } from './enrolment.ts';
import { problems } from './errors.ts';
import { openStream, type OpenStream, type Wire } from './stream.ts';
import { REVOKED, type Taking } from './taking.ts';

/** What streams call on their way. */
export interface StreamsGiven {
  taking: Taking;
  enrolment: Enrolment;
  delivery: ConversationGiven['delivery'];
  detection: ConversationGiven['detection'];
  log: Logger;
  metrics: { refusals: Counter; connected: Gauge };
}

/** Streams of one agent that have not said hello yet; more end the oldest. */
const SILENT_LIMIT = 4;

/** All open streams of this process: one for each agent and kind of stream. */
export function createStreams({ log, metrics, ...given }: StreamsGiven) {
  const live = new Map<string, OpenStream>();
  const backfill = new Map<string, OpenStream>();
  const unknown = new Set<OpenStream>();
  const revoked = new Set<string>();

  /** A stream has said what it is for; an older one of the same agent and kind ends. */
  const greeted = (stream: OpenStream, kind: Stream): void => {
    const { agent } = stream.wire;
    const kin = kind === Stream.BACKFILL ? backfill : live;
    unknown.delete(stream);
    kin.get(agent)?.refuse(problems.replaced());
    kin.set(agent, stream);
    metrics.connected.set(live.size);
  };
  return {
    open(wire: Wire): OpenStream {
      const stream: OpenStream = openStream(wire, {
        handle: createConversation({ ...given, greeted: (kind) => greeted(stream, kind) }, wire),
        pong: (id) => given.taking.pong(id),
        explain: (error) => explain(error, wire.agent, log),
        refused: ({ code }) => metrics.refusals.inc({ code }),
      });
      if (revoked.has(wire.agent)) stream.refuse(problems.revoked(REVOKED));
      else unknown.add(stream);
      const silent = [...unknown].filter((one) => one.wire.agent === wire.agent);
      if (silent.length > SILENT_LIMIT) silent[0]?.refuse(problems.replaced());
      return stream;
    },
    /** To be called when the transport is gone. */
    async close(stream: OpenStream): Promise<void> {
      stream.closed();
      unknown.delete(stream);
      const { agent } = stream.wire;
      if (backfill.get(agent) === stream) backfill.delete(agent);
      if (live.get(agent) !== stream) return;
      live.delete(agent);
      metrics.connected.set(live.size);
      await given.taking.gone(stream.wire);
    },
    /** Takes the newest list of revoked agents and cuts those off that are connected. */
    revoke(agents: readonly string[]): void {
      revoked.clear();
      for (const agent of agents) revoked.add(agent);
      for (const stream of [...live.values(), ...backfill.values(), ...unknown])
        if (revoked.has(stream.wire.agent)) stream.refuse(problems.revoked(REVOKED));
    },
    isRevoked: (agent: string): boolean => revoked.has(agent),
    /** Those that are connected, by their org. */
    names: (): { org: string; agent: string }[] =>
      [...live.values()].map(({ wire: { org, agent } }) => ({ org, agent })),
    /** Tells an agent something unasked; false when it is not connected here. */
    send({ agent }: { agent: string }, message: HubMessage): boolean {
      const stream = live.get(agent);
      stream?.wire.send(message);
      return stream !== undefined;
    },
  };
}
export type Streams = ReturnType<typeof createStreams>;
