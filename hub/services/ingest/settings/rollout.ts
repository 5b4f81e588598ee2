/** How far an agent is with the revision that it is to have. */
export const AGENT_STATES = ['pending', 'trying', 'applied', 'refused', 'rolled-back'] as const;
export type AgentState = (typeof AGENT_STATES)[number];

/** first: a few agents try it. all: everyone gets it. halted: nobody gets it any more. */
export const STAGES = ['first', 'all', 'halted'] as const;
export type Stage = (typeof STAGES)[number];

/** Agents that have all of the labels. */
export interface SettingsGroup {
  id: string;
  name: string;
  labels: Readonly<Record<string, string>>;
}

/** One version of what is pushed to a group. */
export interface Revision {
  revision: number;
  canaries: number;
  stage: Stage;
}

/** The newest revision of a group, and the one that its agents have where they do not have that. */
export interface GroupLine {
  newest: Revision | undefined;
  /** The newest one before it that all agents got. */
  good: number | null;
}

/** An agent and what it is to have. */
export interface RolloutAgent {
  id: string;
  hostname: string;
  labels: Readonly<Record<string, string>>;
  connected: boolean;
  /** Undefined before anything was decided for it. */
  has: { group: string | null; revision: number | null; state: AgentState; code: string } | undefined;
}

/** The code of an agent that takes nothing from a hub: that says nothing about what is pushed. */
export const NOT_ACCEPTED = 'pushed.not-accepted';

/** True when an agent shows that a revision is bad. */
export const isFailure = ({ state, code }: { state: AgentState; code: string }): boolean =>
  state === 'rolled-back' || (state === 'refused' && code !== NOT_ACCEPTED);

/** Labels that a group may name: the agent's own, and its host's name. */
const labelsOf = ({
  hostname,
  labels,
}: Pick<RolloutAgent, 'hostname' | 'labels'>): Readonly<Record<string, string>> => ({
  ...labels,
  hostname,
});

/**
 * The group that an agent is in: of those whose labels it has, one that something was pushed to, so that a new group takes nothing away; then the one
 * with the most labels, then the first by name.
 */
export function groupOf<Group extends SettingsGroup>(
  agent: Pick<RolloutAgent, 'hostname' | 'labels'>,
  groups: readonly Group[],
  isPushedTo: (group: Group) => boolean,
): Group | undefined {
  const own = labelsOf(agent);
  const size = ({ labels }: Group): number => Object.keys(labels).length;
  const fitting = groups.filter(({ labels }) => Object.entries(labels).every(([key, value]) => own[key] === value));
  return fitting.sort(
    (a, b) => Number(isPushedTo(b)) - Number(isPushedTo(a)) || size(b) - size(a) || (a.name < b.name ? -1 : 1),
  )[0];
}

/** The revision that an agent is to have, when it is no canary; null: nothing that was pushed. */
export function wantedOf(has: RolloutAgent['has'], { newest, good }: GroupLine): number | null {
  if (newest === undefined) return null;
  if (newest.stage === 'all') return newest.revision;
  if (has?.revision !== newest.revision) return good;
  // Nobody who has it is disturbed; a halted one is no longer handed out.
  return newest.stage === 'halted' && has.state === 'pending' ? good : newest.revision;
}

/** What is to change in an org. */
export interface RolloutPlan {
  agents: { id: string; group: string | null; revision: number | null }[];
  /** Revisions that a few were well with: now everyone gets them. */
  widened: number[];
}

type Members = readonly RolloutAgent[];

/** Who tries a revision: those who do already, and as many connected ones as are missing. */
function canariesOf({ revision, canaries }: Revision, members: Members): { trying: Members; fresh: Members } {
  const trying = members.filter(({ has }) => has?.revision === revision && has.code !== NOT_ACCEPTED);
  const others = members.filter(({ has, connected }) => connected && has?.revision !== revision);
  const fresh = others
    .sort((a, b) => (a.hostname < b.hostname ? -1 : 1))
    .slice(0, Math.max(0, canaries - trying.length));
  return { trying, fresh };
}

/** Decides which revision each agent of an org is to have. */
export function planRollout(
  agents: Members,
  groups: readonly SettingsGroup[],
  lines: ReadonlyMap<string, GroupLine>,
): RolloutPlan {
  const members = new Map<string | null, RolloutAgent[]>();
  for (const agent of agents) {
    const group = groupOf(agent, groups, ({ id }) => lines.has(id))?.id ?? null;
    const of = members.get(group);
    if (of === undefined) members.set(group, [agent]);
    else of.push(agent);
  }
  const plan: RolloutPlan = { agents: [], widened: [] };
  for (const [group, of] of members) {
    let line = (group === null ? undefined : lines.get(group)) ?? { newest: undefined, good: null };
    const chosen = new Set<string>();
    const { newest } = line;
    if (newest?.stage === 'first') {
      const { trying, fresh } = canariesOf(newest, of);
      for (const { id } of fresh) chosen.add(id);
      if (fresh.length === 0 && trying.length > 0 && trying.every(({ has }) => has?.state === 'applied')) {
        plan.widened.push(newest.revision);
        line = { ...line, newest: { ...newest, stage: 'all' } };
      }
    }
    for (const { id, has } of of) {
      const revision = chosen.has(id) && newest !== undefined ? newest.revision : wantedOf(has, line);
      if (has === undefined || has.group !== group || has.revision !== revision)
        plan.agents.push({ id, group, revision });
    }
  }
  return plan;
}
