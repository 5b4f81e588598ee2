import { create } from '@bufbuild/protobuf';
import { DetectionSchema, type DetectionReport, type HubMessage } from '#proto/agent/v1/index.ts';
import { reasonOf, type Logger } from '#sdk';
import { LRUCache } from 'lru-cache';
import type { Peers } from '../../../ports/peers.ts';
import { connectedTo, tell, type Agent, type Delivering, type Doors } from '../doors.ts';
import { problems } from '../errors.ts';
import { hubMessage } from '../stream.ts';

/** Agents that one question names. */
const AT_ONCE = 10_000;
/** Agents whose report waits for the predictions service. */
const WAITING = 20_000;
/** Models that an agent is asked about: one for each alias, and a stranger's few. */
const MOST_MODELS = 4;
const PROBLEM_LENGTH = 2000;
/** So many in a row for which nothing can be had are not about them. */
const MOST_FAILURES = 3;

/** What bringing agents what they detect by stands on. */
export interface DetectionGiven {
  peers: Peers;
  log: Logger;
  agents: Doors;
}

/** What the predictions service says that an agent is to have. */
interface Answer {
  detection: {
    revision: number;
    document: string;
    models: { alias: string; version: string; digest: string; document: string }[];
  } | null;
}

const messageOf = ({ detection }: Answer): HubMessage | undefined =>
  detection === null
    ? undefined
    : hubMessage({
        case: 'detection',
        value: create(DetectionSchema, {
          revision: BigInt(detection.revision),
          document: detection.document,
          models: detection.models.map(({ digest, ...model }) => ({ ...model, digest: Buffer.from(digest, 'hex') })),
        }),
      });

/** A report within the bounds of who takes it. */
function bodyOf({ org, agent }: Agent, { revision, models }: DetectionReport): string {
  if (revision > BigInt(Number.MAX_SAFE_INTEGER))
    throw problems.badFrame('The agent names a revision that nobody gave.');
  const told = models.slice(0, MOST_MODELS).map(({ version, alias, inUse, problem }) => ({
    ...{ version: version.slice(0, 128), alias: alias.slice(0, 64), inUse, problem: problem.slice(0, PROBLEM_LENGTH) },
  }));
  return JSON.stringify({ org, agent, revision: Number(revision), models: told });
}

/**
 * Brings agents what they detect by, as the predictions service decides it, and hears what they have. An agent's stream does not depend on that service: a report
 * that it cannot take now is handed to it later, and answered then.
 */
export function createDetectionDelivery({ peers, log, agents: doors }: DetectionGiven): Delivering<DetectionReport> {
  const waiting = new LRUCache<string, { who: Agent; body: string }>({ max: WAITING });
  const hand = async (body: string): Promise<HubMessage | undefined> =>
    messageOf(await peers.json('predictions', { method: 'POST', path: '/internal/predictions/reports', body }));
  /** Failures since something was had. */
  let failures = 0;
  /** What cannot be had for one agent keeps no other one waiting; what nobody gets now is tried again later. */
  const alone = async (agent: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
      failures = 0;
    } catch (error) {
      failures += 1;
      if (failures > MOST_FAILURES) throw error;
      log.warn('what an agent is to detect by could not be brought to it; it is tried again', { agent, reason: reasonOf(error) }); // prettier-ignore
    }
  };
  const handWaiting = async (here: ReadonlySet<string>): Promise<void> => {
    for (const [agent, { who, body }] of [...waiting.entries()]) {
      if (!here.has(agent)) waiting.delete(agent);
      else
        await alone(agent, async () => {
          const answer = await hand(body);
          if (waiting.get(agent)?.body === body) waiting.delete(agent);
          if (answer !== undefined) tell(doors, who, answer);
        });
    }
  };
  return {
    async reported({ org, agent }, report) {
      const [who, body] = [{ org, agent }, bodyOf({ org, agent }, report)];
      try {
        const answer = await hand(body);
        waiting.delete(agent);
        return answer;
      } catch (error) {
        waiting.set(agent, { who, body });
        log.warn('what an agent detects by could not be looked up; it is tried again', {
          agent,
          reason: reasonOf(error),
        });
        return undefined;
      }
    },
    async deliver() {
      const online = connectedTo(doors).map(({ agent }) => agent);
      await handWaiting(new Set(online));
      for (let from = 0; from < online.length; from += AT_ONCE) {
        const body = JSON.stringify({ agents: online.slice(from, from + AT_ONCE) });
        const ask = { method: 'POST', path: '/internal/predictions/due', body } as const;
        const { items } = await peers.json<{ items: Agent[] }>('predictions', ask);
        for (const who of items)
          await alone(who.agent, async () => {
            const query = `org=${who.org}&agent=${who.agent}`;
            const path = '/internal/predictions/detection';
            const message = messageOf(await peers.json('predictions', { method: 'GET', path, query }));
            if (message !== undefined) tell(doors, who, message);
          });
      }
    },
  };
}
