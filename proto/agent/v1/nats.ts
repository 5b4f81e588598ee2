/**
 * Agents on NATS. Everything of an agent lies below `outrider.v1.ORG.AGENT`, and its credentials open nothing else: whatever comes from there is
 * that agent's, whatever its body says.
 */
const ROOT = 'outrider.v1';

/** Who an agent is. */
export interface AgentName {
  org: string;
  agent: string;
}

/** The kinds of batches, as the last word of their subject. */
export const NATS_LANES = ['live', 'backfill'] as const;
export type NatsLane = (typeof NATS_LANES)[number];

/** Questions of an agent, as the last word of their subject: each is an `AgentMessage` and is answered by a `HubMessage`. */
export const NATS_QUESTIONS = ['hello', 'ping', 'renew', 'settings', 'detection'] as const;
export type NatsQuestion = (typeof NATS_QUESTIONS)[number];

/** The header of every message with a batch: how its two parts are packed. What has none is no batch of an agent. */
export const ENCODING_HEADER = 'Outrider-Encoding';

/** Subjects of one agent. */
export function agentSubjects({ org, agent }: AgentName) {
  const own = `${ROOT}.${org}.${agent}`;
  return {
    /** All of them: what its credentials open. */
    all: `${own}.>`,
    /** Where answers to it go; it may subscribe nowhere else. */
    inbox: `${own}.inbox`,
    /** Where the hub speaks unasked, `HubMessage`. */
    told: `${own}.inbox.told`,
    /** Where its batches go, `Batch`; kept by JetStream. */
    batch: (lane: NatsLane) => `${own}.batch.${lane}`,
    ask: (question: NatsQuestion) => `${own}.${question}`,
  };
}

/** The subject of a question from every agent. */
export const everyAgent = (question: NatsQuestion): string => `${ROOT}.*.*.${question}`;

/** The subject of batches from every agent. */
export const EVERY_BATCH = `${ROOT}.*.*.batch.*`;

/** Who speaks on a subject of an agent; undefined for any other. */
export function readSubject(subject: string): AgentName | undefined {
  const [, org, agent] = /^outrider\.v1\.([^.]+)\.([^.]+)\./.exec(subject) ?? [];
  return org === undefined || agent === undefined ? undefined : { org, agent };
}

/** What `Nats-Msg-Id` of a batch is: its key. */
export function messageId(agent: string, { epoch, lane, seq }: { epoch: bigint; lane: number; seq: bigint }): string {
  return `${agent}:${epoch}:${lane}:${seq}`;
}
