import { count } from '../../units/quantity.ts';
import type { HostState } from './state-word.tsx';

/** What the summary needs to know of a host. */
export interface HostInShort {
  name: string;
  state: HostState;
  verdict: string;
}

/** Worst first. */
export const STATES: readonly HostState[] = ['alerting', 'silent', 'strained', 'new', 'healthy'];

/** How bad a state is; 0 is worst. */
export const badness = (state: HostState): number => STATES.indexOf(state);

const WORDS: Readonly<Record<HostState, readonly [one: string, many: string]>> = {
  alerting: ['alerts', 'alert'],
  silent: ['is silent', 'are silent'],
  strained: ['is strained', 'are strained'],
  new: ['is new', 'are new'],
  healthy: ['is healthy', 'are healthy'],
};

/** How many hosts are in each state. */
export function countByState(hosts: readonly HostInShort[]): Record<HostState, number> {
  const counts = { alerting: 0, silent: 0, strained: 0, new: 0, healthy: 0 };
  for (const { state } of hosts) counts[state] += 1;
  return counts;
}

const small = (sentence: string): string =>
  sentence.replace(/\.$/, '').replace(/^([A-Z])(?=[a-z])/, (letter) => letter.toLowerCase());

/** One sentence for all hosts, and the worst state among them. */
export function summaryOf(hosts: readonly HostInShort[]): { state: HostState; sentence: string } {
  const counts = countByState(hosts);
  const worst = STATES.find((state) => counts[state] > 0) ?? 'healthy';
  const bad = STATES.slice(0, 3).filter((state) => counts[state] > 0);
  if (bad.length === 0) {
    const told = hosts.length === 1 ? `${hosts[0]?.name ?? ''} is well` : `all ${count(hosts.length)} hosts are well`;
    return {
      state: worst,
      sentence: worst === 'new' ? 'Nothing is wrong; some hosts have yet to report.' : `Nothing is wrong: ${told}.`,
    };
  }
  const troubled = hosts.filter(({ state }) => bad.includes(state));
  const [only] = troubled;
  if (troubled.length === 1 && only !== undefined)
    return { state: worst, sentence: `${only.name}: ${small(only.verdict)}.` };
  const parts = bad.map((state) => `${count(counts[state])} ${WORDS[state][counts[state] === 1 ? 0 : 1]}`);
  return { state: worst, sentence: `Of ${count(hosts.length)} hosts ${parts.join(', ')}.` };
}
