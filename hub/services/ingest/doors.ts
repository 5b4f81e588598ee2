import type { HubMessage } from '#proto/agent/v1/index.ts';

/** Who an agent is. */
export interface Agent {
  org: string;
  agent: string;
}

/** Agents that are connected to this process in one way. */
export interface AgentsDoor {
  names(): readonly Agent[];
  /** Tells one of them something; false when it is not here. */
  send(agent: Agent, message: HubMessage): boolean;
}

/** All ways to agents of this process. */
export type Doors = () => readonly AgentsDoor[];

/** Agents that this process can send to. */
export const connectedTo = (doors: Doors): Agent[] => doors().flatMap((door) => door.names());

/** Tells an agent something unasked; false when it is not connected to this process. */
export const tell = (doors: Doors, agent: Agent, message: HubMessage): boolean =>
  doors().some((door) => door.send(agent, message));

/** What hears reports of agents of one kind, answers them, and brings what is due to those that are connected. */
export interface Delivering<Report> {
  /** Takes what an agent says that it has; gives what it is to have instead, if that is something else. */
  reported(agent: Agent, report: Report): Promise<HubMessage | undefined>;
  /** Looks for what is due to agents of this process, and sends it. */
  deliver(): Promise<void>;
}
