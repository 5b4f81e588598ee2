import type { layers as LayersApi, LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createExecutor, unsupportedLayers, type Weight } from './executor.ts';
import { loadTensorFlow, runWithTf, type TensorFlow } from './tensorflow.ts';
import { readTopology } from './topology.ts';

const loaded = loadTensorFlow(['cpu']);

const ACTIVATIONS =
  'linear relu relu6 elu selu sigmoid hardSigmoid softplus softsign tanh softmax logSoftmax swish mish gelu gelu_new'.split(
    ' ',
  );

/** Draws a layer from a number; every class that the executor knows has its turn. */
type Draw = (api: typeof LayersApi, from: SymbolicTensor, pick: number) => SymbolicTensor;
const width = (from: SymbolicTensor): number => from.shape[1]!;
const DRAWS: Record<string, Draw> = {
  dense: (api, from, pick) =>
    api
      .dense({
        units: 1 + (pick % 9),
        activation: ACTIVATIONS[pick % ACTIVATIONS.length] as never,
        useBias: pick % 3 > 0,
      })
      .apply(from) as SymbolicTensor,
  activation: (api, from, pick) =>
    api.activation({ activation: ACTIVATIONS[pick % ACTIVATIONS.length] as never }).apply(from) as SymbolicTensor,
  relu: (api, from, pick) => api.reLU(pick % 2 ? { maxValue: 1 } : {}).apply(from) as SymbolicTensor,
  leaky: (api, from) => api.leakyReLU({ alpha: 0.2 }).apply(from) as SymbolicTensor,
  elu: (api, from) => api.elu().apply(from) as SymbolicTensor,
  thresholded: (api, from) => api.thresholdedReLU({ theta: 0.3 }).apply(from) as SymbolicTensor,
  softmax: (api, from) => api.softmax().apply(from) as SymbolicTensor,
  prelu: (api, from) => api.prelu().apply(from) as SymbolicTensor,
  batch: (api, from, pick) =>
    api.batchNormalization({ scale: pick % 2 > 0, center: pick % 3 > 0, epsilon: 0.01 }).apply(from) as SymbolicTensor,
  layer: (api, from) => api.layerNormalization({}).apply(from) as SymbolicTensor,
  dropout: (api, from) => api.dropout({ rate: 0.5 }).apply(from) as SymbolicTensor,
  noise: (api, from) => api.gaussianNoise({ stddev: 1 }).apply(from) as SymbolicTensor,
  reshape: (api, from) =>
    api.flatten().apply(api.reshape({ targetShape: [1, width(from)] }).apply(from)) as SymbolicTensor,
  add: (api, from) => {
    const other = api.dense({ units: width(from) }).apply(from) as SymbolicTensor;
    return api.add().apply([from, other]) as SymbolicTensor;
  },
  average: (api, from) => api.average().apply([from, api.reLU().apply(from) as SymbolicTensor]) as SymbolicTensor,
  multiply: (api, from) => api.multiply().apply([from, api.elu().apply(from) as SymbolicTensor]) as SymbolicTensor,
  most: (api, from) => api.maximum().apply([from, api.elu().apply(from) as SymbolicTensor]) as SymbolicTensor,
  least: (api, from) => api.minimum().apply([from, api.elu().apply(from) as SymbolicTensor]) as SymbolicTensor,
  concatenate: (api, from) =>
    api.concatenate().apply([from, api.reLU().apply(from) as SymbolicTensor]) as SymbolicTensor,
};
const NAMES = Object.keys(DRAWS);

const picks = fc.record({
  inputs: fc.integer({ min: 1, max: 9 }),
  layers: fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.nat(1000)), { minLength: 1, maxLength: 5 }),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

/** Numbers between -1 and 1 that a seed decides. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return (2 * state) / 2147483647 - 1;
  };
}

function build(
  { layers, core }: TensorFlow,
  { inputs, layers: drawn, seed }: typeof picks extends fc.Arbitrary<infer T> ? T : never,
) {
  const input = layers.input({ shape: [inputs] });
  const output = drawn.reduce((from, [name, pick]) => DRAWS[name]!(layers.layers, from, pick), input);
  const model = layers.model({ inputs: input, outputs: output });
  const next = numbers(seed);
  for (const layer of model.layers)
    layer.setWeights(
      layer.getWeights().map((tensor, n) => {
        const isVariance = layer.weights[n]!.originalName.includes('variance');
        return core.tensor(
          Float32Array.from({ length: tensor.size }, () => (isVariance ? 1.5 + next() : next())),
          tensor.shape,
        );
      }),
    );
  return { model, next };
}

function weightsOf(model: LayersModel): Weight[] {
  return model.layers.flatMap((layer) =>
    layer.weights.map((weight, n) => {
      const tensor = layer.getWeights()[n]!;
      const name = `${layer.name}/${weight.originalName.split('/').at(-1)!}`;
      return { name, shape: tensor.shape, values: tensor.dataSync<'float32'>().slice() };
    }),
  );
}

test(
  'a model runs to the same numbers as in TF.js, whatever supported layers it has',
  { timeout: 120_000 },
  async () => {
    const tensorFlow = await loaded;
    fc.assert(
      fc.property(picks, (drawn) => {
        const { model, next } = build(tensorFlow, drawn);
        const topology = readTopology(model.toJSON(null, false));
        expect(unsupportedLayers(topology)).toEqual([]);
        const executor = createExecutor(topology, weightsOf(model));
        for (let round = 0; round < 3; round++) {
          const values = Float64Array.from({ length: drawn.inputs }, () => Math.fround(2 * next()));
          const wanted = tensorFlow.core.tidy(() =>
            (
              model.predict(tensorFlow.core.tensor2d([[...values]])) as ReturnType<typeof tensorFlow.core.tensor2d>
            ).dataSync(),
          );
          const found = executor.run(values);
          expect(found.length).toBe(wanted.length);
          for (let i = 0; i < found.length; i++)
            expect(Math.abs(found[i]! - wanted[i]!)).toBeLessThan(1e-5 * Math.max(1, Math.abs(wanted[i]!)));
        }
        model.dispose();
      }),
      { numRuns: 200 },
    );
  },
);

test('each kind of layer that is claimed is met', async () => {
  const tensorFlow = await loaded;
  for (const name of NAMES) {
    const { model } = build(tensorFlow, { inputs: 4, layers: [[name, 5]], seed: 3 });
    expect(createExecutor(readTopology(model.toJSON(null, false)), weightsOf(model)).inputs).toBe(4);
    model.dispose();
  }
});

test('a layer that is not run here is named, and TF.js runs it to what it gives itself', async () => {
  const tensorFlow = await loaded;
  const { layers, core } = tensorFlow;
  const model = layers.sequential({
    layers: [
      layers.layers.reshape({ inputShape: [6], targetShape: [6, 1] }),
      layers.layers.conv1d({ filters: 2, kernelSize: 3, activation: 'relu' }),
      layers.layers.flatten(),
      layers.layers.dense({ units: 6 }),
    ],
  });
  const topology = readTopology(model.toJSON(null, false));
  const weights = weightsOf(model);
  expect(unsupportedLayers(topology)[0]).toBe('Conv1D');
  expect(() => createExecutor(topology, weights)).toThrowError(/Conv1D/);
  const document = { topology: model.toJSON(null, false) as Record<string, unknown> };
  const given = { document, topology, weights, needsTensorFlow: unsupportedLayers(topology) };
  const executor = await runWithTf(given, tensorFlow);
  const values = Float64Array.from([0.5, -1, 2, 0.25, 1, -0.5]);
  const wanted = (model.predict(core.tensor2d([[...values]])) as ReturnType<typeof core.tensor2d>).dataSync();
  expect([...executor.run(values)]).toEqual([...wanted]);
  expect(executor).toMatchObject({ inputs: 6, outputs: 6, backend: 'cpu' });
  await expect(runWithTf({ ...given, needsTensorFlow: ['Lambda'] }, tensorFlow)).rejects.toThrowError(/Lambda/);
  executor.dispose();
});

test('weights that fit no layer, and layers without theirs, are refused', () => {
  const layer = { class_name: 'Dense', config: { name: 'a', units: 2, batch_input_shape: [null, 2] } };
  const topology = readTopology({ class_name: 'Sequential', config: { layers: [layer] } });
  const kernel = { name: 'a/kernel', shape: [2, 2], values: new Float32Array(4) };
  const bias = { name: 'a/bias', shape: [2], values: new Float32Array(2) };
  expect(createExecutor(topology, [kernel, bias]).outputs).toBe(2);
  expect(() => createExecutor(topology, [kernel])).toThrowError(/no bias/);
  expect(() => createExecutor(topology, [{ ...kernel, shape: [4, 1] }, bias])).toThrowError(/no kernel/);
  expect(() => createExecutor(topology, [kernel, bias, { ...bias, name: 'b/bias' }])).toThrowError(
    /none of its layers/,
  );
});

test.each([
  ['a number that would make it large', { units: 1e9 }, /4096/],
  ['an input without a width', { batch_input_shape: [null, null] }, /how wide/],
])('a description with %s is refused', (_what, config, reason) => {
  const layer = { class_name: 'Dense', config: { name: 'a', units: 2, batch_input_shape: [null, 2], ...config } };
  expect(() => readTopology({ class_name: 'Sequential', config: { layers: [layer] } })).toThrowError(reason);
});

test('anything at all is read or refused, and never breaks', () => {
  fc.assert(
    fc.property(fc.anything(), (json) => {
      try {
        readTopology(json);
      } catch (error) {
        expect((error as { code?: string }).code).toMatch(/^models\./);
      }
    }),
  );
});
