import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildTrainingProgram } from '#kit/training-program.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '#sdk';
import { trainAutoencoder } from '../autoencoder.ts';
import { pastOf } from '../host-model.ts';
import { createNormal, createRandom } from '../random.ts';
import { loadTensorFlow } from '../tensorflow.ts';
import { trainInProcess, type TrainingRequest } from './index.ts';

const ROWS = 600;
/** Four metrics of which two bend with the others. */
function request(seed = 3, count = ROWS): TrainingRequest {
  const noise = createNormal(createRandom(11));
  const values = new Float64Array(count * 4);
  for (let n = 0; n < count; n++) {
    const [a, b] = [noise(), noise()];
    values.set([a, b, Math.tanh(2 * a) + 0.05 * noise(), Math.abs(b) + 0.05 * noise()], 4 * n);
  }
  const series = ['a', 'b', 'c', 'd'].map((metric) => ({ metric, attributes: {}, kind: 'gauge' as const }));
  const rows = async function* () {
    for (let n = 0; n < count; n++)
      yield await Promise.resolve({ timeMs: n * 10_000, values: values.slice(4 * n, 4 * n + 4) });
  };
  return { series, rows, version: 'v1', createdMs: 7, seed, epochs: 6 };
}

let folder: string;
let entry: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-training-'));
  entry = await buildTrainingProgram(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

test('the same rows and seed give the same model, another seed another one, and none is worse than its components', async () => {
  const tensorFlow = await loadTensorFlow(['cpu']);
  const train = async (seed: number) => {
    return (await trainAutoencoder({ ...request(seed), tensorFlow })).document;
  };
  const [first, again, other] = [await train(3), await train(3), await train(4)];
  expect(again.digest).toBe(first.digest);
  expect(other.data).not.toBe(first.data);
  expect(first.metrics['validation']!).toBeLessThanOrEqual(first.metrics['linear_validation']!);
});

test('a training ends when its signal says so', async () => {
  const aborting = new AbortController();
  const training = trainAutoencoder({
    ...request(),
    signal: aborting.signal,
    onProgress: () => aborting.abort(),
  });
  await expect(training).rejects.toMatchObject({ code: 'models.aborted' });
});

test(
  'a model is trained in a process that ends, tells how far it is, and is verified',
  { timeout: 120_000 },
  async () => {
    const seen: number[] = [];
    const options = { entry: [entry], clock: systemClock, signal: new AbortController().signal };
    const model = await trainInProcess(request(), { ...options, onProgress: ({ epoch }) => seen.push(epoch) });
    expect(model.document).toMatchObject({ version: 'v1', architecture: 'autoencoder', createdMs: 7, seed: 3 });
    expect(seen[0]).toBe(1);
    const { expect: run } = pastOf(model);
    expect([...run!(new Float64Array(4))].every((value) => Math.abs(value) < 1)).toBe(true);
  },
);

test(
  'a process that says nothing, nonsense or too late is a failed training, and is gone',
  { timeout: 120_000 },
  async () => {
    const nothing = { clock: systemClock, signal: new AbortController().signal };
    const run = (script: string, limitMs?: number, signal = nothing.signal) =>
      trainInProcess(request(), { ...nothing, entry: ['-e', script], signal, limitMs });
    await expect(run('')).rejects.toThrowError(/said nothing/);
    await expect(run('console.log("hello")')).rejects.toThrowError(/not JSON/);
    await expect(run('console.log("{}")')).rejects.toThrowError(/not understood/);
    await expect(run('setInterval(() => {}, 1000)', 300)).rejects.toThrowError(/0.3 s/);
    await expect(trainInProcess(request(3, 0), { ...nothing, entry: ['-e', ''] })).rejects.toMatchObject({
      code: 'models.not-enough-data',
    });
    await expect(run('', 1000, AbortSignal.abort())).rejects.toMatchObject({ code: 'models.aborted' });
    await expect(run('console.log(JSON.stringify({ model: "{}" }))')).rejects.toMatchObject({ code: 'models.refused' });
  },
);
