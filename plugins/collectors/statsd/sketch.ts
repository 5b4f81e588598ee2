/** Neighbouring buckets differ by 2 %, so that a quantile is right within 1 %. */
const GAMMA = 1.02;
const LOG_GAMMA = Math.log(GAMMA);

/** Sizes below the least count as zero, those above the most as the most: so the buckets of a sign are at most 2,443. */
const LEAST = 1e-9;
const MOST = 1e12;
const OFFSET = Math.ceil(-Math.log(LEAST) / LOG_GAMMA) + 1;

/** Quantiles of a stream in bounded memory, after DDSketch (Masson, Rim, Lee: VLDB 12(12), 2019). */
export interface Sketch {
  add(value: number, weight: number): void;
  /** The value below which a share `q` of the weight lies, within 1 %; NaN while empty. */
  quantile(q: number): number;
  min(): number;
  max(): number;
  clear(): void;
}

function bucketOf(value: number): number {
  const size = Math.min(Math.abs(value), MOST);
  if (size < LEAST) return 0;
  return Math.sign(value) * (Math.ceil(Math.log(size) / LOG_GAMMA) + OFFSET);
}

function middleOf(bucket: number): number {
  if (bucket === 0) return 0;
  return (Math.sign(bucket) * 2 * GAMMA ** (Math.abs(bucket) - OFFSET)) / (GAMMA + 1);
}

/** Makes an empty sketch. */
export function createSketch(): Sketch {
  const buckets = new Map<number, number>();
  let total = 0;
  let least = Infinity;
  let most = -Infinity;
  return {
    add(value, weight) {
      const bucket = bucketOf(value);
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + weight);
      total += weight;
      least = Math.min(least, value);
      most = Math.max(most, value);
    },
    quantile(q) {
      if (buckets.size === 0) return NaN;
      let left = q * total;
      let at = 0;
      for (const [bucket, weight] of [...buckets].sort(([a], [b]) => a - b)) {
        at = bucket;
        left -= weight;
        if (left <= 0) break;
      }
      return Math.max(least, Math.min(most, middleOf(at)));
    },
    min: () => (buckets.size === 0 ? NaN : least),
    max: () => (buckets.size === 0 ? NaN : most),
    clear() {
      buckets.clear();
      [total, least, most] = [0, Infinity, -Infinity];
    },
  };
}
