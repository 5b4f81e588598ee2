import {
  CHANNELS,
  FLOATS,
  HIGH,
  LAST,
  LOW,
  MEAN_PAIRS,
  MEAN_SPANS,
  MEANS,
  NEAR,
  RESIDUAL,
  RUN,
  SCALE,
  SEASON_AWAY,
  SEEN,
  SPREAD_PAIRS,
  SPREAD_SPANS,
  SPREADS,
  STAY_HIGH,
  STAY_LOW,
  STEP,
  STEP_BEFORE,
  STRANGE,
  THIRD,
  TAIL_COUNT,
  TAILS,
  VALUE,
  WIDTH_OF,
  WIDTH_SPANS,
  WIDTHS,
  type Memory,
} from './layout.ts';
import { feelStrangeness } from './novelty.ts';
import { seasonalDistance } from './seasons.ts';
import { surprisesOf, type Tails } from './tail.ts';
import type { Tuning } from './tuning.ts';

/** Spans of the baseline of one-step residuals and of their scale. */
const NEAR_SPAN = 4;
const SCALE_SPAN = 300;
/** An outlier teaches a scale at most this many times its size, once it is known from a few samples. */
const CLIP = 6;
const KNOWN = 20;
/** Statistics below these are silence: a share of a scale that nobody would call a change, a short run, a common step. A spread is silent while it does not change. */
const FLOOR_OF_MEANS = 0.01;
const FLOOR_OF_RUNS = 4;
const FLOOR_OF_STRANGENESS = 0.5;
const FLOOR_OF_RAMPS = 0.5;
const FLOOR_OF_RECORDS = 0.02;
/** Samples before a range is one that can be left: early on nearly every sample is a record. */
const RANGED = 100;
/** Of the slow spread, so much is added to the fast one, so that a single quiet stretch does not divide by nothing. */
const LEAST_SPREAD = 0.02;

const WILD = CHANNELS.indexOf('wild');
const OTHERS = MEAN_PAIRS.length + SPREAD_PAIRS.length;

// The pairs as columns: reading objects in the loop costs half as much again.
const PAIRS = [...MEAN_PAIRS, ...SPREAD_PAIRS];
const LONE = (['residual', 'stuck', 'season', 'novelty', 'ramp', 'record', 'stay'] as const).map((name) =>
  CHANNELS.indexOf(name),
);
const CHANNEL = Int8Array.from([...PAIRS.map(({ channel }) => channel), ...LONE]);
const FAST = Int8Array.from(PAIRS, ({ fast }) => fast);
const SLOW = Int8Array.from(PAIRS, ({ slow }) => slow);
const WIDTH = Int8Array.from(PAIRS, ({ width }) => width);
const MEAN_WEIGHTS = MEAN_SPANS.map((span) => 1 / span);
const SPREAD_WEIGHTS = SPREAD_SPANS.map((span) => 1 / span);
const WIDTH_WEIGHTS = WIDTH_SPANS.map((span) => 1 / span);

/** What the channels said of one sample; overwritten by the next. */
export interface Voices {
  /** Root of the sum of weighted squares, nats. */
  nats: number;
  /** Surprise of the loudest channel, unweighted. */
  most: number;
  /** Index of the channel that counts most; -1 when all are silent. */
  channel: number;
  direction: -1 | 0 | 1;
}

/** One sample's statistics, surprises and sides by test. */
const z = new Float64Array(TAIL_COUNT);
const nats = new Float64Array(TAIL_COUNT);
const way = new Float64Array(TAIL_COUNT);
const tails: Tails = { z, nats };

/** Surprise and side of each channel; the loudest of its pairs speaks for it. */
const loud = new Float64Array(CHANNELS.length);
const side = new Int8Array(CHANNELS.length);

const clipped = (size: number, scale: number, seen: number): number =>
  scale > 0 && seen > KNOWN && size > CLIP * scale ? CLIP * scale : size;

/** Learns a value into all running means, spreads and widths. */
function learn(floats: Float64Array, at: number): void {
  const seen = floats[at + SEEN]!;
  const x = floats[at + VALUE]!;
  const least = 1 / (seen + 1);
  const residual = x - floats[at + NEAR]!;
  const size = Math.abs(residual);
  const scale = floats[at + SCALE]!;
  floats[at + NEAR] = floats[at + NEAR]! + Math.max(1 / NEAR_SPAN, least) * residual;
  floats[at + SCALE] = scale + Math.max(1 / SCALE_SPAN, least) * (clipped(size, scale, seen) - scale);
  for (let n = 0; n < MEAN_WEIGHTS.length; n++) {
    const mean = floats[at + MEANS + n]!;
    floats[at + MEANS + n] = mean + Math.max(MEAN_WEIGHTS[n]!, least) * (x - mean);
  }
  for (let n = 0; n < SPREAD_WEIGHTS.length; n++) {
    const spread = floats[at + SPREADS + n]!;
    floats[at + SPREADS + n] = spread + Math.max(SPREAD_WEIGHTS[n]!, least) * (size - spread);
  }
  for (let n = 0; n < WIDTH_WEIGHTS.length; n++) {
    const away = Math.abs(x - floats[at + MEANS + WIDTH_OF[n]!]!);
    const width = floats[at + WIDTHS + n]!;
    floats[at + WIDTHS + n] = width + Math.max(WIDTH_WEIGHTS[n]!, least) * (clipped(away, width, seen) - width);
  }
  floats[at + RUN] = x === floats[at + LAST]! ? floats[at + RUN]! + 1 : 0;
  floats[at + LAST] = x;
  floats[at + RESIDUAL] = residual;
}

/** The least of the last three steps, where all go the same way; its sign is theirs. Keeps the steps. */
function rampOf(floats: Float64Array, at: number): number {
  const step = floats[at + VALUE]! - floats[at + LAST]!;
  const a = floats[at + STEP]!;
  const b = floats[at + STEP_BEFORE]!;
  floats[at + STEP_BEFORE] = a;
  floats[at + STEP] = step;
  if (step > 0 && a > 0 && b > 0) return Math.min(step, a, b);
  if (step < 0 && a < 0 && b < 0) return Math.max(step, a, b);
  return 0;
}

/** How far the value lies outside all that were seen before; below them it is negative. */
function recordOf(floats: Float64Array, at: number): number {
  const x = floats[at + VALUE]!;
  const low = floats[at + LOW]!;
  const high = floats[at + HIGH]!;
  if (floats[at + SEEN]! < RANGED || high <= low) return 0;
  return x > high ? x - high : x < low ? x - low : 0;
}

/**
 * How far the last four samples all lie beyond where four in a row ever lay; below it is negative. Then keeps where they lay. A peak of three moves the least of four
 * nowhere: what comes for a moment, however high and often, does not hide what stays.
 */
function stayOf(floats: Float64Array, at: number): number {
  const x = floats[at + VALUE]!;
  const last = floats[at + LAST]!;
  const before = last - floats[at + STEP_BEFORE]!; // `rampOf` has moved the steps on.
  const third = floats[at + THIRD]!;
  floats[at + THIRD] = before;
  const least = Math.min(x, last, before, third);
  const most = Math.max(x, last, before, third);
  const seen = floats[at + SEEN]!;
  const high = floats[at + STAY_HIGH]!;
  const low = floats[at + STAY_LOW]!;
  // The first sample is the first of four; with the fourth something is known.
  if (seen < 4 || least > high) floats[at + STAY_HIGH] = least;
  if (seen < 4 || most < low) floats[at + STAY_LOW] = most;
  if (seen < RANGED || floats[at + HIGH]! <= floats[at + LOW]!) return 0;
  return least > high ? least - high : most < low ? most - low : 0;
}

/** Puts the statistic of every test into `z`, as a multiple of its floor, and the side that it points to into `way`. */
function measure(memory: Memory, place: number, share: number): void {
  const { floats } = memory;
  const at = place * FLOATS;
  const size = Math.abs(floats[at + VALUE]!);
  const tiny = 1e-9 * size + 1e-12;
  const least = share * size;
  const unit = floats[at + SCALE]! + tiny;
  const range = floats[at + HIGH]! - floats[at + LOW]! + tiny;
  const ramp = rampOf(floats, at);
  const record = recordOf(floats, at); // Before novelty widens the range.
  const stay = stayOf(floats, at);
  feelStrangeness(memory, place);
  learn(floats, at);
  for (let n = 0; n < MEAN_PAIRS.length; n++) {
    const width = WIDTH[n]!;
    const apart = floats[at + MEANS + FAST[n]!]! - floats[at + MEANS + SLOW[n]!]!;
    const away = Math.abs(apart);
    z[n] = away < least ? 0 : away / ((width < 0 ? unit : floats[at + WIDTHS + width]! + tiny) * FLOOR_OF_MEANS);
    way[n] = apart;
  }
  for (let n = MEAN_PAIRS.length; n < OTHERS; n++) {
    const isWild = CHANNEL[n] === WILD;
    const past = floats[at + SPREADS + SLOW[n]!]!;
    const now = floats[at + SPREADS + FAST[n]!]! + LEAST_SPREAD * past + tiny;
    z[n] = (isWild ? now : past) < least ? 0 : isWild ? now / (past + tiny) : (past + tiny) / now;
    way[n] = isWild ? 1 : -1;
  }
  const residual = floats[at + RESIDUAL]!;
  const away = seasonalDistance(memory, place);
  z[OTHERS] = Math.abs(residual) < least ? 0 : Math.abs(residual) / (unit * FLOOR_OF_MEANS);
  // What never changes is not stuck.
  z[OTHERS + 1] = floats[at + SCALE]! > 0 ? floats[at + RUN]! / FLOOR_OF_RUNS : 0;
  z[OTHERS + 2] = away > 0 && Math.abs(floats[at + SEASON_AWAY]!) < least ? 0 : away / FLOOR_OF_MEANS;
  z[OTHERS + 3] = range < least ? 0 : floats[at + STRANGE]! / FLOOR_OF_STRANGENESS;
  z[OTHERS + 4] = Math.abs(ramp) < least ? 0 : Math.abs(ramp) / (unit * FLOOR_OF_RAMPS);
  way[OTHERS + 4] = ramp;
  z[OTHERS + 5] = Math.abs(record) < least ? 0 : Math.abs(record) / (range * FLOOR_OF_RECORDS);
  way[OTHERS + 5] = record;
  z[OTHERS + 6] = Math.abs(stay) < least ? 0 : Math.abs(stay) / (range * FLOOR_OF_RECORDS);
  way[OTHERS + 6] = stay;
  way[OTHERS] = way[OTHERS + 3] = residual;
  way[OTHERS + 1] = -1;
  way[OTHERS + 2] = floats[at + SEASON_AWAY]!;
}

/** Asks every channel about the value of a metric (`floats[VALUE]`) and learns it. `voices` is filled. */
export function listen(memory: Memory, place: number, { tuning, voices }: Listening): void {
  const { floats } = memory;
  const at = place * FLOATS;
  measure(memory, place, tuning.least);
  floats[at + SEEN] = floats[at + SEEN]! + 1;
  surprisesOf(floats, at + TAILS, tails, tuning.tail);
  loud.fill(0);
  voices.most = 0;
  for (let n = 0; n < TAIL_COUNT; n++) {
    const said = nats[n]!;
    const channel = CHANNEL[n]!;
    if (said <= loud[channel]!) continue;
    loud[channel] = said;
    side[channel] = way[n]! > 0 ? 1 : -1;
    if (said > voices.most) voices.most = said;
  }
  let sum = 0;
  let best = 0;
  voices.channel = -1;
  for (let n = 0; n < CHANNELS.length; n++) {
    const counted = loud[n]! * tuning.weights[n]!;
    sum += counted * counted;
    if (counted <= best) continue;
    best = counted;
    voices.channel = n;
  }
  voices.nats = Math.sqrt(sum);
  voices.direction = voices.channel < 0 ? 0 : side[voices.channel]! > 0 ? 1 : -1;
}

/** What `listen` is given beside the sample. */
export interface Listening {
  tuning: Tuning;
  voices: Voices;
}

/** Tests that are made of one sample, for a bound that holds however they depend on each other. */
export const TESTS = TAIL_COUNT;
