import { eigenOf } from './eigen.ts';
import type { Scales } from './scales.ts';
import { TUNING } from './tuning.ts';

/** Share of the variance that the components of a linear model hold. */
const SHARE = 0.9;

const MOST = TUNING.mostScales;

/** Normalises a row into `normal`: NaN is taken for usual, and nothing is further away than the score would count. */
export function normalise(row: Float64Array, { mean, scale }: Scales, normal: Float64Array): void {
  for (let j = 0; j < row.length; j++) {
    const value = (row[j]! - mean[j]!) / scale[j]!;
    normal[j] = Number.isFinite(value) ? Math.max(-MOST, Math.min(MOST, value)) : 0;
  }
}

/** Gathers how the normalised metrics of rows go together. */
export function createCovariance(width: number): { add(normal: Float64Array): void; components(): Float64Array[] } {
  const sums = Array.from({ length: width }, () => new Float64Array(width));
  let rows = 0;
  return {
    add(normal) {
      rows += 1;
      for (let a = 0; a < width; a++) {
        const value = normal[a]!;
        if (value === 0) continue;
        const line = sums[a]!;
        for (let b = a; b < width; b++) line[b] = line[b]! + value * normal[b]!;
      }
    },
    components() {
      const matrix = sums.map((_, a) =>
        Float64Array.from(sums, (_x, b) => sums[Math.min(a, b)]![Math.max(a, b)]! / rows),
      );
      const { values, vectors } = eigenOf(matrix);
      const whole = values.reduce((sum, value) => sum + Math.max(0, value), 0);
      let held = 0;
      let count = 0;
      while (count < width && held < SHARE * whole) held += Math.max(0, values[count++]!);
      return vectors.slice(0, Math.max(1, count));
    },
  };
}
