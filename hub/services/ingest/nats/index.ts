import type { HubMessage } from '#proto/agent/v1/index.ts';
import type { AgentName } from '#proto/agent/v1/nats.ts';
import { reasonOf, type Clock, type Logger } from '#sdk';
import type { Counter } from 'prom-client';
import type { ConversationGiven } from '../conversation.ts';
import type { Enrolment } from '../enrolment.ts';
import type { Taking } from '../taking.ts';
import { createAuthorization } from './authorization.ts';
import { takeBatches } from './batches.ts';
import type { NatsConfig } from './config.ts';
import { placeOf } from '../../../jetstream.ts';
import { problems } from '../errors.ts';
import { openAgentsNats, type AgentsNats } from './connection.ts';
import type { NatsSeeds } from './keys.ts';
import { watchPresence, type Presence } from './presence.ts';
import { answerQuestions } from './questions.ts';

/** What to do about servers that cannot be used. */
const TODO =
  'Start it, or mend ingest.nats; what belongs into its settings prints outrider-hub nats-config. Agents over NATS keep what they have until then.';

/** How long to wait before servers that are away, or do not know the hub yet, are tried again. */
const AGAIN_MS = 2_000;

/** What agents over NATS stand on. */
export interface NatsGiven {
  config: NatsConfig;
  seeds: NatsSeeds;
  /** The authority's certificate, PEM. */
  ca: string;
  taking: Taking;
  enrolment: Enrolment;
  delivery: ConversationGiven['delivery'];
  detection: ConversationGiven['detection'];
  isAllowed(agent: AgentName): Promise<boolean>;
  isRevoked(agent: string): boolean;
  clock: Clock;
  log: Logger;
  metrics: { refusals: Counter; dead: Counter };
}

/** Agents over NATS: lets them in, answers them, takes in their batches and cuts them off. */
export interface NatsAgents {
  /** Those that are connected, by their org. */
  names(): readonly AgentName[];
  /** Tells an agent something unasked; false when it is not connected. */
  send(agent: AgentName, message: HubMessage): boolean;
  revoke(agents: readonly string[]): Promise<void>;
  /** Throws while the servers cannot be used, or a stream is gone and could not be made anew. */
  check(): void;
  stop(): Promise<void>;
}

function begin(
  given: NatsGiven,
  open: AgentsNats,
): { presence: Presence; isUp(): boolean; check(): void; stop(): Promise<void> } {
  const { ca, seeds, taking, enrolment, delivery, detection, isAllowed, isRevoked, clock, log, metrics } = given;
  const authorize = createAuthorization({ ca, issuerSeed: seeds.issuer, isAllowed, clock, log });
  const asked = open.system.subscribe('$SYS.REQ.USER.AUTH', {
    queue: 'outrider-ingest',
    callback(error, message) {
      if (error === null) authorize(message);
    },
  });
  const presence = watchPresence({ open, taking, clock, log });
  const questions = answerQuestions({
    ...{ open, taking, enrolment, delivery, detection, isRevoked, log },
    refusals: metrics.refusals,
  });
  const batches = takeBatches({ open, taking, isRevoked, clock, log, dead: metrics.dead });
  return {
    presence,
    isUp: open.isUp,
    check: open.keeper.check,
    async stop() {
      asked.unsubscribe();
      questions.stop();
      presence.stop();
      await batches.stop();
      await open.close();
    },
  };
}

/** Begins at once and in the background: a hub whose agents’ NATS is away serves all others. */
export function startNatsAgents(given: NatsGiven): NatsAgents {
  const { config, seeds, clock, log } = given;
  const ending = new AbortController();
  const away = (what: string) =>
    problems.natsAway(`NATS for agents at ${placeOf(config.servers)} ${what}.`, { facts: { todo: TODO } });
  let running: ReturnType<typeof begin> | undefined;
  let reason = '';
  const work = (async () => {
    while (!ending.signal.aborted) {
      try {
        const open = await openAgentsNats(config, seeds, { clock, log });
        if (ending.signal.aborted) return await open.close();
        running = begin(given, open);
        await running.presence.look();
        reason = '';
        log.info('agents may send over NATS', { servers: config.servers.length });
        return;
      } catch (error) {
        const why = reasonOf(error);
        if (why !== reason)
          log.warn('NATS for agents cannot be used; it is tried again. Its settings: outrider-hub nats-config', {
            reason: why,
          });
        reason = why;
        await running?.stop();
        running = undefined;
        await clock.sleep(AGAIN_MS, ending.signal);
      }
    }
  })();
  return {
    names: () => running?.presence.names() ?? [],
    send: (agent, message) => running?.presence.send(agent, message) ?? false,
    revoke: async (agents) => running?.presence.revoke(agents),
    check() {
      if (reason !== '') throw away(`cannot be used (${reason})`);
      if (running === undefined) return;
      if (!running.isUp()) throw away('does not answer');
      running.check();
    },
    async stop() {
      ending.abort();
      await work;
      await running?.stop();
    },
  };
}
