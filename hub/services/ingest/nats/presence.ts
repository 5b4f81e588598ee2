import { toBinary } from '@bufbuild/protobuf';
import { HubMessageSchema, type HubMessage } from '#proto/agent/v1/index.ts';
import { agentSubjects, type AgentName } from '#proto/agent/v1/nats.ts';
import { reasonOf, type Clock, type Logger } from '#sdk';
import { problems } from '../errors.ts';
import { hubMessage } from '../stream.ts';
import { REVOKED, type Taking } from '../taking.ts';
import type { AgentsNats } from './connection.ts';
import { AGENTS_ACCOUNT } from './keys.ts';

const ANSWER_MS = 1_000;
/** How often the servers are asked who is there, milliseconds. Who is not there twice in a row is gone: a server that ended tells of nobody's end. */
const LOOK_MS = 10_000;
/** Connections that a server tells of at once. */
const MOST = 100_000;

interface Connection {
  cid: number;
  name?: string;
  authorized_user?: string;
}

/** A server's news of one connection. */
interface Advisory {
  client: { id: number; user?: string; name?: string };
  server: { id: string };
}

const agentOf = (user: string | undefined): AgentName | undefined => {
  const [org, agent, more] = (user ?? '').split('.');
  return org === undefined || org === '' || agent === undefined || more !== undefined ? undefined : { org, agent };
};

/** Connections of the servers, of one user if it is named. */
async function connections(open: AgentsNats, user?: string): Promise<{ server: string; connection: Connection }[]> {
  const wish = { auth: true, limit: MOST, ...(user === undefined ? { acc: AGENTS_ACCOUNT } : { user }) };
  const answers = await open.system.requestMany('$SYS.REQ.SERVER.PING.CONNZ', JSON.stringify(wish), {
    maxWait: ANSWER_MS,
    strategy: 'stall',
    stall: 200,
  });
  const found: { server: string; connection: Connection }[] = [];
  for await (const answer of answers) {
    const { server, data } = answer.json<{ server: { id: string }; data?: { connections?: Connection[] } }>();
    for (const connection of data?.connections ?? []) found.push({ server: server.id, connection });
  }
  return found;
}

/** Tells an agent that it was removed and ends its connections on every server. */
async function cutOff(open: AgentsNats, agent: AgentName): Promise<void> {
  const { code, message: detail } = problems.revoked(REVOKED);
  const value = { $typeName: 'outrider.agent.v1.Refusal' as const, code, detail, retry: false };
  open.nats.publish(agentSubjects(agent).told, toBinary(HubMessageSchema, hubMessage({ case: 'refusal', value })));
  await open.nats.flush();
  for (const { server, connection } of await connections(open, `${agent.org}.${agent.agent}`))
    await open.system.request(`$SYS.REQ.SERVER.${server}.KICK`, JSON.stringify({ cid: connection.cid }));
}

/** What watching stands on. */
export interface PresenceGiven {
  open: AgentsNats;
  taking: Taking;
  clock: Clock;
  log: Logger;
}

/** Who is there, and the telling of those who go. */
function createRoster({ taking, log }: PresenceGiven) {
  /** How often in a row a connection was not among those that the servers told of. */
  const live = new Map<string, { agent: AgentName; connections: Map<string, number> }>();
  /** Agents that are gone while nobody could be told yet. */
  const untold = new Map<string, AgentName>();
  const tell = (agent: AgentName): void => {
    untold.delete(agent.agent);
    taking.gone(agent).catch((error: unknown) => {
      log.warn('an agent that is gone could not be told to others', { reason: reasonOf(error) });
      if (!live.has(agent.agent)) untold.set(agent.agent, agent);
    });
  };
  const goes = (agent: AgentName, connection: string): void => {
    const there = live.get(agent.agent);
    if (there?.connections.delete(connection) !== true || there.connections.size > 0) return;
    live.delete(agent.agent);
    tell(agent);
  };
  return {
    live,
    goes,
    come(agent: AgentName, connection: string): void {
      const there = live.get(agent.agent) ?? { agent, connections: new Map<string, number>() };
      there.connections.set(connection, 0);
      live.set(agent.agent, there);
      untold.delete(agent.agent);
    },
    /** Takes what the servers told of; who was there before and is missing twice in a row has gone. */
    async compare(look: () => Promise<ReadonlySet<string>>): Promise<void> {
      for (const agent of [...untold.values()]) tell(agent);
      const before = [...live.values()].flatMap(({ agent, connections: of }) =>
        [...of.keys()].map((connection) => ({ agent, connection, of })),
      );
      const found = await look().catch(() => new Set<string>());
      for (const { agent, connection, of } of before) {
        const misses = found.has(connection) ? 0 : (of.get(connection) ?? 0) + 1;
        if (misses > 1) goes(agent, connection);
        else if (of.has(connection)) of.set(connection, misses);
      }
    },
  };
}

/** Who is connected over NATS, as the servers tell it, and how to end that. */
export function watchPresence(given: PresenceGiven) {
  const { open, clock } = given;
  const { live, come, goes, compare } = createRoster(given);
  /** Looks who is there already; gives their connections. Servers that do not answer tell of nobody. */
  const look = async (): Promise<ReadonlySet<string>> => {
    const found = new Set<string>();
    for (const { server, connection } of open.isUp() ? await connections(open) : []) {
      const agent = agentOf(connection.authorized_user);
      if (agent === undefined || connection.name !== 'live') continue;
      found.add(`${server} ${connection.cid}`);
      come(agent, `${server} ${connection.cid}`);
    }
    return found;
  };
  const end = clock.every(LOOK_MS, () => void compare(look));
  const hear = (event: string, then: (agent: AgentName, connection: string) => void) =>
    open.system.subscribe(`$SYS.ACCOUNT.${AGENTS_ACCOUNT}.${event}`, {
      callback(error, message) {
        if (error !== null) return;
        const { client, server } = message.json<Advisory>();
        const agent = agentOf(client.user);
        if (agent !== undefined && client.name === 'live') then(agent, `${server.id} ${client.id}`);
      },
    });
  const subscriptions = [hear('CONNECT', come), hear('DISCONNECT', goes)];
  return {
    look,
    names: (): AgentName[] => [...live.values()].map(({ agent }) => agent),
    /** Tells an agent something unasked; false when it is not connected. */
    send(agent: AgentName, message: HubMessage): boolean {
      if (!live.has(agent.agent)) return false;
      open.nats.publish(agentSubjects(agent).told, toBinary(HubMessageSchema, message));
      return true;
    },
    /** Cuts agents off that are connected. */
    async revoke(agents: readonly string[]): Promise<void> {
      for (const agent of agents) {
        const there = live.get(agent);
        if (there !== undefined) await cutOff(open, there.agent);
      }
    },
    stop(): void {
      end();
      for (const subscription of subscriptions) subscription.unsubscribe();
    },
  };
}
export type Presence = ReturnType<typeof watchPresence>;
