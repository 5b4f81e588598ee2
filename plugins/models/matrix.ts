import { pastOf, type HostModel } from './host-model.ts';
import { createHostScore, type HostCause, type HostVerdict } from './host-score.ts';
import { learnLinearModel, type LearnOptions, type RowSource } from './linear.ts';

/** A host's matrix of metrics: a column each. */
export interface MatrixOptions {
  /** Names of the columns, the time left out. */
  columns: readonly string[];
  /** Names of columns that only ever grow. They must come as rates. */
  counters?: readonly string[];
  /** A normal past of the same columns, which is read five times; undefined: the first rows are learned from. */
  train?: RowSource;
  /** The wall clock, in milliseconds. */
  nowMs: number;
  /** What makes a model of `train`; unless given a linear one is made, at once and without TensorFlow. */
  learn?: (options: LearnOptions) => Promise<HostModel>;
}

/** Scores the rows of a matrix one after another. */
export interface MatrixScore {
  /** NaN where there is no sample. The verdict is the same object each time. */
  push(values: Float64Array): HostVerdict;
  causes(most: number): HostCause[];
}

/** Opens the score of a matrix: what `outrider-agent score --wide` runs, and the agent itself for a host without a model. */
export async function openMatrixScore({
  columns,
  counters = [],
  train,
  nowMs,
  learn = learnLinearModel,
}: MatrixOptions): Promise<MatrixScore> {
  const width = columns.length;
  if (train === undefined) return createHostScore(width);
  const series = columns.map((metric) => ({
    metric,
    attributes: {},
    kind: counters.includes(metric) ? ('counter' as const) : ('gauge' as const),
  }));
  const model = await learn({ series, rows: train, version: 'train', createdMs: nowMs });
  const score = createHostScore(width, pastOf(model));
  for await (const { values } of train()) score.push(values); // So that it knows the past's last rows, too.
  return score;
}
