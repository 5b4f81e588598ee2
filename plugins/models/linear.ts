import { MOST_FEATURES, type HostFeature, type HostModelDocument } from '#proto/agent/v1/host-model.ts';
import { createCovariance, normalise } from './components.ts';
import { problems } from './errors.ts';
import { createExecutor, type Weight } from './executor.ts';
import { sealHostModel, type HostModel } from './host-model.ts';
import { createCalibrator, type Calibration } from './host-score.ts';
import { createMoments, type Scales } from './scales.ts';
import { createStatistics, type Expect } from './statistics.ts';
import { readTopology } from './topology.ts';
import { packWeights } from './weights.ts';

/** Which series a column holds. */
export type SeriesName = Pick<HostFeature, 'metric' | 'attributes' | 'kind'>;

/** Rows that can be read more than once, always the same; the array of a row may be used again for the next. */
export type RowSource = () => AsyncIterable<{ timeMs: number; values: Float64Array }>;

/** What a model is made from. */
export interface LearnOptions {
  series: readonly SeriesName[];
  rows: RowSource;
  version: string;
  createdMs: number;
  seed?: number;
}

/** What two readings of the rows give. */
export interface Learned {
  scales: Scales;
  components: Float64Array[];
  window: HostModelDocument['window'];
}

/** Fewer rows are no past. */
export const FEWEST_ROWS = 200;

/** Reads the rows twice: for what is usual of each metric, and for how they go together. */
export async function learnComponents({ series, rows }: Pick<LearnOptions, 'series' | 'rows'>): Promise<Learned> {
  const width = series.length;
  if (width < 1 || width > MOST_FEATURES)
    throw problems.notEnoughData(`A model has 1 to ${MOST_FEATURES} metrics, not ${width}.`);
  const moments = createMoments(width);
  let [fromMs, toMs] = [Infinity, -Infinity];
  for await (const { timeMs, values } of rows()) {
    moments.add(values);
    fromMs = Math.min(fromMs, timeMs);
    toMs = Math.max(toMs, timeMs);
  }
  if (moments.rows < FEWEST_ROWS)
    throw problems.notEnoughData(`${moments.rows} rows are no past to learn from; it takes ${FEWEST_ROWS}.`);
  const scales = moments.scales();
  const covariance = createCovariance(width);
  const normal = new Float64Array(width);
  for await (const { values } of rows()) {
    normalise(values, scales, normal);
    covariance.add(normal);
  }
  const window = { fromMs: Math.max(0, Math.round(fromMs)), toMs: Math.max(0, Math.round(toMs)), rows: moments.rows };
  return { scales, components: covariance.components(), window };
}

/** Reads the rows once more, for what a model's scores usually are. */
export async function calibrate(rows: RowSource, scales: Scales, expect: Expect): Promise<Calibration> {
  const found = createStatistics(scales.mean.length, expect, scales);
  const calibrator = createCalibrator();
  for await (const { values } of rows()) {
    found.read(values);
    calibrator.add(found);
  }
  return calibrator.calibration();
}

/** The features of a document. */
export function featuresOf(series: readonly SeriesName[], scales: Scales): HostFeature[] {
  return series.map(({ metric, attributes, kind }, j) => ({
    metric,
    attributes,
    kind,
    mean: scales.mean[j]!,
    scale: scales.scale[j]!,
    step: scales.step[j]!,
    drift: scales.drift[j]!,
    moves: scales.moves[j] === 1,
  }));
}

/** Principal components as weights of two layers without bias: onto the components and back. */
export function componentWeights(components: readonly Float64Array[]): Weight[] {
  const count = components.length;
  const width = components[0]!.length;
  const onto = new Float32Array(width * count);
  const back = new Float32Array(width * count);
  components.forEach((component, k) =>
    component.forEach((value, j) => {
      onto[j * count + k] = value;
      back[k * width + j] = value;
    }),
  );
  return [
    { name: 'components/kernel', shape: [width, count], values: onto },
    { name: 'expected/kernel', shape: [count, width], values: back },
  ];
}

const denseLayer = (name: string, units: number, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  class_name: 'Dense',
  config: { name, units, activation: 'linear', use_bias: false, trainable: true, ...more },
});

/**
 * A model in closed form, without TensorFlow: the components that hold nine tenths of the variance. A LayersModel like any other. Reads the
 * rows three times and keeps none of them.
 */
export async function learnLinearModel(options: LearnOptions): Promise<HostModel> {
  const { series, rows, version, createdMs, seed = 0 } = options;
  const { scales, components, window } = await learnComponents(options);
  const width = series.length;
  const topology = {
    class_name: 'Sequential',
    config: {
      name: 'host',
      layers: [
        denseLayer('components', components.length, { batch_input_shape: [null, width], dtype: 'float32' }),
        denseLayer('expected', width),
      ],
    },
    keras_version: 'tfjs-layers 4.22.0',
    backend: 'tensor_flow.js',
  };
  const weights = componentWeights(components);
  const executor = createExecutor(readTopology(topology), weights);
  const calibration = await calibrate(rows, scales, (row) => executor.run(row));
  return sealHostModel({
    format: 1,
    version,
    architecture: 'linear',
    createdMs,
    window,
    seed,
    features: featuresOf(series, scales),
    topology,
    ...packWeights(weights),
    calibration,
    metrics: { components: components.length },
  });
}
