import { AGENT_STATES, isFailure, isPushed, type AgentHas, type GroupLine, type RolloutAgent } from './rollout.ts';

/**
 * How far an agent is with the newest revision of a group that fits it. waiting: its turn has not come. kept: it keeps what it had, because that revision
 * was halted. elsewhere: it has what was pushed to another group that fits it, or would have.
 */
export const STANDINGS = [...AGENT_STATES, 'waiting', 'kept', 'elsewhere'] as const;
export type Standing = (typeof STANDINGS)[number];
/** Those of agents that are in the group. */
export const OWN_STANDINGS = [...AGENT_STATES, 'waiting', 'kept'] as const;

type Has = RolloutAgent['has'];

/** How far an agent is with what was pushed to a group last. */
export function standingOf(has: Has, group: string, line: GroupLine | undefined): Standing {
  // It has enrolled and not come yet.
  if (has === undefined) return line === undefined || line.newest.stage === 'all' ? 'pending' : 'waiting';
  if (has.group !== group) return 'elsewhere';
  if (!isPushed(line) || has.revision === line.newest.revision) return has.state;
  return line.newest.stage === 'halted' ? 'kept' : 'waiting';
}

/** The revision that is in force on an agent, as far as it has said; null: nothing that was pushed. */
export function inForceOf(has: Has): number | null {
  if (has === undefined) return null;
  return has.state === 'applied' || has.state === 'trying' ? has.revision : has.proven;
}

/** The revision that an agent has without a further push: what is on its way to it counts as there. */
export const heldBy = (has: AgentHas | undefined): number | null =>
  has === undefined ? null : isFailure(has) || has.state === 'refused' ? has.proven : has.revision;

/** Counts agents of a group by how far they are. */
export function countStandings(standings: readonly Standing[]): Record<Exclude<Standing, 'elsewhere'>, number> {
  const counts = Object.fromEntries(OWN_STANDINGS.map((standing) => [standing, 0])) as Record<Exclude<Standing, 'elsewhere'>, number>; // prettier-ignore
  for (const standing of standings) if (standing !== 'elsewhere') counts[standing] += 1;
  return counts;
}
