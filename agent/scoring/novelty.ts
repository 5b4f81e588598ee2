import {
  COUNTS,
  FLOATS,
  HIGH,
  LAGS,
  LEVEL_TRAIL,
  BYTES,
  LEVELS,
  LOW,
  SEEN,
  STRANGE,
  TRAIL,
  VALUE,
  type Memory,
} from './layout.ts';

/** Samples after which counts are halved, so that what was seen long ago fades. */
const FADE = 5000;
/** Samples over which strangeness is averaged. */
const SMOOTH = 4;
/** Samples before a wider range moves the counts; before that they are few and stay where they are. */
const SETTLED = 30;

const SQUARE = LEVELS * LEVELS;
const scratch = new Float32Array(SQUARE);

const levelOf = (x: number, low: number, high: number): number =>
  high > low ? Math.min(LEVELS - 1, Math.floor(((x - low) / (high - low)) * LEVELS * 0.9999)) : 0;

/** Sorts the counts anew after the range has grown from `low`–`high` to `wideLow`–`wideHigh`. */
function widen(
  { counts }: Memory,
  from: number,
  old: readonly [number, number],
  wide: readonly [number, number],
): void {
  const size = (old[1] - old[0]) / LEVELS;
  for (let lag = 0; lag < LAGS.length; lag++) {
    const base = from + lag * SQUARE;
    scratch.fill(0);
    for (let a = 0; a < LEVELS; a++) {
      const newA = levelOf(old[0] + (a + 0.5) * size, wide[0], wide[1]);
      for (let b = 0; b < LEVELS; b++) {
        const newB = levelOf(old[0] + (b + 0.5) * size, wide[0], wide[1]);
        scratch[newA * LEVELS + newB] = scratch[newA * LEVELS + newB]! + counts[base + a * LEVELS + b]!;
      }
    }
    counts.set(scratch, base);
  }
}

/**
 * How strange the way from earlier values to this one is, in nats: −ln of how often this pair of levels was seen 1, 4 and 16 samples apart, averaged
 * over the lags and the last few samples, left in `floats[STRANGE]`; then learns it. The range that levels are cut from is the one seen so far.
 */
export function feelStrangeness(memory: Memory, place: number): void {
  const { floats, counts, bytes } = memory;
  const at = place * FLOATS;
  const from = place * COUNTS;
  const trail = place * BYTES + LEVEL_TRAIL;
  const seen = floats[at + SEEN]!;
  const x = floats[at + VALUE]!;
  const low = floats[at + LOW]!;
  const high = floats[at + HIGH]!;
  if (x < low || x > high) {
    const wide = [Math.min(x, low), Math.max(x, high)] as const;
    if (seen > SETTLED && high > low) widen(memory, from, [low, high], wide);
    floats[at + LOW] = wide[0];
    floats[at + HIGH] = wide[1];
  }
  const level = levelOf(x, floats[at + LOW]!, floats[at + HIGH]!);
  bytes[trail + (seen & (TRAIL - 1))] = level;
  let sum = 0;
  for (let lag = 0; lag < LAGS.length; lag++) {
    if (seen <= LAGS[lag]!) continue;
    const before = bytes[trail + ((seen - LAGS[lag]!) & (TRAIL - 1))]!;
    const cell = from + lag * SQUARE + before * LEVELS + level;
    const total = from + LAGS.length * SQUARE + lag;
    sum -= Math.log((counts[cell]! + 0.5) / (counts[total]! + LEVELS));
    counts[cell] = counts[cell]! + 1;
    counts[total] = counts[total]! + 1;
    if (counts[total]! <= FADE) continue;
    for (let n = from + lag * SQUARE; n < from + (lag + 1) * SQUARE; n++) counts[n] = counts[n]! / 2;
    counts[total] = counts[total]! / 2;
  }
  const strange = floats[at + STRANGE]!;
  floats[at + STRANGE] = strange + (sum / LAGS.length - strange) / SMOOTH;
}
