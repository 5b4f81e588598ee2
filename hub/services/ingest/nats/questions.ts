import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { Msg } from '@nats-io/transport-node';
import {
  AgentMessageSchema,
  HubMessageSchema,
  Stream,
  type AgentMessage,
  type HubMessage,
} from '#proto/agent/v1/index.ts';
import { agentSubjects, everyAgent, NATS_QUESTIONS, readSubject, type NatsQuestion } from '#proto/agent/v1/nats.ts';
import { reasonOf, type Logger } from '#sdk';
import type { Counter } from 'prom-client';
import { explain, type ConversationGiven } from '../conversation.ts';
import type { Enrolment } from '../enrolment.ts';
import { problems } from '../errors.ts';
import { hubMessage } from '../stream.ts';
import { REVOKED, type Sender, type Taking } from '../taking.ts';
import type { AgentsNats } from './connection.ts';

/** Hubs that answer share the questions. */
const QUEUE = 'outrider-ingest';
/** Questions that are worked on at a time; agents ask again. */
const AT_A_TIME = 256;

/** What answering agents stands on. */
export interface QuestionsGiven {
  open: AgentsNats;
  taking: Taking;
  enrolment: Enrolment;
  delivery: ConversationGiven['delivery'];
  detection: ConversationGiven['detection'];
  isRevoked(agent: string): boolean;
  log: Logger;
  refusals: Counter;
}

async function answerTo(
  { taking, enrolment, delivery, detection, log }: QuestionsGiven,
  sender: Sender,
  { kind }: AgentMessage,
): Promise<HubMessage> {
  if (kind.case === 'ping') return taking.pong(kind.value.id);
  if (kind.case === 'renew') {
    const chain = await enrolment.renew(sender.org, sender.agent, kind.value.publicKey);
    return hubMessage({ case: 'certificate', value: { $typeName: 'outrider.agent.v1.Certificate', chain } });
  }
  // An answer without a kind: it has what it is to have.
  if (kind.case === 'settings') return (await delivery.reported(sender, kind.value)) ?? create(HubMessageSchema);
  if (kind.case === 'detection') return (await detection.reported(sender, kind.value)) ?? create(HubMessageSchema);
  if (kind.case !== 'hello') throw problems.badFrame('The agent sent a message of an unknown kind.');
  const welcome = await taking.greet(sender, kind.value);
  if (kind.value.stream !== Stream.BACKFILL)
    await taking
      .connected(sender, kind.value)
      .catch((error: unknown) =>
        log.warn('an agent that came could not be told to others', { reason: reasonOf(error) }),
      );
  return welcome;
}

/** Answers what agents ask. Who asks is read from the subject, and only its own inbox gets the answer. */
export function answerQuestions(given: QuestionsGiven): { stop(): void } {
  const { open, isRevoked, log, refusals } = given;
  let working = 0;
  const answer = async (question: NatsQuestion, message: Msg, sender: Sender): Promise<HubMessage> => {
    try {
      if (isRevoked(sender.agent)) throw problems.revoked(REVOKED);
      let asked: AgentMessage;
      try {
        asked = fromBinary(AgentMessageSchema, message.data);
      } catch (error) {
        throw problems.badFrame(undefined, { cause: error });
      }
      if (asked.kind.case !== question) throw problems.badFrame('A question came under the subject of another.');
      return await answerTo(given, sender, asked);
    } catch (error) {
      const { code, message: detail, retryable: retry } = explain(error, sender.agent, log);
      refusals.inc({ code });
      return hubMessage({ case: 'refusal', value: { $typeName: 'outrider.agent.v1.Refusal', code, detail, retry } });
    }
  };
  const take = (question: NatsQuestion, message: Msg): void => {
    const sender = readSubject(message.subject);
    if (sender === undefined || working >= AT_A_TIME) return;
    if (message.reply?.startsWith(`${agentSubjects(sender).inbox}.`) !== true) return;
    working += 1;
    void answer(question, message, sender)
      .then((reply) => message.respond(toBinary(HubMessageSchema, reply)))
      .finally(() => (working -= 1));
  };
  const subscriptions = NATS_QUESTIONS.map((question) =>
    open.nats.subscribe(everyAgent(question), {
      queue: QUEUE,
      callback(error, message) {
        if (error === null) take(question, message);
      },
    }),
  );
  return {
    stop() {
      for (const subscription of subscriptions) subscription.unsubscribe();
    },
  };
}
