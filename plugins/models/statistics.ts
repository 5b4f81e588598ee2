import { createFollower } from './follower.ts';
import type { Scales } from './scales.ts';
import { TUNING } from './tuning.ts';

/** Gives what is expected of a normalised row. The answer is the same array each time. */
export type Expect = (row: Float64Array) => Float64Array;

/** A row of a host's metrics in a few numbers, before anything is known of how usual they are. */
export interface RowStatistics {
  /** Mean of the strangest changes since the row before, in their scales. */
  step: number;
  /** The same of distances to the mean of the last few rows. */
  drift: number;
  /** Mean distance to what was expected, in scales. */
  residual: number;
  /** `residual`, smoothed. */
  level: number;
  /** Reads a row; NaN where a metric has no sample. */
  read(row: Float64Array): void;
  /** Part of the metric in the change and in the residual of the row that was read last; the sign says up or down. */
  readonly changes: Float64Array;
  readonly residuals: Float64Array;
  /** Values that were expected of the row that was read last, in the metrics' own units. */
  expected(metric: number): number;
  /** From now on the scales of changes follow the rows. */
  follow(scales: Scales): void;
  /** What a restart needs. */
  readonly memory: readonly Float64Array[];
}

/** Mean of the `count` largest absolute values; `top` is scratch space of `count` places. */
function topMean(values: Float64Array, top: Float64Array): number {
  const count = top.length;
  top.fill(0);
  for (let j = 0; j < values.length; j++) {
    const value = Math.abs(values[j]!);
    if (value <= top[0]!) continue;
    let k = 0;
    for (; k + 1 < count && top[k + 1]! < value; k++) top[k] = top[k + 1]!;
    top[k] = value;
  }
  let sum = 0;
  for (let k = 0; k < count; k++) sum += top[k]!;
  return sum / count;
}

/** Reads rows of `width` metrics. Allocates nothing per row. */
export function createStatistics(width: number, expect: Expect | undefined, initial: Scales): RowStatistics {
  const follower = createFollower(width, initial, expect === undefined);
  const { normal, changes, drifts, mean, scale } = follower;
  const residuals = new Float64Array(width);
  const level = new Float64Array(2);
  const top = new Float64Array(Math.min(width, TUNING.topMetrics));
  let predicted = normal;
  /** What is missing is taken for what the other metrics lead to expect, by asking a few times. */
  const fillIn = (row: Float64Array, missing: number, ask: Expect): Float64Array => {
    let answer = ask(normal);
    for (let round = 0; round < 8 && missing < width; round++) {
      for (let j = 0; j < width; j++) if (!Number.isFinite(row[j]!)) normal[j] = answer[j]!;
      answer = ask(normal);
    }
    return answer;
  };
  const found: RowStatistics = {
    step: 0,
    drift: 0,
    residual: 0,
    level: 0,
    changes,
    residuals,
    memory: [...follower.memory, level, normal],
    follow: follower.learnFrom,
    expected: (j) => mean[j]! + (expect === undefined ? 0 : predicted[j]! * scale[j]!),
    read(row) {
      let missing = 0;
      for (let j = 0; j < width; j++) {
        if (Number.isFinite(row[j]!)) {
          follower.read(j, row[j]!);
          continue;
        }
        normal[j] = expect === undefined ? 0 : predicted[j]!; // As the others said of it in the row before.
        changes[j] = drifts[j] = 0;
        missing += 1;
      }
      found.step = topMean(changes, top);
      found.drift = topMean(drifts, top);
      if (expect !== undefined) predicted = missing === 0 ? expect(normal) : fillIn(row, missing, expect);
      let sum = 0;
      for (let j = 0; j < width; j++) {
        const away = Number.isFinite(row[j]!) ? normal[j]! - (expect === undefined ? 0 : predicted[j]!) : 0;
        residuals[j] = away;
        sum += Math.abs(away);
        if (Math.abs(drifts[j]!) > Math.abs(changes[j]!)) changes[j] = drifts[j]!;
      }
      found.residual = sum / width;
      level[0] = level[1] === 0 ? found.residual : level[0]! + TUNING.levelMean * (found.residual - level[0]!);
      level[1] = 1;
      found.level = level[0]!;
    },
  };
  return found;
}
