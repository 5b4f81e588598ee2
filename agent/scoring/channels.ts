import {
  CHANNELS,
  FLOATS,
  LAST,
  MEAN_PAIRS,
  MEAN_SPANS,
  MEANS,
  NEAR,
  RUN,
  SCALE,
  SEASON_AWAY,
  SEEN,
  SPREAD_PAIRS,
  SPREAD_SPANS,
  SPREADS,
  TAIL_COUNT,
  TAILS,
  WIDTH_OF,
  WIDTH_SPANS,
  WIDTHS,
  type Memory,
} from './layout.ts';
import { strangenessOf } from './novelty.ts';
import { seasonalDistance } from './seasons.ts';
import { surpriseOf, TAIL_SIZE } from './tail.ts';
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
/** Of the slow spread, so much is added to the fast one, so that a single quiet stretch does not divide by nothing. */
const LEAST_SPREAD = 0.02;

const RESIDUAL = CHANNELS.indexOf('residual');
const WILD = CHANNELS.indexOf('wild');
const STUCK = CHANNELS.indexOf('stuck');
const SEASON = CHANNELS.indexOf('season');
const NOVELTY = CHANNELS.indexOf('novelty');
const OTHERS = MEAN_PAIRS.length + SPREAD_PAIRS.length;

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

/** Surprise and side of each channel; the loudest of its pairs speaks for it. */
const loud = new Float64Array(CHANNELS.length);
const side = new Int8Array(CHANNELS.length);

const clipped = (size: number, scale: number, seen: number): number =>
  scale > 0 && seen > KNOWN && size > CLIP * scale ? CLIP * scale : size;

function hear(channel: number, nats: number, way: number): void {
  if (nats <= loud[channel]!) return;
  loud[channel] = nats;
  side[channel] = way > 0 ? 1 : -1;
}

/** Learns a value into all running means, spreads and widths. Returns its residual. */
function learn(floats: Float64Array, at: number, x: number): number {
  const seen = floats[at + SEEN]!;
  const least = 1 / (seen + 1);
  const residual = x - floats[at + NEAR]!;
  const size = Math.abs(residual);
  const scale = floats[at + SCALE]!;
  floats[at + NEAR] = floats[at + NEAR]! + Math.max(1 / NEAR_SPAN, least) * residual;
  floats[at + SCALE] = scale + Math.max(1 / SCALE_SPAN, least) * (clipped(size, scale, seen) - scale);
  for (let n = 0; n < MEAN_SPANS.length; n++) {
    const mean = floats[at + MEANS + n]!;
    floats[at + MEANS + n] = mean + Math.max(1 / MEAN_SPANS[n]!, least) * (x - mean);
  }
  for (let n = 0; n < SPREAD_SPANS.length; n++) {
    const spread = floats[at + SPREADS + n]!;
    floats[at + SPREADS + n] = spread + Math.max(1 / SPREAD_SPANS[n]!, least) * (size - spread);
  }
  for (let n = 0; n < WIDTH_SPANS.length; n++) {
    const away = Math.abs(x - floats[at + MEANS + WIDTH_OF[n]!]!);
    const width = floats[at + WIDTHS + n]!;
    floats[at + WIDTHS + n] = width + Math.max(1 / WIDTH_SPANS[n]!, least) * (clipped(away, width, seen) - width);
  }
  floats[at + RUN] = x === floats[at + LAST]! ? floats[at + RUN]! + 1 : 0;
  floats[at + LAST] = x;
  return residual;
}

/** Asks every channel about a value of a metric and learns it. `voices` is filled. */
export function listen(memory: Memory, place: number, x: number, { tuning, voices }: Listening): void {
  const { floats } = memory;
  const { tail, weights } = tuning;
  const at = place * FLOATS;
  const tiny = 1e-9 * Math.abs(x) + 1e-12;
  const unit = floats[at + SCALE]! + tiny;
  const strange = strangenessOf(memory, place, x);
  const residual = learn(floats, at, x);
  const season = seasonalDistance(memory, place, x);
  floats[at + SEEN] = floats[at + SEEN]! + 1;
  loud.fill(0);
  let t = at + TAILS;
  for (let n = 0; n < MEAN_PAIRS.length; n++) {
    const { channel, fast, slow, width } = MEAN_PAIRS[n]!;
    const way = floats[at + MEANS + fast]! - floats[at + MEANS + slow]!;
    const z = Math.abs(way) / (width < 0 ? unit : floats[at + WIDTHS + width]! + tiny);
    hear(channel, surpriseOf(floats, t, z / FLOOR_OF_MEANS, tail), way);
    t += TAIL_SIZE;
  }
  for (let n = 0; n < SPREAD_PAIRS.length; n++) {
    const { channel, fast, slow } = SPREAD_PAIRS[n]!;
    const past = floats[at + SPREADS + slow]!;
    const ratio = (floats[at + SPREADS + fast]! + LEAST_SPREAD * past + tiny) / (past + tiny);
    const way = channel === WILD ? 1 : -1;
    hear(channel, surpriseOf(floats, t, way > 0 ? ratio : 1 / ratio, tail), way);
    t += TAIL_SIZE;
  }
  t = at + TAILS + OTHERS * TAIL_SIZE;
  const far = Math.abs(residual) / unit;
  hear(RESIDUAL, surpriseOf(floats, t, far / FLOOR_OF_MEANS, tail), residual);
  hear(STUCK, surpriseOf(floats, t + TAIL_SIZE, floats[at + RUN]! / FLOOR_OF_RUNS, tail), -1);
  if (season > 0)
    hear(SEASON, surpriseOf(floats, t + 2 * TAIL_SIZE, season / FLOOR_OF_MEANS, tail), floats[at + SEASON_AWAY]!);
  hear(NOVELTY, surpriseOf(floats, t + 3 * TAIL_SIZE, strange / FLOOR_OF_STRANGENESS, tail), residual);
  let sum = 0;
  let best = 0;
  voices.most = 0;
  voices.channel = -1;
  for (let n = 0; n < CHANNELS.length; n++) {
    const nats = loud[n]!;
    const counted = nats * weights[n]!;
    sum += counted * counted;
    if (nats > voices.most) voices.most = nats;
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
