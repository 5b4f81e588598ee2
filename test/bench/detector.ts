// What the detector of a metric costs: CPU time a sample beside the cheapest thing that could be called one, and bytes a metric. Figures only.
import { loadavg } from 'node:os';
import { createDetector, memoryOf, snapshotOf } from '../../agent/scoring/index.ts';

const METRICS = 500;
const ROUNDS = 5;
const SECONDS = 600;

let state = 1;
const values = Float64Array.from({ length: 8192 }, () => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return 40 + (state / 2 ** 32) * 10 + (state % 997 === 0 ? 50 : 0);
});
const valueAt = (second: number, metric: number): number => values[(second * 7 + metric * 13) & 8191]!;

/** CPU microseconds of one sample, over all metrics for some seconds. */
function costOf(work: (second: number, metric: number) => void, from: number): number {
  const before = process.cpuUsage();
  for (let second = from; second < from + SECONDS; second++)
    for (let metric = 0; metric < METRICS; metric++) work(second, metric);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (SECONDS * METRICS);
}

const detector = createDetector();
const places = Array.from({ length: METRICS }, () => detector.add('gauge'));
const floor = new Float64Array(METRICS * 2);
let alerts = 0;
function zScore(second: number, metric: number): void {
  const away = valueAt(second, metric) - floor[2 * metric]!;
  floor[2 * metric] = floor[2 * metric]! + 0.1 * away;
  const size = Math.abs(away);
  if (size > 8 * floor[2 * metric + 1]!) alerts += 1;
  floor[2 * metric + 1] = floor[2 * metric + 1]! + 0.003 * (size - floor[2 * metric + 1]!);
}

console.log(`Node ${process.version}, ${METRICS} metrics, load ${loadavg()[0]?.toFixed(0)}`);
for (let round = 0; round < ROUNDS; round++) {
  const from = round * SECONDS;
  const ours = costOf((second, metric) => {
    if (detector.push(places[metric]!, second * 1000, valueAt(second, metric)).score >= 0.5) alerts += 1;
  }, from);
  console.log(`detector ${ours.toFixed(2)} µs a sample  plain EWMA z-score ${costOf(zScore, from).toFixed(3)} µs`);
}
const { floats, counts, bytes, kinds } = detector.memory();
const held = (floats.byteLength + counts.byteLength + bytes.byteLength + kinds.byteLength) / kinds.length;
const snapshot = snapshotOf(detector.memory());
const restored = memoryOf(snapshot).kinds.length;
const kept = snapshot.length / restored;
console.log(`${held.toFixed(0)} bytes a metric in memory, ${kept.toFixed(0)} in a snapshot; ${alerts} alerts of both`);
