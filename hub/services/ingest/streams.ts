import type { Counter, Gauge } from 'prom-client';
import { SUBJECTS } from '#proto/subjects.ts';
import { createConversation, explain, REVOKED, type ConversationGiven } from './conversation.ts';
import { problems } from './errors.ts';
import { openStream, type OpenStream, type Wire } from './stream.ts';

/** What a stream calls on its way. */
export interface StreamsGiven extends ConversationGiven {
  metrics: ConversationGiven['metrics'] & { refusals: Counter; connected: Gauge };
}

/** All open streams of this process: one for each agent. */
export function createStreams(given: StreamsGiven) {
  const { bus, clock, log, metrics } = given;
  const open = new Map<string, OpenStream>();
  const revoked = new Set<string>();
  return {
    /** Opens a stream; an older one of the same agent ends. */
    open(wire: Wire): OpenStream {
      const stream = openStream(wire, {
        handle: createConversation(given, wire),
        explain: (error) => explain(error, wire.agent, log),
        refused: ({ code }) => metrics.refusals.inc({ code }),
      });
      if (revoked.has(wire.agent)) {
        stream.refuse(problems.revoked(REVOKED));
        return stream;
      }
      open.get(wire.agent)?.refuse(problems.replaced());
      open.set(wire.agent, stream);
      metrics.connected.set(open.size);
      return stream;
    },
    /** To be called when the transport is gone. */
    async close(stream: OpenStream): Promise<void> {
      stream.closed();
      const { org, agent } = stream.wire;
      if (open.get(agent) !== stream) return;
      open.delete(agent);
      metrics.connected.set(open.size);
      const gone = { agent, connected: false, atMs: clock.now(), version: '', inventory: {} };
      await bus.publish(SUBJECTS.agentConnection, org, gone);
    },
    /** Takes the newest list of revoked agents and cuts those off that are connected. */
    revoke(agents: readonly string[]): void {
      revoked.clear();
      for (const agent of agents) {
        revoked.add(agent);
        open.get(agent)?.refuse(problems.revoked(REVOKED));
      }
    },
    connected: () => new Set(open.keys()),
  };
}
export type Streams = ReturnType<typeof createStreams>;
