import { Value } from 'typebox/value';
import { HOST_MODEL_LIMIT, HostModelDocument, type HostFeature } from '#proto/agent/v1/host-model.ts';
import { reasonOf } from '#sdk';
import { modelDigest } from './digest.ts';
import { problems } from './errors.ts';
import { createExecutor, unsupportedLayers, type Executor, type Weight } from './executor.ts';
import type { KnownPast } from './host-score.ts';
import type { Scales } from './scales.ts';
import { readTopology, type Topology } from './topology.ts';
import { unpackWeights } from './weights.ts';

/** A model that was read and verified. */
export interface HostModel {
  document: HostModelDocument;
  topology: Topology;
  weights: Weight[];
  /** Classes of layers for which TF.js is needed; empty: `createExecutor` runs it. */
  needsTensorFlow: string[];
}

/** Scales of a model's features, one place each. */
export function scalesOf(features: readonly HostFeature[]): Scales {
  const column = (name: 'mean' | 'scale' | 'step' | 'drift'): Float64Array =>
    Float64Array.from(features, (feature) => feature[name]);
  const moves = Uint8Array.from(features, (feature) => (feature.moves ? 1 : 0));
  return { mean: column('mean'), scale: column('scale'), step: column('step'), drift: column('drift'), moves };
}

function parse(text: string): unknown {
  if (text.length > HOST_MODEL_LIMIT)
    throw problems.refused(`The model is longer than ${HOST_MODEL_LIMIT} characters.`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw problems.refused('The model is not JSON.', { cause: error });
  }
}

/**
 * Reads a `HostModelDocument` that came from anywhere: bounded, by its schema, digest verified, weights finite, shapes fitting. Throws
 * `models.refused` with what is wrong. A model with layers that are not run here is read all the same: `needsTensorFlow` names them.
 */
export function readHostModel(text: string): HostModel {
  const document = parse(text);
  if (!Value.Check(HostModelDocument, document)) {
    const [fault] = Value.Errors(HostModelDocument, document);
    throw problems.refused(`The model does not fit its schema: ${fault?.instancePath ?? ''} ${fault?.message ?? ''}.`);
  }
  if (modelDigest(document) !== document.digest)
    throw problems.refused('The model’s digest is not that of its content.');
  const topology = readTopology(document.topology);
  const width = document.features.length;
  if (topology.width !== width)
    throw problems.refused(`The model takes ${topology.width} numbers but has ${width} features.`);
  const weights = unpackWeights(document.weights, document.data);
  const needsTensorFlow = unsupportedLayers(topology);
  if (needsTensorFlow.length === 0) {
    const { outputs } = createExecutor(topology, weights);
    if (outputs !== width) throw problems.refused(`The model gives ${outputs} numbers for ${width} features.`);
  }
  return { document, topology, weights, needsTensorFlow };
}

/** What `createHostScore` needs of a model. `executor` is that of TF.js where the model needs it. */
export function pastOf(model: HostModel, executor?: Executor): KnownPast {
  const runs = executor ?? createExecutor(model.topology, model.weights);
  if (runs.inputs !== runs.outputs) throw problems.refused('The model does not give as many numbers as it takes.');
  const { features, calibration } = model.document;
  return { scales: scalesOf(features), calibration, expect: (row) => runs.run(row) };
}

/** Puts the digest into a model that was made here, and makes sure that whoever gets it can read it. */
export function sealHostModel(document: Omit<HostModelDocument, 'digest'>): HostModel {
  const text = JSON.stringify({ ...document, digest: modelDigest(document) });
  try {
    return readHostModel(text);
  } catch (error) {
    throw problems.failed(`The model that was made cannot be used: ${reasonOf(error)}`, { cause: error });
  }
}
