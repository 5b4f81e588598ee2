import type { PushedDocument } from '../../../../proto/agent/v1/pushed.ts';

import { someOf } from './fitting.ts';

/** Hosts that a sentence names. */
const NAMED = 5;

/** How far an agent is, as the hub tells it. */
export type AgentState =
  'pending' | 'trying' | 'applied' | 'refused' | 'rolled-back' | 'waiting' | 'kept' | 'elsewhere';

/** A revision, as far as words about it need it. */
export interface RevisionFacts {
  revision: number;
  settings: PushedDocument;
  restores: number | null;
  canaries: number;
  stage: 'first' | 'all' | 'halted';
  haltedBecause: string;
}

/** What a person calls how far an agent is. */
export type StateName =
  'healthy' | 'trying' | 'sending' | 'waiting' | 'kept' | 'offline' | 'rolled back' | 'refused' | 'own' | 'elsewhere';

/** A group, as far as it is named. */
export interface GroupName {
  id: string;
  name: string;
}

/** How far an agent is, in a word. `isPushed`: something was pushed to its group at all. */
export function stateName(
  { state, connected }: { state: AgentState; connected: boolean },
  isPushed: boolean,
): StateName {
  if (state === 'elsewhere') return state;
  if (!isPushed) return 'own';
  if (state === 'applied') return 'healthy';
  if (state === 'rolled-back') return 'rolled back';
  if (state === 'pending') return connected ? 'sending' : 'offline';
  return state;
}

/** A figure about the agents of a group: its name, how many they are, and whether that is good. */
export type Figure = readonly [name: string, count: number, tone: 'good' | 'info' | 'warning' | 'critical' | undefined];

/** How many agents of a group are how far. After a halt nobody waits any more: what the others keep is counted instead. */
export function figuresOf(names: readonly StateName[], isHalted: boolean): Figure[] {
  const count = (...of: readonly StateName[]): number => names.filter((name) => of.includes(name)).length;
  const healthy = count('healthy');
  const moving = count('trying', 'sending');
  const offline = count('offline');
  const bad: Figure = ['Rolled back or refused', count('rolled back', 'refused'), 'critical'];
  if (!isHalted)
    return [
      ['Healthy', healthy, 'good'],
      ['Trying, or on the way', moving, 'info'],
      ['Waiting', count('waiting'), undefined],
      ['Offline', offline, 'warning'],
      bad,
    ];
  const still: Figure[] = [
    ['Have it, healthy', healthy, 'good'],
    ['Still trying it', moving + offline, 'info'],
  ];
  return [bad, ['Keep what they had', count('kept', 'waiting'), undefined], ...still.filter(([, many]) => many > 0)];
}

/** What is in force on an agent, for who looks at a group. */
export function inForceWords(
  { state, inForce }: { state: AgentState; inForce: { revision: number; group: GroupName | null } | null },
  group: string,
): string {
  if (inForce === null) return 'its own settings';
  const { revision, group: of } = inForce;
  const whose = of === null ? ' of a removed group' : of.id === group ? '' : ` of ${of.name}`;
  return `revision ${revision}${whose}${state === 'trying' ? ', on trial' : ''}`;
}

/** What agents have now that a push reaches, in a sentence that names them. */
export function nowWords(
  { revision, group, agents: many, hosts }: { revision: number | null; group: GroupName | null; agents: number; hosts: readonly string[] }, // prettier-ignore
  own: string,
): string {
  const who = `${many === 1 ? 'One agent' : `${many} agents`} (${someOf(hosts, NAMED, many)})`;
  const verb = many === 1 ? 'has' : 'have';
  if (revision === null) return `${who} ${verb} nothing that was pushed`;
  const whose = group === null ? ' of a removed group' : group.id === own ? ' of this group' : ` of ${group.name}`;
  return `${who} ${verb} revision ${revision}${whose}`;
}

const agents = (count: number): string => (count === 1 ? 'one agent' : `${count} agents`);

/** How far a revision is, in a sentence. */
export function stageWords({ stage, canaries, haltedBecause }: RevisionFacts): string {
  if (stage === 'halted') return `Halted, and handed out to nobody any more: ${haltedBecause.replace(/\.$/, '')}.`;
  if (stage === 'all') return 'Every agent of the group gets it.';
  return `${canaries === 1 ? 'One agent tries' : `${canaries} agents try`} it first; the others get it when that goes well.`;
}

/** Who gets what is pushed, and when. */
export function reachWords(size: number, canaries: number): string {
  if (size === 0) return 'No agent is in the group now. Those that join get it.';
  if (canaries === 0) return `It goes to ${agents(size)} at once.`;
  if (canaries >= size)
    return `It goes to ${agents(size)}, ${size === 1 ? 'which tries' : 'all of which try'} it first.`;
  return `It goes to ${agents(canaries)} first, and to the other ${size - canaries} when ${canaries === 1 ? 'that one is' : 'all of those are'} well with it.`;
}

/** What agents hold a new document against: the newest revision, or where that was halted the one before it that everyone got. */
export function heldOf<R extends RevisionFacts>(newestFirst: readonly R[]): R | undefined {
  const [newest] = newestFirst;
  return newest?.stage === 'halted' ? newestFirst.find(({ stage }) => stage === 'all') : newest;
}

/** What an undo of the newest revision brings back; undefined when there is nothing to undo. Revision 0: nothing that was pushed. */
export function undoOf(
  newestFirst: readonly RevisionFacts[],
): { revision: number; restores: number; settings: PushedDocument } | undefined {
  const [newest] = newestFirst;
  if (newest === undefined || newest.restores === 0) return undefined;
  const before = newest.restores ?? newest.revision;
  const good = newestFirst.find(({ revision, stage }) => stage === 'all' && revision < before);
  return { revision: newest.revision, restores: good?.revision ?? 0, settings: good?.settings ?? {} };
}
