// What a host's model costs: microseconds a row in the executor and in TF.js, of the whole score with and without one, and the training. Figures only.
//   models.ts [METRICS ...]    default: 38 and 200 metrics
import { loadavg } from 'node:os';
import { createModelJudge } from '../../agent/anomalies/models/judge.ts';
import { trainAutoencoder } from '../../plugins/models/autoencoder.ts';
import { createExecutor } from '../../plugins/models/executor.ts';
import { pastOf, type HostModel } from '../../plugins/models/host-model.ts';
import { createHostScore } from '../../plugins/models/host-score.ts';
import { createNormal, createRandom } from '../../plugins/models/random.ts';
import { loadTensorFlow, runWithTf, type Backend } from '../../plugins/models/tensorflow.ts';

const TRAIN_ROWS = 8640;
const ROUNDS = 5;

/** Metrics that follow a quarter as many hidden loads. */
function rowsOf(width: number): Float64Array[] {
  const noise = createNormal(createRandom(1));
  const loads = Float64Array.from({ length: Math.ceil(width / 4) }, noise);
  return Array.from({ length: TRAIN_ROWS }, () => {
    loads.forEach((load, k) => (loads[k] = 0.95 * load + noise()));
    return Float64Array.from({ length: width }, (_, j) => loads[j % loads.length]! * (1 + j / width) + 0.3 * noise());
  });
}

/** Median of rounds, in microseconds of processor time a call. */
function microseconds(calls: number, work: (n: number) => void): number {
  for (let n = 0; n < Math.min(calls, 2000); n++) work(n);
  const rounds = Array.from({ length: ROUNDS }, () => {
    const from = process.cpuUsage();
    for (let n = 0; n < calls; n++) work(n);
    const { user, system } = process.cpuUsage(from);
    return (user + system) / calls;
  });
  return rounds.sort((a, b) => a - b)[ROUNDS >> 1]!;
}

/** What an agent spends on it: a window each ten seconds, its values found by the keys of series; also where some have none, which are asked for of the others. */
function agentsPart(model: HostModel, rows: readonly Float64Array[]): void {
  const judge = createModelJudge(model);
  const places = new Map(model.document.features.map(({ metric }, j) => [metric, j]));
  for (const missing of [0, 3]) {
    const cost = microseconds(5_000, (n) => {
      const row = rows[n % TRAIN_ROWS]!;
      const valueOf = (key: string): number => (places.get(key)! < missing ? NaN : row[places.get(key)!]!);
      judge.judge({ endMs: n * 10_000, valueOf });
    });
    console.log(`  an agent, a window with ${missing} series missing: ${cost.toFixed(0)} µs, ${((6 * cost) / 1e6).toFixed(5)} CPU-s a minute`); // prettier-ignore
  }
}

async function measure(width: number, backends: readonly Backend[]): Promise<void> {
  const rows = rowsOf(width);
  const source = async function* () {
    for (const [n, values] of rows.entries()) yield { timeMs: n * 10_000, values };
    await Promise.resolve();
  };
  const series = Array.from({ length: width }, (_, j) => ({ metric: `m${j}`, attributes: {}, kind: 'gauge' as const }));
  let epochs = 0;
  const options = { series, rows: source, version: 'bench', createdMs: 0, seed: 1, onProgress: () => (epochs += 1) };
  const before = process.cpuUsage();
  const model = await trainAutoencoder({ ...options, tensorFlow: await loadTensorFlow(backends) });
  const { user, system } = process.cpuUsage(before);
  const seconds = ((user + system) / 1e6).toFixed(1);
  const bytes = JSON.stringify(model.document).length;
  console.log(
    `${width} metrics: training on ${TRAIN_ROWS} rows ${seconds} CPU-s (${epochs} epochs, ${backends.join()}), model ${bytes} bytes`,
  );
  const executor = createExecutor(model.topology, model.weights);
  console.log(
    `  executor ${microseconds(50_000, (n) => void executor.run(rows[n % TRAIN_ROWS]!)).toFixed(2)} µs a row`,
  );
  const withModel = createHostScore(width, pastOf(model));
  console.log(
    `  score with the model ${microseconds(50_000, (n) => void withModel.push(rows[n % TRAIN_ROWS]!)).toFixed(2)} µs a row`,
  );
  const alone = createHostScore(width);
  console.log(
    `  score without one ${microseconds(50_000, (n) => void alone.push(rows[n % TRAIN_ROWS]!)).toFixed(2)} µs a row`,
  );
  agentsPart(model, rows);
  for (const backend of ['cpu', 'wasm'] as const) {
    const tensorFlow = await loadTensorFlow([backend]);
    const other = await runWithTf(model, tensorFlow);
    console.log(
      `  TF.js, ${backend}: ${microseconds(500, (n) => void other.run(rows[n % TRAIN_ROWS]!)).toFixed(0)} µs a row`,
    );
    other.dispose();
  }
}

const widths = process.argv.slice(2).map(Number);
console.log(`load ${loadavg()[0]!.toFixed(1)}, Node ${process.version}`);
for (const width of widths.length > 0 ? widths : [38, 200])
  for (const backend of ['wasm', 'cpu'] as const) await measure(width, [backend]);
