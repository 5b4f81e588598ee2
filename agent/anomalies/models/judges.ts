import { reasonOf, type Logger } from '#sdk';
import { runWithTf, type HostModel, type HostState } from '../../../plugins/models/index.ts';
import type { Window } from '../watch.ts';
import { createModelJudge, type ModelJudge, type ModelVerdict } from './judge.ts';

/** What a model is there for: `champion` of the hub and `own` of this agent judge, the second without the first; of `shadow` only the score is told. */
export type ModelAlias = 'champion' | 'shadow' | 'own';
const ALIASES: readonly ModelAlias[] = ['champion', 'shadow', 'own'];

/** What an earlier run saved of a model. */
export interface SavedModel {
  digest: string;
  state: HostState;
}

/** What the models make of a window. */
export interface ModelFindings {
  /** Of the one that judges, where it judged the window. */
  verdict: ModelVerdict | undefined;
  /** The version of the one that judges; empty for none. */
  version: string;
  scores: { alias: ModelAlias; version: string; score: number }[];
}

/** What models stand on. */
export interface JudgesGiven {
  log: Logger;
  detection: { metrics: boolean; tensorFlow: boolean };
  saved: readonly SavedModel[];
}

/** A model in its place. */
interface Seat {
  judge: ModelJudge;
  dispose(): void;
}

/** The models that look at this host. */
export interface ModelJudges {
  /** Puts a model into a place, undefined: empties it. One that cannot be used leaves the one before it there; `problem` says why. */
  seat(alias: ModelAlias, model: HostModel | undefined): void;
  /** The model that is in a place. */
  seated(alias: ModelAlias): HostModel | undefined;
  /** Why a model that was to have a place has not; empty while nothing is wrong. */
  problem(alias: ModelAlias): string;
  /** The place of the one that judges. */
  judging(): ModelAlias | undefined;
  judge(window: Pick<Window, 'endMs' | 'valueOf'>): ModelFindings;
  save(): SavedModel[];
  /** Calls whenever a place has changed, also later than it was asked to. */
  onChange(listener: () => void): void;
}

const METRICS_OFF = 'this agent judges no metrics: detection.metrics is off';
const needs = (layers: readonly string[]): string =>
  `it has layers that only TensorFlow runs (${layers.join(', ')}), which detection.tensorFlow: true in the agent’s settings allows`;

/** The places, and what keeps models from them. */
function createPlaces(saved: readonly SavedModel[]) {
  const seats = new Map<ModelAlias, Seat>();
  const problems = new Map<ModelAlias, string>();
  const states = new Map(saved.map(({ digest, state }) => [digest, state]));
  const listeners = new Set<() => void>();
  const changed = (): void => {
    for (const listener of listeners) listener();
  };
  return {
    seats,
    problems,
    listeners,
    place(alias: ModelAlias, seat: Seat | undefined): void {
      seats.get(alias)?.dispose();
      seats.delete(alias);
      problems.delete(alias);
      if (seat !== undefined) seats.set(alias, seat);
      changed();
    },
    refuse(alias: ModelAlias, problem: string): void {
      problems.set(alias, problem.slice(0, 500));
      changed();
    },
    /** Goes on from what an earlier run saved of the same model. */
    judgeOf(model: HostModel, executor?: Parameters<typeof createModelJudge>[1]): ModelJudge {
      const judge = createModelJudge(model, executor, states.get(model.document.digest));
      states.delete(model.document.digest);
      return judge;
    },
  };
}

/** Makes the places, all of them empty. */
export function createModelJudges({ log, detection, saved }: JudgesGiven): ModelJudges {
  const { seats, problems, listeners, place, refuse, judgeOf } = createPlaces(saved);
  /** The model that each place was last meant for. */
  const wanted = new Map<ModelAlias, HostModel | undefined>();

  const seatWithTf = async (alias: ModelAlias, model: HostModel): Promise<void> => {
    refuse(alias, 'TensorFlow is being loaded for it');
    try {
      const executor = await runWithTf(model);
      if (wanted.get(alias) !== model) return executor.dispose();
      place(alias, { judge: judgeOf(model, executor), dispose: () => executor.dispose() });
    } catch (error) {
      log.warn('a model cannot be run with TensorFlow', { model: model.document.version, reason: reasonOf(error) });
      if (wanted.get(alias) === model) refuse(alias, reasonOf(error));
    }
  };
  const judgeWith = (alias: ModelAlias, window: Pick<Window, 'endMs' | 'valueOf'>): ModelVerdict | undefined => {
    try {
      return seats.get(alias)?.judge.judge(window);
    } catch (error) {
      // Only a model that TF.js runs may fail now; what is wrong with it is so in each window.
      log.warn('a model failed and judges no more', { alias, reason: reasonOf(error) });
      place(alias, undefined);
      refuse(alias, reasonOf(error));
      return undefined;
    }
  };
  const judging = (): ModelAlias | undefined => (['champion', 'own'] as const).find((alias) => seats.has(alias));
  const versionOf = (alias: ModelAlias): string => seats.get(alias)?.judge.model.document.version ?? '';

  return {
    seat(alias, model) {
      const before = seats.get(alias)?.judge.model.document.digest;
      wanted.set(alias, model);
      if (model === undefined) return place(alias, undefined);
      if (model.document.digest === before) return void problems.delete(alias);
      if (!detection.metrics) return refuse(alias, METRICS_OFF);
      const { needsTensorFlow } = model;
      if (needsTensorFlow.length > 0)
        return detection.tensorFlow ? void seatWithTf(alias, model) : refuse(alias, needs(needsTensorFlow));
      place(alias, { judge: judgeOf(model), dispose: () => undefined });
    },
    seated: (alias) => seats.get(alias)?.judge.model,
    problem: (alias) => problems.get(alias) ?? '',
    judging,
    judge(window) {
      const judge = judging();
      const findings: ModelFindings = {
        verdict: undefined,
        version: judge === undefined ? '' : versionOf(judge),
        scores: [],
      };
      for (const alias of ALIASES) {
        if (alias !== judge && alias !== 'shadow') continue;
        const version = versionOf(alias);
        const verdict = judgeWith(alias, window);
        if (verdict === undefined) continue;
        if (alias === judge) findings.verdict = verdict;
        findings.scores.push({ alias, version, score: verdict.score });
      }
      return findings;
    },
    save: () =>
      [...seats.values()].flatMap(({ judge: { model, save } }) => {
        const state = save();
        return state === undefined ? [] : [{ digest: model.document.digest, state }];
      }),
    onChange: (listener) => void listeners.add(listener),
  };
}
