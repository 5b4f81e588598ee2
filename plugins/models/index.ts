/** The door of the models: scoring a host, running and verifying its model, and having one trained. TensorFlow is only loaded where it is asked for. */
import type { HostModel } from './host-model.ts';
import type { TensorFlowExecutor } from './tensorflow.ts';

export { chooseFeatures, FEWEST_CHOSEN, mayBeFeature, MOST_CHOSEN, type Candidate } from './candidates.ts';
export { createExecutor, unsupportedLayers, type Executor, type Weight } from './executor.ts';
export { pastOf, readHostModel, type HostModel } from './host-model.ts';
export {
  createHostScore,
  type HostCause,
  type HostChannel,
  type HostScore,
  type HostState,
  type HostVerdict,
  type KnownPast,
} from './host-score.ts';
export { FEWEST_ROWS, learnLinearModel, type LearnOptions, type RowSource, type SeriesName } from './linear.ts';
export { openMatrixScore, type MatrixOptions, type MatrixScore } from './matrix.ts';
export { problems as modelProblems } from './errors.ts';
export { readTopology, type Topology } from './topology.ts';
export { learnInProcess } from './training/index.ts';

/** Hands a model with layers that are not run here to TF.js; loads it only now. */
export async function runWithTf(model: HostModel): Promise<TensorFlowExecutor> {
  const tensorFlow = await import('./tensorflow.ts');
  return tensorFlow.runWithTf(model);
}

/** Makes this process the one that trains a model and ends; for the single executable, which has no program beside it. */
export const becomeTraining = (): Promise<unknown> => import('./training/main.ts');
