import { expectedAt, rememberHour, SEASON_BYTES } from './seasons.ts';
import { surpriseOf, TAIL_SIZE, type Statistic } from './tail.ts';
import { TUNING, type Tuning } from './tuning.ts';

/** What a channel watches, in the order of `Verdict.channel`. */
export const CHANNELS = ['residual', 'level', 'shift', 'drift', 'wild', 'calm'] as const;

/** A gauge is judged as it is; a counter by its rate a second. */
export type MetricKind = 'gauge' | 'counter';

/** What was found in one sample. One object is used for all samples: read it before the next `push`. */
export interface Verdict {
  /** 0–1; from 0.5 on an alert is due. 0 while the metric is not known yet or the sample is missing. */
  score: number;
  /** Bound of the probability of a sample like this, from the channel that spoke loudest (Bonferroni over channels). */
  p: number;
  /** Surprise of all channels together in nats, before the gate and the seasons. */
  nats: number;
  /** Which way it went: 1 up, -1 down, 0 nothing was surprising. */
  direction: -1 | 0 | 1;
  /** Index into `CHANNELS` of the one that spoke loudest; -1 when none did. */
  channel: number;
  /** No judgement: the metric is not known well enough, or there was no value. */
  learning: boolean;
}

/** Judges the samples of many metrics, each by its own past alone. */
export interface Detector {
  /** Gives a place to a new metric; grows when all are taken. */
  add(kind: MetricKind): number;
  /** Frees a place; what was known of its metric is forgotten. */
  remove(place: number): void;
  /** Judges one sample, then learns it; `timeMs` since 1970, UTC. Not a number and infinite mean that there is no sample. Allocates nothing. */
  push(place: number, timeMs: number, value: number): Verdict;
  /** Metrics that have a place. */
  size(): number;
  /** All that is known, for `snapshot.ts`. */
  memory(): Memory;
}

/** The state of all metrics: `FLOATS` numbers and `SEASON_BYTES` bytes each. */
export interface Memory {
  floats: Float64Array;
  seasons: Uint8Array;
  /** 0 free, 1 gauge, 2 counter. */
  kinds: Uint8Array;
}

// Places of the numbers of one metric.
const SEEN = 0;
const TIME = 1;
const INTERVAL = 2;
const NEAR = 3;
const SCALE = 4;
const MEANS = 5; // of 4, 32, 128, 300 and 1,200 samples
const SPREADS = 10; // mean residuals of 32, 64, 600 and 1,200 samples
const WIDTH = 14; // mean distance from the slowest mean
const HOUR = 15;
const PEAK = 16;
const ALERTED = 17;
const ALERT_NATS = 18;
const COUNT = 19;
const COUNT_TIME = 20;
const TAILS = 21;

/** Numbers that one metric takes. */
export const FLOATS = TAILS + CHANNELS.length * TAIL_SIZE;

const MEAN_SPANS = [4, 32, 128, 300, 1200] as const;
const SPREAD_SPANS = [32, 64, 600, 1200] as const;
const HOUR_MS = 3_600_000;
/** Beyond this a value is taken for this, so that no difference and no square of one is infinite. */
const HUGE = 1e100;
/** Intervals without a sample that make a gap. */
const GAP = 10;

/** Makes a detector; `memory` goes on from a snapshot. */
export function createDetector(tuning: Tuning = TUNING, memory: Memory = emptyMemory(0)): Detector {
  let { floats, seasons, kinds } = memory;
  const verdict: Verdict = { score: 0, p: 1, nats: 0, direction: 0, channel: -1, learning: true };
  const silent = (): Verdict => {
    verdict.score = verdict.nats = verdict.direction = 0;
    verdict.p = 1;
    verdict.channel = -1;
    verdict.learning = true;
    return verdict;
  };
  const grow = (): void => {
    const more = emptyMemory(Math.max(16, kinds.length * 2));
    more.floats.set(floats);
    more.seasons.set(seasons);
    more.kinds.set(kinds);
    ({ floats, seasons, kinds } = more);
  };
  return {
    add(kind) {
      let place = kinds.indexOf(0);
      if (place < 0) {
        place = kinds.length;
        grow();
      }
      kinds[place] = kind === 'counter' ? 2 : 1;
      return place;
    },
    remove(place) {
      kinds[place] = 0;
      floats.fill(0, place * FLOATS, (place + 1) * FLOATS);
      seasons.fill(0, place * SEASON_BYTES, (place + 1) * SEASON_BYTES);
    },
    push(place, timeMs, value) {
      const at = place * FLOATS;
      if (!(Math.abs(value) <= Number.MAX_VALUE) || !(Math.abs(timeMs) <= 8.64e15)) return silent();
      const x = kinds[place] === 2 ? rateOf(floats, at, timeMs, value) : value;
      if (Number.isNaN(x)) return silent();
      const bounded = x > HUGE ? HUGE : x < -HUGE ? -HUGE : x;
      if (!takeTime(floats, at, timeMs, bounded)) return silent();
      listen(floats, at, bounded, { verdict, tuning });
      keepSeason(floats, seasons, place, verdict.nats);
      gate(floats, at, expectedAt(seasons, place * SEASON_BYTES, floats[at + HOUR]!), { verdict, tuning });
      return verdict;
    },
    size: () => kinds.reduce((sum, kind) => sum + (kind === 0 ? 0 : 1), 0),
    memory: () => ({ floats, seasons, kinds }),
  };
}

/** Room for so many metrics. */
export function emptyMemory(metrics: number): Memory {
  return {
    floats: new Float64Array(metrics * FLOATS),
    seasons: new Uint8Array(metrics * SEASON_BYTES),
    kinds: new Uint8Array(metrics),
  };
}

/** What a counter grew a second; NaN for its first sample, after a reset, and where time stood still. */
function rateOf(floats: Float64Array, at: number, timeMs: number, value: number): number {
  const before = floats[at + COUNT]!;
  const then = floats[at + COUNT_TIME]!;
  floats[at + COUNT] = value;
  floats[at + COUNT_TIME] = timeMs;
  if (then === 0 || value < before || timeMs <= then) return NaN;
  return ((value - before) / (timeMs - then)) * 1000;
}

/** Moves the clock of a metric. False when there is nothing to judge: the first sample, and the first one after a gap. */
function takeTime(floats: Float64Array, at: number, timeMs: number, x: number): boolean {
  const seen = floats[at + SEEN]!;
  if (seen === 0) {
    floats[at + SEEN] = 1;
    floats[at + TIME] = timeMs;
    floats[at + NEAR] = x;
    floats[at + HOUR] = Math.floor(timeMs / HOUR_MS);
    for (let n = 0; n < MEAN_SPANS.length; n++) floats[at + MEANS + n] = x;
    return false;
  }
  const step = timeMs - floats[at + TIME]!;
  if (step <= 0) return true;
  floats[at + TIME] = timeMs;
  const usual = floats[at + INTERVAL]!;
  if (usual > 0 && step > GAP * usual) {
    floats[at + NEAR] = x;
    return false;
  }
  floats[at + INTERVAL] = usual === 0 ? step : usual + (step - usual) / 16;
  return true;
}

/** Handed to every tail in turn, so that nothing is allocated. */
const statistic: Statistic = { z: 0, floor: 0 };

interface Judging {
  verdict: Verdict;
  tuning: Tuning;
}

/** Asks every channel, then learns the sample. */
function listen(floats: Float64Array, at: number, x: number, { verdict, tuning }: Judging): void {
  const seen = floats[at + SEEN]!;
  floats[at + SEEN] = seen + 1;
  const least = 1 / (seen + 1);
  const tiny = 1e-9 * Math.abs(x) + 1e-12;
  const scale = floats[at + SCALE]!;
  const unit = scale + tiny;
  const residual = x - floats[at + NEAR]!;
  const size = Math.abs(residual);
  floats[at + NEAR] = floats[at + NEAR]! + Math.max(1 / 4, least) * residual;
  floats[at + SCALE] =
    scale + Math.max(1 / 300, least) * (Math.min(size, scale > 0 && seen > 20 ? 6 * scale : size) - scale);
  for (let n = 0; n < 5; n++) {
    const mean = floats[at + MEANS + n]!;
    floats[at + MEANS + n] = mean + Math.max(1 / MEAN_SPANS[n]!, least) * (x - mean);
  }
  for (let n = 0; n < 4; n++) {
    const spread = floats[at + SPREADS + n]!;
    floats[at + SPREADS + n] = spread + Math.max(1 / SPREAD_SPANS[n]!, least) * (size - spread);
  }
  const slow = floats[at + MEANS + 4]!;
  const away = Math.abs(x - slow);
  const width = floats[at + WIDTH]!;
  const wide = width + Math.max(1 / 9600, least) * (Math.min(away, width > 0 && seen > 20 ? 6 * width : away) - width);
  floats[at + WIDTH] = wide;
  const level = floats[at + MEANS]! - slow;
  const shift = floats[at + MEANS + 1]! - floats[at + MEANS + 3]!;
  const drift = floats[at + MEANS + 2]! - slow;
  const now = floats[at + SPREADS + 1]!;
  const past = floats[at + SPREADS + 3]!;
  const nowCalm = floats[at + SPREADS]!;
  const pastCalm = floats[at + SPREADS + 2]!;
  verdict.channel = -1;
  verdict.direction = 0;
  let sum = 0;
  let most = 0;
  for (let n = 0; n < CHANNELS.length; n++) {
    const z =
      n === 0 ? size / unit
      : n === 1 ? Math.abs(level) / (wide + tiny)
      : n === 2 ? Math.abs(shift) / unit
      : n === 3 ? Math.abs(drift) / (wide + tiny)
      : n === 4 ? (now + 0.02 * past + tiny) / (past + tiny)
      : (pastCalm + tiny) / (nowCalm + 0.02 * pastCalm + tiny); // prettier-ignore
    statistic.z = z;
    statistic.floor = n < 4 ? 0.01 : 1;
    const nats = surpriseOf(floats, at + TAILS + n * TAIL_SIZE, statistic, tuning.tail);
    sum += nats * nats;
    if (nats <= most) continue;
    most = nats;
    verdict.channel = n;
    const way = n === 0 ? residual : n === 1 ? level : n === 2 ? shift : n === 3 ? drift : n === 4 ? 1 : -1;
    verdict.direction = way > 0 ? 1 : -1;
  }
  verdict.nats = Math.sqrt(sum);
  verdict.p = Math.min(1, CHANNELS.length * Math.exp(-most));
}

/** Keeps the peak of the hour under way; an hour that has ended goes into the memory of seasons. */
function keepSeason(floats: Float64Array, seasons: Uint8Array, place: number, nats: number): void {
  const at = place * FLOATS;
  const hour = Math.floor(floats[at + TIME]! / HOUR_MS);
  if (hour !== floats[at + HOUR]!) {
    rememberHour(seasons, place * SEASON_BYTES, floats[at + HOUR]!, floats[at + PEAK]!);
    floats[at + HOUR] = hour;
    floats[at + PEAK] = 0;
  }
  if (nats > floats[at + PEAK]!) floats[at + PEAK] = nats;
}

/** Turns nats into a score: halved against what the hour is used to, silent right after an alert unless it escalates. */
function gate(floats: Float64Array, at: number, expected: number, { verdict, tuning }: Judging): void {
  const seen = floats[at + SEEN]!;
  verdict.learning = seen <= tuning.warmUp;
  const { nats } = verdict;
  const score = nats / (nats + tuning.threshold);
  if (verdict.learning) {
    verdict.score = 0;
    return;
  }
  if (score < 0.5) {
    verdict.score = score;
    return;
  }
  const repeats =
    seen - floats[at + ALERTED]! < tuning.refractory &&
    floats[at + ALERTED]! > 0 &&
    nats < tuning.escalation * floats[at + ALERT_NATS]!;
  if (repeats || nats < tuning.explained * expected) {
    verdict.score = 0.49;
    return;
  }
  floats[at + ALERTED] = seen;
  floats[at + ALERT_NATS] = nats;
  verdict.score = score;
}
