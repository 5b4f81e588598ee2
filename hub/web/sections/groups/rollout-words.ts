import type { PushedDocument } from '../../../../proto/agent/v1/pushed.ts';

/** How far an agent is, as the hub tells it. */
export type AgentState = 'pending' | 'trying' | 'applied' | 'refused' | 'rolled-back' | 'waiting';

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
export type StateName = 'healthy' | 'trying' | 'sending' | 'waiting' | 'offline' | 'rolled back' | 'refused' | 'own';

/** How far an agent is, in a word. `isPushed`: something was pushed to its group at all. */
export function stateName(
  { state, connected }: { state: AgentState; connected: boolean },
  isPushed: boolean,
): StateName {
  if (!isPushed) return 'own';
  if (state === 'applied') return 'healthy';
  if (state === 'rolled-back') return 'rolled back';
  if (state === 'pending') return connected ? 'sending' : 'offline';
  return state;
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
