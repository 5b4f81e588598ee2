import type { CollectorOutcome } from '../schedule.ts';

/** How the agent is doing, as far as settings can spoil it. */
export interface Condition {
  /** By collector. */
  collectors: ReadonlyMap<string, CollectorOutcome>;
  /** Wall clock of the last acknowledgement; undefined before the first. */
  lastAckMs: number | undefined;
  /** Budgets that are overdrawn and steps of sacrifice that are taken. */
  strains: readonly string[];
}

/** What was so before settings were tried: they are not blamed for the rest. */
export interface Baseline {
  /** Collectors that worked. */
  working: string[];
  /** Targets that answered, by collector. */
  answering: Record<string, string[]>;
  strains: string[];
}

/** The last run was fine, and so were as many as failed: one that fails now and then is no ailment, one that works now and then is. */
const isFine = ({ runs, failed, fault }: CollectorOutcome): boolean => fault === undefined && failed * 2 <= runs;

/** What to hold a later condition against. */
export function baselineOf({ collectors, strains }: Condition): Baseline {
  const working = [...collectors].filter(([, outcome]) => outcome.runs > 0 && isFine(outcome));
  const answering = [...collectors].map(([name, { targets }]): [string, string[]] => [
    name,
    [...targets].flatMap(([target, isUp]) => (isUp ? [target] : [])),
  ]);
  return {
    working: working.map(([name]) => name),
    answering: Object.fromEntries(answering.filter(([, targets]) => targets.length > 0)),
    strains: [...strains],
  };
}

/** How long a trial was. */
export interface TrialSpan {
  begunMs: number;
  trialMs: number;
}

function faultOf(name: string, outcome: CollectorOutcome | undefined, trialMs: number): string | undefined {
  if (outcome === undefined) return `the collector ${name} does not run any more`;
  if (!isFine(outcome)) return `the collector ${name} fails: ${outcome.fault ?? 'most of its runs'}`;
  // One that runs so seldom that none was due says nothing; one that was due twice and never came does.
  if (outcome.runs === 0 && outcome.intervalMs * 2 <= trialMs) return `the collector ${name} has not run`;
  return undefined;
}

/** Targets that answered before, and did not at the last question. One that was not asked since says nothing. */
function silentTargets({ answering }: Baseline, { collectors }: Condition): string[] {
  return Object.entries(answering).flatMap(([name, before]) => {
    const now = collectors.get(name)?.targets;
    return before
      .filter((target) => now?.get(target) === false)
      .map((target) => `${target} does not answer ${name} any more`);
  });
}

/**
 * Why an agent is not well with settings at the end of their trial, one sentence each. It is well when every collector that worked before
 * still works, when every target that answered one before still does, when the hub has acknowledged a batch in the second half of the trial,
 * and when no budget is overdrawn and nothing is given up that was not before.
 */
export function ailments(before: Baseline, now: Condition, { begunMs, trialMs }: TrialSpan): string[] {
  const collectors = before.working.map((name) => faultOf(name, now.collectors.get(name), trialMs));
  const isHeard = now.lastAckMs !== undefined && now.lastAckMs >= begunMs + trialMs / 2;
  const strains = now.strains.filter((strain) => !before.strains.includes(strain));
  return [
    ...collectors.filter((fault) => fault !== undefined),
    ...silentTargets(before, now),
    ...(isHeard ? [] : ['the hub acknowledged no batch lately']),
    ...strains,
  ];
}
