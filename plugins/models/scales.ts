import { TUNING } from './tuning.ts';

/** What is usual for the metrics of a row, one place each. */
export interface Scales {
  mean: Float64Array;
  scale: Float64Array;
  step: Float64Array;
  drift: Float64Array;
  /** 1 for a metric that moved at all; of others nobody knows what a large move is. */
  moves: Uint8Array;
}

export const emptyScales = (width: number): Scales => ({
  mean: new Float64Array(width),
  scale: new Float64Array(width).fill(1),
  step: new Float64Array(width).fill(1),
  drift: new Float64Array(width).fill(1),
  moves: new Uint8Array(width).fill(1),
});

/** Gathers the moments of rows as they come. */
export interface Moments {
  readonly rows: number;
  add(row: Float64Array): void;
  /** Means and scales so far. A metric that never moved gets one by its size. */
  scales(): Scales;
}

const TINY = 1e-9;

export function createMoments(width: number): Moments {
  const field = (): Float64Array => new Float64Array(width);
  const [count, mean, square, steps, drifts, last, short] = [
    field(),
    field(),
    field(),
    field(),
    field(),
    field(),
    field(),
  ];
  const least = field().fill(Infinity);
  const most = field().fill(-Infinity);
  let rows = 0;
  return {
    get rows() {
      return rows;
    },
    add(row) {
      rows += 1;
      for (let j = 0; j < width; j++) {
        const value = row[j]!;
        if (!Number.isFinite(value)) continue;
        const n = (count[j] = count[j]! + 1);
        const before = value - mean[j]!;
        mean[j] = mean[j]! + before / n;
        square[j] = square[j]! + before * (value - mean[j]!);
        if (value < least[j]!) least[j] = value;
        if (value > most[j]!) most[j] = value;
        if (n === 1) short[j] = value;
        else steps[j] = steps[j]! + (value - last[j]!) ** 2;
        const away = value - short[j]!;
        drifts[j] = drifts[j]! + away * away;
        short[j] = short[j]! + TUNING.shortMean * away;
        last[j] = value;
      }
    },
    scales() {
      const found = emptyScales(width);
      for (let j = 0; j < width; j++) {
        const n = Math.max(1, count[j]!);
        const range = Math.max(0, most[j]! - least[j]!);
        const size = Math.abs(mean[j]!);
        found.mean[j] = mean[j]!;
        found.moves[j] = range > 0 ? 1 : 0;
        found.scale[j] = Math.max(Math.sqrt(square[j]! / n), 0.01 * range, 0.01 * size, TINY);
        const floor = Math.max(1e-3 * range, 1e-4 * size, TINY);
        found.step[j] = Math.max(Math.sqrt(steps[j]! / n), floor);
        found.drift[j] = Math.max(Math.sqrt(drifts[j]! / n), floor);
      }
      return found;
    },
  };
}
