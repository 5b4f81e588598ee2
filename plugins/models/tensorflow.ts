import type * as CoreModule from '@tensorflow/tfjs-core';
import type * as LayersModule from '@tensorflow/tfjs-layers';
import type { Executor, Weight } from './executor.ts';
import { problems } from './errors.ts';
import { reasonOf } from '#sdk';

type Core = typeof CoreModule;
type Layers = typeof LayersModule;

/** Who computes for TensorFlow. */
export type Backend = 'tfjs-node' | 'wasm' | 'cpu';

/** TensorFlow, loaded. */
export interface TensorFlow {
  core: Core;
  layers: Layers;
  backend: Backend;
}

/** A module of CommonJS has all its names on `default` only. */
const whole = <T extends object>(module: T): T => ('default' in module ? (module.default as T) : module);

/** Packages that may be missing: the name is not a literal, so that no bundler wants them. */
const optional = (name: string): Promise<object> => import(name) as Promise<object>;

async function useNode(core: Core): Promise<boolean> {
  await optional('@tensorflow/tfjs-node');
  return core.setBackend('tensorflow');
}

async function useWasm(core: Core): Promise<boolean> {
  await optional('@tensorflow/tfjs-backend-wasm');
  return core.setBackend('wasm');
}

async function useCpu(core: Core): Promise<boolean> {
  await import('@tensorflow/tfjs-backend-cpu');
  return core.setBackend('cpu');
}

const BACKENDS: readonly (readonly [Backend, (core: Core) => Promise<boolean>])[] = [
  ['tfjs-node', useNode],
  ['wasm', useWasm],
  ['cpu', useCpu],
];

/**
 * Loads TensorFlow with the first backend of tfjs-node (if it is installed), WASM and CPU that works here. Never imported by what runs all
 * the time: it takes a second and 60 MB.
 */
export async function loadTensorFlow(wanted: readonly Backend[] = ['tfjs-node', 'wasm', 'cpu']): Promise<TensorFlow> {
  const core = whole(await import('@tensorflow/tfjs-core'));
  const layers = whole(await import('@tensorflow/tfjs-layers'));
  const reasons: string[] = [];
  for (const [backend, use] of BACKENDS) {
    if (!wanted.includes(backend)) continue;
    try {
      if (await use(core)) {
        await core.ready();
        return { core, layers, backend };
      }
      reasons.push(`${backend} did not start`);
    } catch (error) {
      reasons.push(reasonOf(error).split('\n')[0] ?? '');
    }
  }
  throw problems.failed(`TensorFlow has no backend here: ${reasons.join('; ')}.`);
}

/** Layers that TF.js may be asked for beside those that are run without it: none of them can be made large by a small description. */
const ALLOWED = new Set(
  'Conv1D SeparableConv1D Conv2D DepthwiseConv2D MaxPooling1D AveragePooling1D GlobalMaxPooling1D GlobalAveragePooling1D MaxPooling2D AveragePooling2D LSTM GRU SimpleRNN Permute Cropping1D TimeDistributed Bidirectional Subtract Dot Minimum Maximum Masking'.split(
    ' ',
  ),
);

/** A model that TF.js runs; `dispose` frees its memory. */
export interface TensorFlowExecutor extends Executor {
  backend: Backend;
  dispose(): void;
}

/** What `runWithTf` takes: of a verified model. */
export interface TensorFlowModel {
  document: { topology: Record<string, unknown> };
  topology: { width: number };
  weights: readonly Weight[];
  needsTensorFlow: readonly string[];
}

/** Hands a model to TF.js, for layers that the executor has not. Throws `models.unsupported` for a layer that is not on the list. */
export async function runWithTf(model: TensorFlowModel, tensorFlow?: TensorFlow): Promise<TensorFlowExecutor> {
  const classes = model.needsTensorFlow.map((name) => name.split(' ')[0]!);
  const strangers = classes.filter(
    (name) => !ALLOWED.has(name) && !model.needsTensorFlow.includes(`${name} on more than one dimension`),
  );
  if (strangers.length > 0) throw problems.unsupported(`Layers that nobody runs here: ${strangers.join(', ')}.`);
  const { core, layers, backend } = tensorFlow ?? (await loadTensorFlow());
  const specs = model.weights.map(({ name, shape }) => ({ name, shape: [...shape], dtype: 'float32' as const }));
  const data = new Float32Array(specs.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0));
  let at = 0;
  for (const { values } of model.weights) {
    data.set(values, at);
    at += values.length;
  }
  const source = core.io.fromMemory({
    modelTopology: model.document.topology,
    weightSpecs: specs,
    weightData: data.buffer,
  });
  let loaded: LayersModule.LayersModel;
  try {
    loaded = await layers.loadLayersModel(source);
  } catch (error) {
    throw problems.refused(`TF.js cannot read the model: ${reasonOf(error)}`, { cause: error });
  }
  const [input] = loaded.inputs;
  const shape = [1, ...(input?.shape.slice(1) ?? [])] as number[];
  const { width } = model.topology;
  const compute = (values: Float64Array): Float32Array => {
    const given = core.tensor(Float32Array.from(values), shape);
    const answer = core.tidy(() => loaded.predict(given) as CoreModule.Tensor);
    const found = answer.dataSync<'float32'>();
    core.dispose([given, answer]);
    return found;
  };
  const output = new Float64Array(compute(new Float64Array(width)).length);
  return {
    inputs: width,
    outputs: output.length,
    backend,
    run(values) {
      output.set(compute(values));
      return output;
    },
    dispose: () => loaded.dispose(),
  };
}
