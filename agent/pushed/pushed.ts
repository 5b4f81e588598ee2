import { create } from '@bufbuild/protobuf';
import {
  SettingsReportSchema,
  SettingsState as State,
  type PushedSettings as PushedMessage,
  type SettingsReport,
} from '#proto/agent/v1/index.ts';
import { digestOf } from '#proto/agent/v1/pushed-digest.ts';
import { reasonOf, type Cancel, type Clock, type Component, type Logger } from '#sdk';
import type { PushedSettings } from './config.ts';
import { readDocument } from './document.ts';
import { ailments, baselineOf, type Condition } from './health.ts';
import { inForce, readKept, writeKept, type Kept, type Pushed, type Verdict } from './kept.ts';

/** A trial in which the agent was started so often without an orderly stop before is given up. */
const STARTS = 2;

const NONE = '0';
const NOT_ACCEPTED = 'pushed.not-accepted';
const UNFIT = 'pushed.unfit';
/** What is told of a problem is cut at this length. */
const PROBLEM_LENGTH = 2000;
const STATES: Record<Verdict['state'], State> = {
  trying: State.TRYING,
  applied: State.APPLIED,
  refused: State.REFUSED,
  'rolled-back': State.ROLLED_BACK,
};

/** What the link passes on between the hub and these settings. */
export interface SettingsExchange {
  /** Takes what the hub pushed. */
  take(pushed: PushedMessage): void;
  /** Says what became of it: now, and whenever that changes. Returns what ends this. */
  watch(tell: (report: SettingsReport) => void): Cancel;
}

/** What trying out pushed settings stands on. */
export interface PushedGiven {
  dataFolder: string;
  /** Names of the collectors that this agent has. */
  collectors: readonly string[];
  /** Those in force. */
  settings(): { pushed: PushedSettings };
  /** Rejects when settings cannot be made with these. */
  check(candidate: Pushed): Promise<unknown>;
  /** Why those that are kept were left out at this start; undefined when they were not. */
  unfit: string | undefined;
  /** Takes into use what is kept; resolves with the reason when that cannot be. */
  reload(): Promise<string | undefined>;
  condition(): Condition;
  clock: Clock;
  log: Logger;
}

/** Settings that the hub pushes: judged, kept, tried out, and taken back when the agent is not well with them. */
export interface PushedPart extends Component, SettingsExchange {
  /** What became of the last ones; undefined while the hub has pushed none. */
  verdict(): Verdict | undefined;
  /** The revision that is in force, on trial or kept; undefined when nothing of the hub is. */
  revision(): string | undefined;
  /** To be called when the agent's other settings have changed. */
  settingsChanged(): void;
}

function tryWrite(dataFolder: string, kept: Kept): boolean {
  try {
    writeKept(dataFolder, kept);
    return true;
  } catch {
    return false; // A full disk keeps no agent from starting; the trial goes on and ends by itself.
  }
}

/**
 * To be called once at each start, before the settings are used: counts it, when a trial goes on. True when what is kept has changed, because the
 * agent ended too often during the trial.
 */
export function countStart(dataFolder: string, nowMs: number): boolean {
  const kept = readKept(dataFolder);
  if (kept?.trial === undefined) return false;
  const { pushed, starts } = kept.trial;
  if (starts + 1 < STARTS) {
    return tryWrite(dataFolder, { ...kept, trial: { ...kept.trial, starts: starts + 1 } }) && false;
  }
  const problem = `the agent ended ${STARTS} times while they were tried out`;
  const verdict = verdictOn(pushed, { state: 'rolled-back', code: 'pushed.ended', problem }, nowMs);
  return tryWrite(dataFolder, { ...provenOf(kept), verdict });
}

type PushedName = Pick<Pushed, 'revision' | 'digest'>;
type Judgement = Pick<Verdict, 'state'> & Partial<Pick<Verdict, 'code' | 'problem'>>;

const provenOf = ({ proven }: Kept): Pick<Kept, 'proven'> => (proven === undefined ? {} : { proven });

const verdictOn = (
  { revision, digest }: PushedName,
  { state, code = '', problem = '' }: Judgement,
  atMs: number,
): Verdict => ({ revision, digest, state, code, problem, atMs });

function reportOf(verdict: Verdict | undefined): SettingsReport {
  if (verdict === undefined) return create(SettingsReportSchema, { state: State.APPLIED });
  const { revision, digest, state, code, problem } = verdict;
  return create(SettingsReportSchema, { revision: BigInt(revision), digest, state: STATES[state], code, problem });
}

/** The state of trying settings out. */
interface Machine {
  readonly given: PushedGiven;
  readonly listeners: Set<(report: SettingsReport) => void>;
  kept: Kept;
  /** When the trial began in this process. */
  begunMs: number;
  cancel: Cancel | undefined;
  chain: Promise<void>;
}

function inTurn(machine: Machine, work: () => Promise<void> | void): Promise<void> {
  machine.chain = machine.chain.then(work).catch((error: unknown) => {
    machine.given.log.error('pushed settings could not be handled', { reason: reasonOf(error) });
    // The disk is full, say: what is on trial is judged again.
    if (machine.kept.trial !== undefined) watchTrial(machine);
  });
  return machine.chain;
}

function keep(machine: Machine, next: Kept): void {
  writeKept(machine.given.dataFolder, next);
  machine.kept = next;
}

function conclude(machine: Machine, next: Omit<Kept, 'verdict'>, of: PushedName, judged: Judgement): void {
  keep(machine, { ...next, verdict: verdictOn(of, judged, machine.given.clock.now()) });
  announce(machine);
}

function announce(machine: Machine): void {
  for (const tell of machine.listeners) tell(reportOf(machine.kept.verdict));
}

async function judge(machine: Machine, revision: string, text: string): Promise<void> {
  const { settings, collectors, check, reload } = machine.given;
  const of = { revision, digest: digestOf(text) };
  const { verdict } = machine.kept;
  if (verdict?.revision === revision && verdict.digest === of.digest) return announce(machine);
  if (revision === NONE) {
    endTrial(machine);
    conclude(machine, {}, of, { state: 'applied' });
    await reload();
    return;
  }
  if (!settings().pushed.accept)
    return refuse(machine, of, NOT_ACCEPTED, 'this agent takes no settings from the hub: pushed.accept is false');
  const { document, problem } = readDocument(text, collectors);
  if (problem !== undefined) return refuse(machine, of, 'pushed.not-allowed', problem);
  const fault = await check({ ...of, document }).then(() => undefined, reasonOf);
  if (fault !== undefined) return refuse(machine, of, UNFIT, fault);
  await tryOut(machine, { ...of, document });
}

function refuse(machine: Machine, of: PushedName, code: string, problem: string): void {
  const { verdict: _last, ...rest } = machine.kept;
  conclude(machine, rest, of, { state: 'refused', code, problem: problem.slice(0, PROBLEM_LENGTH) });
  machine.given.log.warn('pushed settings were refused; nothing has changed', {
    revision: of.revision,
    reason: problem,
  });
}

async function tryOut(machine: Machine, pushed: Pushed): Promise<void> {
  const { condition, reload, log } = machine.given;
  // Settings that were still being tried are not what the agent is measured by.
  const before = machine.kept.trial?.before ?? baselineOf(condition());
  endTrial(machine);
  conclude(machine, { ...provenOf(machine.kept), trial: { pushed, starts: 0, before } }, pushed, { state: 'trying' });
  const fault = await reload();
  if (fault !== undefined) return rollBack(machine, pushed, `they cannot be used: ${fault}`);
  watchTrial(machine);
  log.info('pushed settings are tried out', { revision: pushed.revision });
}

function watchTrial(machine: Machine): void {
  const { clock, settings } = machine.given;
  endTrial(machine);
  machine.begunMs = clock.now();
  machine.cancel = clock.after(
    settings().pushed.trialSeconds * 1000,
    () => void inTurn(machine, () => decide(machine)),
  );
}

function endTrial(machine: Machine): void {
  machine.cancel?.();
  machine.cancel = undefined;
}

async function decide(machine: Machine): Promise<void> {
  const { settings, condition, log } = machine.given;
  const { trial } = machine.kept;
  if (trial === undefined) return;
  endTrial(machine);
  const { pushed, before } = trial;
  const trialMs = settings().pushed.trialSeconds * 1000;
  const faults = ailments(before, condition(), { begunMs: machine.begunMs, trialMs });
  if (faults.length > 0) return rollBack(machine, pushed, faults.join('; '));
  conclude(machine, { proven: pushed }, pushed, { state: 'applied' });
  log.info('pushed settings are kept: the agent is well with them', { revision: pushed.revision });
}

async function rollBack(machine: Machine, pushed: Pushed, problem: string): Promise<void> {
  endTrial(machine);
  const judged = { state: 'rolled-back', code: 'pushed.unwell', problem: problem.slice(0, PROBLEM_LENGTH) } as const;
  conclude(machine, provenOf(machine.kept), pushed, judged);
  await machine.given.reload();
  machine.given.log.warn('pushed settings were taken back', { revision: pushed.revision, reason: problem });
}

/** Whether settings are taken at all may have changed: the hub is asked anew, or told. */
function reconsider(machine: Machine, unfit?: string): void {
  const { accept } = machine.given.settings().pushed;
  const { verdict, ...rest } = machine.kept;
  if (accept && verdict?.code === NOT_ACCEPTED) {
    keep(machine, rest);
    announce(machine);
  }
  const force = inForce(machine.kept);
  if (force === undefined) return;
  if (!accept) drop(machine, force, NOT_ACCEPTED, 'this agent takes no settings from the hub any more');
  else if (unfit !== undefined) drop(machine, force, UNFIT, unfit);
}

/** Nothing that was pushed is in force any more. */
function drop(machine: Machine, force: Pushed, code: string, problem: string): void {
  endTrial(machine);
  keep(machine, {});
  refuse(machine, force, code, problem);
}

/** Makes it. Everything is done one after another; a crash at any point leaves a state that the next start goes on from. */
export function createPushed(given: PushedGiven): PushedPart {
  const machine: Machine = {
    ...{ given, listeners: new Set(), begunMs: 0, cancel: undefined, chain: Promise.resolve() },
    kept: readKept(given.dataFolder) ?? {},
  };
  return {
    take: ({ revision, document }) => void inTurn(machine, () => judge(machine, String(revision), document)),
    watch(tell) {
      machine.listeners.add(tell);
      tell(reportOf(machine.kept.verdict));
      return () => void machine.listeners.delete(tell);
    },
    verdict: () => machine.kept.verdict,
    revision: () => inForce(machine.kept)?.revision,
    settingsChanged: () => void inTurn(machine, () => reconsider(machine)),
    start() {
      if (machine.kept.trial !== undefined) watchTrial(machine);
      return inTurn(machine, () => reconsider(machine, given.unfit));
    },
    async stop() {
      endTrial(machine);
      await machine.chain;
      endTrial(machine);
      const { trial } = machine.kept;
      // An orderly stop is nobody's fault.
      if (trial !== undefined && trial.starts > 0) keep(machine, { ...machine.kept, trial: { ...trial, starts: 0 } });
    },
  };
}
