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
  /** The revision that it brings back; null for one of its own, 0 for none: the group is then as if nothing had been pushed to it. */
  restores: number | null;
}

/** The newest revision of a group, and the one that its agents have where they do not have that. */
export interface GroupLine {
  newest: Revision;
  /** The newest one that all agents got; null: there is none, or it took everything back. */
  good: number | null;
}

/** An agent and what it is to have. */
export interface RolloutAgent {
  id: string;
  hostname: string;
  labels: Readonly<Record<string, string>>;
  connected: boolean;
  /** Undefined before anything was decided for it. */
  has: AgentHas | undefined;
}

/** What an agent is to have, and how far it is with that. */
export interface AgentHas {
  /** The narrowest group that fits it. What it is to have may be of a broader one. */
  group: string | null;
  revision: number | null;
  state: AgentState;
  code: string;
  /** The revision that it kept last, after it was well with it; null for none: in force whenever it is not trying another. */
  proven: number | null;
}

/** The code of an agent that takes nothing from a hub: that says nothing about what is pushed. */
export const NOT_ACCEPTED = 'pushed.not-accepted';

/** True when an agent shows that a revision is bad. */
export const isFailure = ({ state, code }: { state: AgentState; code: string }): boolean =>
  state === 'rolled-back' || (state === 'refused' && code !== NOT_ACCEPTED);

type Labelled = Pick<RolloutAgent, 'hostname' | 'labels'>;

/** True when an agent has all labels of a group. Its host's name counts as one, labels that were given to the host on the page do not. */
export function fits({ hostname, labels }: Labelled, group: Pick<SettingsGroup, 'labels'>): boolean {
  const own: Readonly<Record<string, string>> = { ...labels, hostname };
  return Object.entries(group.labels).every(([key, value]) => own[key] === value);
}

/** Orders groups: the narrowest first, which has the most labels; then by name. */
export function narrowFirst(a: SettingsGroup, b: SettingsGroup): number {
  const size = ({ labels }: SettingsGroup): number => Object.keys(labels).length;
  return size(b) - size(a) || (a.name < b.name ? -1 : 1);
}

/** True when something was pushed to a group that was not all taken back. */
export const isPushed = (line: GroupLine | undefined): line is GroupLine =>
  line !== undefined && line.newest.restores !== 0;

/** The group that an agent is in: of those whose labels it has, one that something was pushed to, so that a new group takes nothing away; then the narrowest. */
export function groupOf<Group extends SettingsGroup>(
  agent: Labelled,
  groups: readonly Group[],
  isPushedTo: (group: Group) => boolean,
): Group | undefined {
  const fitting = groups.filter((group) => fits(agent, group)).sort(narrowFirst);
  return fitting.find(isPushedTo) ?? fitting[0];
}

/** The revision of a group that an agent is to have when it is no canary; null: none of it, so that a broader group has the say. */
function wantedOf(has: AgentHas | undefined, { newest, good }: GroupLine): number | null {
  if (newest.stage === 'all') return newest.revision;
  if (has?.revision !== newest.revision) return good;
  // Nobody who has it is disturbed; a halted one is no longer handed out, and who was not well with it does not have it.
  return newest.stage === 'halted' && (has.state === 'pending' || isFailure(has)) ? good : newest.revision;
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

/** What one group gives those of its agents that no narrower one gave anything: revisions by agent, and whether its newest one now goes to all. */
function shareOf(line: GroupLine, members: Members): { revisions: Map<string, number>; widened: boolean } {
  const { newest } = line;
  const isFirst = newest.stage === 'first';
  const { trying, fresh } = isFirst ? canariesOf(newest, members) : { trying: [], fresh: [] };
  const widened = isFirst && fresh.length === 0 && trying.length > 0 && trying.every(({ has }) => has?.state === 'applied'); // prettier-ignore
  const now: GroupLine = widened ? { ...line, newest: { ...newest, stage: 'all' } } : line;
  const chosen = new Set(fresh.map(({ id }) => id));
  const revisions = new Map<string, number>();
  for (const { id, has } of members) {
    const revision = chosen.has(id) ? newest.revision : wantedOf(has, now);
    if (revision !== null) revisions.set(id, revision);
  }
  return { revisions, widened };
}

/** What an agent is to have instead of what it was not well with; that itself while nothing else than what is in force would come of it. */
function insteadOf(has: AgentHas | undefined, wanted: number | null, halted: ReadonlySet<number>): number | null {
  if (has === undefined || has.revision === null || wanted !== has.proven) return wanted;
  return isFailure(has) && halted.has(has.revision) ? has.revision : wanted;
}

/**
 * Decides which revision each agent of an org is to have: that of the narrowest group that has one for it. Until a group's first revision goes to all, and
 * when it was halted, a broader group has the say for those who do not try it.
 */
export function planRollout(
  agents: Members,
  groups: readonly SettingsGroup[],
  lines: ReadonlyMap<string, GroupLine>,
): RolloutPlan {
  const plan: RolloutPlan = { agents: [], widened: [] };
  const wanted = new Map<string, number>();
  const halted = new Set<number>();
  for (const group of groups.toSorted(narrowFirst)) {
    const line = lines.get(group.id);
    if (!isPushed(line)) continue;
    if (line.newest.stage === 'halted') halted.add(line.newest.revision);
    const members = agents.filter((agent) => !wanted.has(agent.id) && fits(agent, group));
    const { revisions, widened } = shareOf(line, members);
    for (const [id, revision] of revisions) wanted.set(id, revision);
    if (widened) plan.widened.push(line.newest.revision);
  }
  for (const agent of agents) {
    const { id, has } = agent;
    const group = groupOf(agent, groups, (one) => isPushed(lines.get(one.id)))?.id ?? null;
    const revision = insteadOf(has, wanted.get(id) ?? null, halted);
    if (has === undefined || has.group !== group || has.revision !== revision)
      plan.agents.push({ id, group, revision });
  }
  return plan;
}
