import {
  createHostScore,
  pastOf,
  type HostCause,
  type HostModel,
  type HostState,
} from '../../../plugins/models/index.ts';
import type { Series } from '../../table.ts';
import type { ModelWord } from '../host.ts';
import { keyOfSeries, type Speaker, type Window } from '../watch.ts';

/** Causes that a model names for a window. */
const CAUSES = 5;
/** With fewer of its series than this share a model knows nothing of a window. */
const ENOUGH = 0.5;

/** What a model makes of a window. */
export interface ModelVerdict extends ModelWord {
  /** What made it strange, the most telling first; empty without an alert. */
  causes: Speaker[];
}

/** A model, and what it has seen of the host since it judges it. */
export interface ModelJudge {
  readonly model: HostModel;
  /** Judges a window; undefined where most of its series are missing. */
  judge(window: Pick<Window, 'endMs' | 'valueOf'>): ModelVerdict | undefined;
  /** Everything that a restart needs. */
  save(): HostState | undefined;
}

/** Makes one; `executor` is that of TF.js where the model needs it, `state` what an earlier run saved. */
export function createModelJudge(
  model: HostModel,
  executor?: Parameters<typeof pastOf>[1],
  state?: HostState,
): ModelJudge {
  const { features } = model.document;
  const series = features.map(({ metric, attributes, kind }): Series => ({ name: metric, attributes, kind }));
  const keys = series.map(keyOfSeries);
  const score = createHostScore(features.length, pastOf(model, executor), state);
  const row = new Float64Array(features.length);
  const speakerOf = (cause: HostCause, verdict: ModelWord, timeMs: number): Speaker => ({
    series: series[cause.metric]!,
    nats: cause.share * verdict.nats,
    score: verdict.score,
    direction: cause.direction === 'up' ? 1 : -1,
    channel: `model-${cause.channel}`,
    value: row[cause.metric]!,
    usual: cause.expected,
    timeMs,
  });
  return {
    model,
    judge({ endMs, valueOf }) {
      let present = 0;
      for (let n = 0; n < keys.length; n++) {
        row[n] = valueOf(keys[n]!);
        if (!Number.isNaN(row[n]!)) present += 1;
      }
      if (present < ENOUGH * keys.length) return undefined;
      const { score: found, surprise } = score.push(row);
      const verdict = { score: found, nats: surprise };
      if (found < 0.5) return { ...verdict, causes: [] };
      const causes = score.causes(CAUSES).filter(({ metric }) => !Number.isNaN(row[metric]!));
      return { ...verdict, causes: causes.map((cause) => speakerOf(cause, verdict, endMs)) };
    },
    save: score.save,
  };
}

/** What series say by themselves and what a model says of them, the strangest first. */
export const withCauses = (speakers: readonly Speaker[], verdict: ModelVerdict | undefined): readonly Speaker[] =>
  verdict === undefined || verdict.causes.length === 0
    ? speakers
    : [...speakers, ...verdict.causes].sort((a, b) => b.nats - a.nats);
