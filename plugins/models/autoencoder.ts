import type { Scalar, Variable } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { normalise } from './components.ts';
import { problems } from './errors.ts';
import { createExecutor, type Weight } from './executor.ts';
import { sealHostModel, type HostModel } from './host-model.ts';
import { calibrate, componentWeights, featuresOf, learnComponents, type LearnOptions } from './linear.ts';
import { createNormal, createRandom, shuffle } from './random.ts';
import { loadTensorFlow, type TensorFlow } from './tensorflow.ts';
import { readTopology } from './topology.ts';
import { packWeights } from './weights.ts';

/** How far a training is. */
export interface TrainingProgress {
  epoch: number;
  epochs: number;
  /** Mean square of what the model left unexplained in rows that it was not trained on. */
  validation: number;
}

/** What an autoencoder is trained from. */
export interface TrainOptions extends LearnOptions {
  seed: number;
  /** Passes over the rows at most; it stops before when the rows left aside get no better. */
  epochs?: number;
  signal?: AbortSignal;
  onProgress?: (progress: TrainingProgress) => void;
  tensorFlow?: TensorFlow;
}

const EPOCHS = 20;
const PATIENCE = 3;
const BATCH = 256;
const LEARNING_RATE = 4e-3;
/** Noise on the inputs, in scales: what comes out must not hang on any single metric. */
const NOISE = 0.1;
/** A metric counts in training by so many scales at most: single spikes are not to be learned. */
const CLIP = 10;
/** Rows kept in memory for training; more are thinned evenly. */
const MOST_ROWS = 8192;
/** Of eight stretches of this many rows the last is left aside for validation. */
const STRETCH = 64;

/** Inner widths for a number of metrics: 38 give 32, 8, 32. */
export function layerWidths(width: number): { hidden: number; code: number } {
  const hidden = Math.max(8, Math.min(64, 8 * Math.round((0.8 * width) / 8)));
  return { hidden, code: Math.max(2, hidden >> 2) };
}

/**
 * inputs ─┬─ components ── expected ──────────┬─ sum. The first branch is fixed: the principal components. The second starts at zero and
 *         └─ encode ── code ── decode ── rest ─┘  learns what they leave, so that training never starts worse than they are.
 */
function buildModel({ core, layers }: TensorFlow, components: readonly Float64Array[], seed: number): LayersModel {
  const width = components[0]!.length;
  const { hidden, code } = layerWidths(width);
  const input = layers.input({ shape: [width], name: 'metrics' });
  const fixed = (name: string, units: number) =>
    layers.layers.dense({ name, units, useBias: false, trainable: false, kernelInitializer: 'zeros' });
  const bent = (name: string, units: number, n: number) =>
    layers.layers.dense({
      name,
      units,
      activation: 'tanh',
      kernelInitializer: layers.initializers.glorotUniform({ seed: (seed + n) % 2_147_483_647 }),
    });
  const [onto, back] = [fixed('components', components.length), fixed('expected', width)];
  const straight = back.apply(onto.apply(input));
  const inner = [bent('encode', hidden, 1), bent('code', code, 2), bent('decode', hidden, 3)];
  const last = layers.layers.dense({ name: 'rest', units: width, kernelInitializer: 'zeros' });
  const rest = last.apply(inner.reduce((from, layer) => layer.apply(from) as typeof input, input));
  const sum = layers.layers.add({ name: 'sum' }).apply([straight, rest] as (typeof input)[]);
  const model = layers.model({ inputs: input, outputs: sum as typeof input, name: 'host' });
  const weights = componentWeights(components);
  [onto, back].forEach((layer, n) => {
    const tensor = core.tensor(weights[n]!.values, [...weights[n]!.shape]);
    layer.setWeights([tensor]);
    tensor.dispose();
  });
  return model;
}

/** Normalised rows in one matrix; those of every eighth stretch are for validation. */
interface TrainingRows {
  width: number;
  values: Float32Array;
  training: Int32Array;
  validation: Int32Array;
}

async function readRows({ rows, series }: TrainOptions, { scales, window }: LearnedRows): Promise<TrainingRows> {
  const width = series.length;
  const every = Math.ceil(window.rows / MOST_ROWS);
  const values = new Float32Array(Math.ceil(window.rows / every) * width);
  const normal = new Float64Array(width);
  let row = 0;
  let kept = 0;
  for await (const { values: given } of rows()) {
    if (row++ % every !== 0 || (kept + 1) * width > values.length) continue;
    normalise(given, scales, normal);
    for (let j = 0; j < width; j++) values[kept * width + j] = Math.max(-CLIP, Math.min(CLIP, normal[j]!));
    kept += 1;
  }
  const all = Int32Array.from({ length: kept }, (_, i) => i);
  const isAside = (i: number): boolean => Math.floor(i / STRETCH) % 8 === 7 || (kept < 8 * STRETCH && i % 8 === 7);
  return { width, values, training: all.filter((i) => !isAside(i)), validation: all.filter(isAside) };
}

type LearnedRows = Awaited<ReturnType<typeof learnComponents>>;

/** The rows of the places, as one matrix; with noise of the given size. */
function gather({ width, values }: TrainingRows, places: Int32Array, noise?: () => number): Float32Array {
  const found = new Float32Array(places.length * width);
  for (let n = 0; n < places.length; n++)
    for (let j = 0; j < width; j++)
      found[n * width + j] = values[places[n]! * width + j]! + (noise === undefined ? 0 : NOISE * noise());
  return found;
}

/** Weights as they are now, by the names that the executor looks for. */
function weightsOf(model: LayersModel): Weight[] {
  return model.layers.flatMap((layer) =>
    layer.weights.map((weight, n) => {
      const tensor = layer.getWeights()[n]!;
      const kind = weight.originalName.split('/').at(-1)!;
      return { name: `${layer.name}/${kind}`, shape: tensor.shape, values: tensor.dataSync<'float32'>().slice() };
    }),
  );
}

/** Trains until the rows left aside get no better, and leaves the best weights in the model. Gives the errors before and after. */
async function fit(model: LayersModel, rows: TrainingRows, options: TrainOptions, { core }: TensorFlow) {
  const { seed, epochs = EPOCHS, signal, onProgress } = options;
  const random = createRandom(seed);
  const noise = createNormal(random);
  const optimizer = core.train.adam(LEARNING_RATE);
  const { width } = rows;
  const matrix = (values: Float32Array) => core.tensor2d(values, [values.length / width, width]);
  const errorOf = (given: Float32Array, wanted: Float32Array) => {
    const output = model.apply(matrix(given), { training: false }) as ReturnType<typeof matrix>;
    return core.losses.meanSquaredError(matrix(wanted), output) as Scalar;
  };
  const trained = model.trainableWeights.map((weight) => weight.read() as Variable);
  const aside = gather(rows, rows.validation);
  const validate = (): number => core.tidy(() => errorOf(aside, aside).dataSync()[0]!);
  const linear = validate();
  let best = { error: linear, weights: trained.map((weight) => weight.dataSync().slice()), epoch: 0 };
  for (let epoch = 1; epoch <= epochs && epoch - best.epoch <= PATIENCE; epoch++) {
    shuffle(rows.training, random);
    for (let at = 0; at < rows.training.length; at += BATCH) {
      const places = rows.training.subarray(at, at + BATCH);
      const [given, wanted] = [gather(rows, places, noise), gather(rows, places)];
      core.tidy(() => void optimizer.minimize(() => errorOf(given, wanted), false, trained));
    }
    const error = validate();
    if (error < best.error) best = { error, weights: trained.map((weight) => weight.dataSync().slice()), epoch };
    onProgress?.({ epoch, epochs, validation: error });
    await new Promise((resume) => setImmediate(resume)); // So that an abort is heard.
    if (signal?.aborted) break;
  }
  trained.forEach((weight, n) => core.tidy(() => weight.assign(core.tensor(best.weights[n]!, weight.shape))));
  optimizer.dispose();
  return { linear, error: best.error, epoch: best.epoch };
}

/**
 * Trains a denoising autoencoder of a host's metrics with TF.js. Same rows and seed, same model. Takes seconds to minutes of one core and
 * 100 to 200 MB, so run it in a process that ends (`training.ts`). Reads the rows four times. Throws `models.aborted` on the signal.
 */
export async function trainAutoencoder(options: TrainOptions): Promise<HostModel> {
  const { series, rows, version, createdMs, seed, signal } = options;
  const learned = await learnComponents(options);
  const tensorFlow = options.tensorFlow ?? (await loadTensorFlow());
  const model = buildModel(tensorFlow, learned.components, seed);
  try {
    const { linear, error, epoch } = await fit(model, await readRows(options, learned), options, tensorFlow);
    if (signal?.aborted) throw problems.aborted();
    const weights = weightsOf(model);
    const topology = model.toJSON(null, false) as Record<string, unknown>;
    const executor = createExecutor(readTopology(topology), weights);
    const calibration = await calibrate(rows, learned.scales, (row) => executor.run(row));
    return sealHostModel({
      format: 1,
      version,
      architecture: 'autoencoder',
      createdMs,
      window: learned.window,
      seed,
      features: featuresOf(series, learned.scales),
      topology,
      ...packWeights(weights),
      calibration,
      metrics: { components: learned.components.length, validation: error, linear_validation: linear, epochs: epoch },
    });
  } finally {
    model.dispose();
  }
}
