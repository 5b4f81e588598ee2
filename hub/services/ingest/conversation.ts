import {
  Stream,
  type AgentMessage,
  type Batch,
  type DetectionReport,
  type Hello,
  type HubMessage,
  type SettingsReport,
} from '#proto/agent/v1/index.ts';
import { Problem, reasonOf, type Logger } from '#sdk';
import { SpanKind, traced } from '../../tracing.ts';
import type { Enrolment } from './enrolment.ts';
import { problems } from './errors.ts';
import type { Delivering } from './doors.ts';
import { hubMessage, type Wire } from './stream.ts';
import type { Taking } from './taking.ts';

const GRPC = {
  kind: SpanKind.SERVER,
  attributes: { 'rpc.system.name': 'grpc', 'rpc.method': 'outrider.agent.v1.Link/Connect' },
};

/** What a conversation calls on its way. */
export interface ConversationGiven {
  taking: Taking;
  enrolment: Enrolment;
  delivery: Pick<Delivering<SettingsReport>, 'reported'>;
  detection: Pick<Delivering<DetectionReport>, 'reported'>;
  /** Hears which kind of stream this is, before the agent is welcomed. */
  greeted(kind: Stream): void;
}

/** Why a message was not handled, in words for its agent. Whatever the agent cannot help is to be tried again. */
export function explain(error: unknown, agent: string, log: Logger): Problem {
  if (error instanceof Problem) {
    // A table that the store does not know comes again with a new connection.
    if (error.retryable || error.code !== 'series.unknown-table') return error;
    const { code, status, title, message } = error;
    return new Problem(code, { status, title, retryable: true }, message);
  }
  log.error('a batch could not be stored; its agent will send it again', { agent, reason: reasonOf(error) });
  return problems.notStored('Send it again later.');
}

/** What the messages of one stream mean, from its hello on; they are to be handled one after another. */
export function createConversation(given: ConversationGiven, wire: Wire): (message: AgentMessage) => Promise<void> {
  const { taking } = given;
  let hello: { epoch: bigint } | undefined;

  const greet = async (value: Hello): Promise<void> => {
    if (hello !== undefined) throw problems.badFrame('The agent said hello twice.');
    given.greeted(value.stream);
    const welcome = await taking.greet(wire, value);
    hello = { epoch: value.epoch };
    wire.send(welcome);
    if (value.stream !== Stream.BACKFILL) await taking.connected(wire, value);
  };

  const store = async (batch: Batch): Promise<void> => {
    if (hello === undefined) throw problems.badFrame('The agent sent a batch before its hello.');
    const { epoch, lane, seq } = batch;
    if (epoch !== hello.epoch) throw problems.badFrame('The epoch of a batch is not that of the hello.');
    await taking.take(wire, batch);
    wire.send(hubMessage({ case: 'ack', value: { $typeName: 'outrider.agent.v1.Ack', epoch, lane, seq } }));
  };

  /** Nothing: it has what it is to have. */
  const answerWith = (answer: HubMessage | undefined): void => {
    if (answer !== undefined) wire.send(answer);
  };

  return async ({ kind }) => {
    if (kind.case === 'hello') return greet(kind.value);
    if (kind.case === 'batch') return traced('batch', GRPC, () => store(kind.value));
    if (hello === undefined) throw problems.badFrame('The agent asked for something before its hello.');
    if (kind.case === 'settings') return answerWith(await given.delivery.reported(wire, kind.value));
    if (kind.case === 'detection') return answerWith(await given.detection.reported(wire, kind.value));
    if (kind.case !== 'renew') throw problems.badFrame('The agent sent a message of an unknown kind.');
    const chain = await given.enrolment.renew(wire.org, wire.agent, kind.value.publicKey);
    wire.send(hubMessage({ case: 'certificate', value: { $typeName: 'outrider.agent.v1.Certificate', chain } }));
  };
}
