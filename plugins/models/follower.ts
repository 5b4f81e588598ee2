import type { Scales } from './scales.ts';
import { TUNING } from './tuning.ts';

/** Holds each metric against its own last values: how far it is from usual, and how much it changed, in scales that follow. */
export interface Follower {
  /** Distance to the usual value, change since the row before, distance to the short mean; of the row that was read last, in scales. */
  readonly normal: Float64Array;
  readonly changes: Float64Array;
  readonly drifts: Float64Array;
  readonly mean: Float64Array;
  readonly scale: Float64Array;
  /** Takes scales that were learned in the place of those so far. */
  learnFrom(scales: Scales): void;
  read(metric: number, value: number): void;
  /** What a restart needs. */
  readonly memory: readonly Float64Array[];
}

const DECAY = 1 - 2 ** (-1 / TUNING.scaleHalfLife);
const CLIP = TUNING.scaleClip ** 2;
const MOST = TUNING.mostScales;
const clamp = (value: number): number => (value > MOST ? MOST : value < -MOST ? -MOST : value);
const NEW = TUNING.newScales;

/** Moves the variance of a change by one observation, which counts so many scales at most. */
function followScale(variance: Float64Array, floor: Float64Array, metric: number, change: number): void {
  const known = variance[metric]!;
  const next = known + DECAY * (Math.min(change * change, CLIP * known) - known);
  variance[metric] = next < floor[metric]! ? floor[metric]! : next;
}

/** `followsLevel`: nobody told what is usual, so that mean and scale follow what comes, slowly. */
export function createFollower(width: number, initial: Scales, followsLevel: boolean): Follower {
  const field = (): Float64Array => new Float64Array(width);
  const [last, short, normal, changes, drifts, seen] = [field(), field(), field(), field(), field(), field()];
  const [mean, scale, floor] = [field(), field(), field()];
  const [stepVariance, driftVariance, stepFloor, driftFloor] = [field(), field(), field(), field()];
  const moves = new Uint8Array(width);
  const learnFrom = (from: Scales): void => {
    mean.set(from.mean);
    scale.set(from.scale);
    moves.set(from.moves);
    for (let j = 0; j < width; j++) {
      floor[j] = from.scale[j]! / 4;
      stepVariance[j] = from.step[j]! ** 2;
      driftVariance[j] = from.drift[j]! ** 2;
      stepFloor[j] = stepVariance[j]! * TUNING.scaleFloor;
      driftFloor[j] = driftVariance[j]! * TUNING.scaleFloor;
    }
  };
  learnFrom(initial);
  /** The largest move so far of a metric that never moved before is `NEW` scales. */
  const widen = (j: number, away: number, step: number, drift: number): void => {
    scale[j] = Math.max(scale[j]!, Math.abs(away) / NEW);
    stepVariance[j] = Math.max(stepVariance[j]!, (step / NEW) ** 2);
    driftVariance[j] = Math.max(driftVariance[j]!, (drift / NEW) ** 2);
  };
  const followLevel = (j: number, value: number): void => {
    const known = scale[j]!;
    const away = Math.max(-3 * known, Math.min(3 * known, value - mean[j]!));
    mean[j] = mean[j]! + DECAY * away;
    scale[j] = Math.max(floor[j]!, Math.sqrt(known * known * (1 - DECAY) + DECAY * away * away));
  };
  return {
    normal,
    changes,
    drifts,
    mean,
    scale,
    memory: [last, short, mean, scale, floor, stepVariance, driftVariance, stepFloor, driftFloor, seen],
    learnFrom,
    read(j, value) {
      if (seen[j] === 0) {
        seen[j] = 1;
        last[j] = short[j] = value;
      }
      const step = value - last[j]!;
      const drift = value - short[j]!;
      if (followsLevel) followLevel(j, value);
      if (moves[j] === 0) widen(j, value - mean[j]!, step, drift);
      normal[j] = clamp((value - mean[j]!) / scale[j]!);
      changes[j] = clamp(step / Math.sqrt(stepVariance[j]!));
      drifts[j] = clamp(drift / Math.sqrt(driftVariance[j]!));
      followScale(stepVariance, stepFloor, j, step);
      followScale(driftVariance, driftFloor, j, drift);
      short[j] = short[j]! + TUNING.shortMean * drift;
      last[j] = value;
    },
  };
}
