import {
  ACTIVATIONS,
  activationName,
  elu,
  leaky,
  reluBelow,
  softmax,
  thresholded,
  type Activation,
} from './activations.ts';
import { problems } from './errors.ts';
import type { Layer, Topology } from './topology.ts';

/** A weight of a layer: `name` is `<layer>/<weight>`. */
export interface Weight {
  name: string;
  shape: readonly number[];
  values: Float32Array;
}

/** A model as a function. The answer is the same array each time. */
export interface Executor {
  inputs: number;
  outputs: number;
  run(values: Float64Array): Float64Array;
}

/** Values that a layer which joins others may have. */
const WIDEST = 16_384;

/** Reads from `inputs`, writes into its own `output`. */
interface Step {
  output: Float64Array;
  run: (() => void) | undefined;
}

/** What a layer is made from. */
interface Making {
  layer: Layer;
  inputs: readonly Float64Array[];
  weight(name: string, shape: readonly number[]): Float32Array | undefined;
}

const numberOf = (value: unknown, otherwise: number): number => (typeof value === 'number' ? value : otherwise);
const isYes = (value: unknown, otherwise: boolean): boolean => (typeof value === 'boolean' ? value : otherwise);

/** The option of a layer under both of its spellings: as Python's Keras has it, and as TF.js does. */
function option(config: Record<string, unknown>, name: string): unknown {
  return config[name] ?? config[name.replace(/_([a-z])/g, (_all, c: string) => c.toUpperCase())];
}

function activationOf(config: Record<string, unknown>): Activation | undefined {
  const given = config['activation'] ?? 'linear';
  const name = typeof given === 'string' ? activationName(given) : '';
  if (!ACTIVATIONS.has(name)) throw problems.unsupported(`There is no activation ${JSON.stringify(given)} here.`);
  return ACTIVATIONS.get(name);
}

function only({ layer, inputs }: Making): Float64Array {
  if (inputs.length !== 1) throw problems.refused(`Layer ${layer.name} must have one input.`);
  return inputs[0]!;
}

/** Kernel columns lie behind one another, so that each output is one run over memory; four sums keep the processor busy. */
function dense(making: Making): Step {
  const { layer, weight } = making;
  const input = only(making);
  const units = numberOf(layer.config['units'], 0);
  if (!Number.isInteger(units) || units < 1) throw problems.refused(`Layer ${layer.name} has no units.`);
  const width = input.length;
  const kernel = weight('kernel', [width, units]);
  if (kernel === undefined) throw problems.refused(`Layer ${layer.name} has no kernel of ${width} by ${units}.`);
  const usesBias = isYes(option(layer.config, 'use_bias'), true);
  const bias = usesBias ? weight('bias', [units]) : new Float32Array(units);
  if (bias === undefined) throw problems.refused(`Layer ${layer.name} has no bias of ${units}.`);
  const activation = activationOf(layer.config);
  const columns = new Float64Array(width * units);
  for (let i = 0; i < width; i++) for (let j = 0; j < units; j++) columns[j * width + i] = kernel[i * units + j]!;
  const output = new Float64Array(units);
  const whole = width - (width % 4);
  const run = (): void => {
    for (let j = 0; j < units; j++) {
      let [a, b, c, d] = [bias[j]!, 0, 0, 0];
      const at = j * width;
      let i = 0;
      for (; i < whole; i += 4) {
        a += input[i]! * columns[at + i]!;
        b += input[i + 1]! * columns[at + i + 1]!;
        c += input[i + 2]! * columns[at + i + 2]!;
        d += input[i + 3]! * columns[at + i + 3]!;
      }
      for (; i < width; i++) a += input[i]! * columns[at + i]!;
      output[j] = a + b + (c + d);
    }
    activation?.(output, 0, units);
  };
  return { output, run };
}

const pass = (making: Making): Step => ({ output: only(making), run: undefined });

function reshape(making: Making): Step {
  const target = option(making.layer.config, 'target_shape');
  const input = only(making);
  if (!Array.isArray(target)) throw problems.refused(`Layer ${making.layer.name} has no shape.`);
  const sizes = target as number[];
  const known = sizes.filter((size) => size > 0).reduce((product, size) => product * size, 1);
  if (sizes.includes(-1) ? input.length % known !== 0 : input.length !== known)
    throw problems.refused(`Layer ${making.layer.name} changes the number of values.`);
  return pass(making);
}

const activating =
  (choose: (config: Record<string, unknown>) => Activation | undefined) =>
  (making: Making): Step => {
    const input = only(making);
    const activation = choose(making.layer.config);
    if (activation === undefined) return pass(making);
    const output = new Float64Array(input.length);
    return {
      output,
      run: () => {
        output.set(input);
        activation(output, 0, output.length);
      },
    };
  };

function relu(config: Record<string, unknown>): Activation {
  return reluBelow(numberOf(option(config, 'max_value'), Infinity));
}

function parametricRelu(making: Making): Step {
  const input = only(making);
  const slopes = making.weight('alpha', [input.length]);
  if (slopes === undefined) throw problems.unsupported(`Layer ${making.layer.name} shares slopes.`);
  const output = new Float64Array(input.length);
  return {
    output,
    run: () => {
      for (let i = 0; i < output.length; i++) output[i] = input[i]! < 0 ? slopes[i]! * input[i]! : input[i]!;
    },
  };
}

function batchNormalization(making: Making): Step {
  const { layer, weight } = making;
  const input = only(making);
  const size = input.length;
  const epsilon = numberOf(layer.config['epsilon'], 1e-3);
  const wanted = (name: string, isUsed: boolean, otherwise: number): Float32Array => {
    if (!isUsed) return new Float32Array(size).fill(otherwise);
    const found = weight(name, [size]);
    if (found === undefined) throw problems.refused(`Layer ${layer.name} has no ${name} of ${size}.`);
    return found;
  };
  const gamma = wanted('gamma', isYes(layer.config['scale'], true), 1);
  const beta = wanted('beta', isYes(layer.config['center'], true), 0);
  const mean = wanted('moving_mean', true, 0);
  const variance = wanted('moving_variance', true, 1);
  const factor = Float64Array.from(gamma, (value, i) => value / Math.sqrt(variance[i]! + epsilon));
  if (!factor.every(Number.isFinite)) throw problems.refused(`Layer ${layer.name} has a negative variance.`);
  const output = new Float64Array(size);
  return {
    output,
    run: () => {
      for (let i = 0; i < size; i++) output[i] = (input[i]! - mean[i]!) * factor[i]! + beta[i]!;
    },
  };
}

function layerNormalization(making: Making): Step {
  const { layer, weight } = making;
  const input = only(making);
  const size = input.length;
  const epsilon = numberOf(layer.config['epsilon'], 1e-3);
  const gamma = isYes(layer.config['scale'], true) ? weight('gamma', [size]) : new Float32Array(size).fill(1);
  const beta = isYes(layer.config['center'], true) ? weight('beta', [size]) : new Float32Array(size);
  if (gamma === undefined || beta === undefined) throw problems.refused(`Layer ${layer.name} lacks gamma or beta.`);
  const output = new Float64Array(size);
  return {
    output,
    run: () => {
      let sum = 0;
      for (let i = 0; i < size; i++) sum += input[i]!;
      const mean = sum / size;
      let squares = 0;
      for (let i = 0; i < size; i++) squares += (input[i]! - mean) ** 2;
      const factor = 1 / Math.sqrt(squares / size + epsilon);
      for (let i = 0; i < size; i++) output[i] = (input[i]! - mean) * factor * gamma[i]! + beta[i]!;
    },
  };
}

const merging =
  (join: (a: number, b: number) => number, finish = (value: number, _count: number): number => value) =>
  ({ layer, inputs }: Making): Step => {
    const size = inputs[0]?.length ?? 0;
    if (inputs.length < 2 || inputs.some((input) => input.length !== size))
      throw problems.unsupported(`Layer ${layer.name} joins unlike shapes.`);
    const output = new Float64Array(size);
    return {
      output,
      run: () => {
        for (let i = 0; i < size; i++) {
          let value = inputs[0]![i]!;
          for (let n = 1; n < inputs.length; n++) value = join(value, inputs[n]![i]!);
          output[i] = finish(value, inputs.length);
        }
      },
    };
  };

function concatenate({ layer, inputs }: Making): Step {
  const size = inputs.reduce((sum, input) => sum + input.length, 0);
  if (size > WIDEST) throw problems.refused(`Layer ${layer.name} joins ${size} values; ${WIDEST} are the most.`);
  const output = new Float64Array(size);
  return {
    output,
    run: () => {
      let at = 0;
      for (let n = 0; n < inputs.length; n++) {
        output.set(inputs[n]!, at);
        at += inputs[n]!.length;
      }
    },
  };
}

/** Layers that run here, by class. Those of training alone leave values as they are. */
const LAYERS: ReadonlyMap<string, (making: Making) => Step> = new Map([
  ['Dense', dense],
  ['Activation', activating(activationOf)],
  ['ReLU', activating(relu)],
  ['LeakyReLU', activating((config) => leaky(numberOf(config['alpha'], 0.3)))],
  ['ELU', activating((config) => elu(numberOf(config['alpha'], 1)))],
  ['ThresholdedReLU', activating((config) => thresholded(numberOf(config['theta'], 1)))],
  ['Softmax', activating(() => softmax)],
  ['PReLU', parametricRelu],
  ['BatchNormalization', batchNormalization],
  ['LayerNormalization', layerNormalization],
  ...['InputLayer', 'Dropout', 'AlphaDropout', 'GaussianDropout', 'GaussianNoise', 'SpatialDropout1D', 'Flatten'].map(
    (name) => [name, pass] as const,
  ),
  ['Reshape', reshape],
  ['Add', merging((a, b) => a + b)],
  ['Multiply', merging((a, b) => a * b)],
  [
    'Average',
    merging(
      (a, b) => a + b,
      (sum, count) => sum / count,
    ),
  ],
  ['Maximum', merging(Math.max)],
  ['Minimum', merging(Math.min)],
  ['Concatenate', concatenate],
]);

const isFlat = (shape: unknown): boolean => Array.isArray(shape) && shape.length <= 2;

/** Classes of layers, and shapes, that only TF.js can run; empty when the model can be run here. */
export function unsupportedLayers({ layers }: Topology): string[] {
  const found = new Set<string>();
  let isVector = true;
  for (const { className, config } of layers) {
    if (!LAYERS.has(className)) found.add(className);
    const shape = option(config, 'batch_input_shape');
    if (shape !== undefined) isVector = isFlat(shape);
    const target = option(config, 'target_shape');
    if (className === 'Flatten') isVector = true;
    else if (className === 'Reshape') isVector = Array.isArray(target) && target.length === 1;
    else if (!isVector && className !== 'InputLayer') found.add(`${className} on more than one dimension`);
  }
  return [...found];
}

/**
 * Makes a typed-array function of a model. Nothing is allocated when it runs. It agrees with TF.js to 1e-5.
 * Throws `models.unsupported` for what only TF.js can run, `models.refused` for weights that do not fit.
 */
export function createExecutor(topology: Topology, weights: readonly Weight[]): Executor {
  const missing = unsupportedLayers(topology);
  if (missing.length > 0)
    throw problems.unsupported(`Layers that are not run here: ${missing.join(', ')}.`, { facts: { layers: missing } });
  const input = new Float64Array(topology.width);
  const outputs = new Map<string, Float64Array>();
  const runs: (() => void)[] = [];
  let used = 0;
  for (const layer of topology.layers) {
    const weight = (name: string, shape: readonly number[]): Float32Array | undefined => {
      const found = weights.find((one) => one.name === `${layer.name}/${name}`);
      if (found === undefined || found.shape.length !== shape.length) return undefined;
      if (found.shape.some((size, n) => size !== shape[n])) return undefined;
      used += 1;
      return found.values;
    };
    const inputs = layer.inputs.length === 0 ? [input] : layer.inputs.map((name) => outputs.get(name)!);
    const step = LAYERS.get(layer.className)!({ layer, inputs, weight });
    outputs.set(layer.name, step.output);
    if (step.run !== undefined) runs.push(step.run);
  }
  if (used !== weights.length) throw problems.refused('The model has weights that none of its layers has a place for.');
  const output = outputs.get(topology.output)!;
  return {
    inputs: input.length,
    outputs: output.length,
    run(values) {
      input.set(values);
      for (let n = 0; n < runs.length; n++) runs[n]!();
      return output;
    },
  };
}
