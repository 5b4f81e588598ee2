import { TAIL_SIZE } from './tail.ts';

/** What a channel watches, in the order of `Verdict.channel`; the README says what each is for. */
export const CHANNELS = [
  'residual',
  'level',
  'shift',
  'drift',
  'wild',
  'calm',
  'stuck',
  'season',
  'novelty',
  'ramp',
  'record',
  'stay',
] as const;
export type Channel = (typeof CHANNELS)[number];

/** Spans in samples of the running means of values. */
export const MEAN_SPANS = Float64Array.of(3, 4, 6, 12, 16, 24, 100, 128, 200, 300, 600, 1200, 2400);
/** Spans of the running means of absolute residuals. */
export const SPREAD_SPANS = Float64Array.of(24, 32, 48, 64, 400, 600, 900, 1200);
/** Spans of the mean distance of values from a slow mean, and which of `MEAN_SPANS` that is. */
export const WIDTH_SPANS = Float64Array.of(2400, 2400, 9600, 9600);
export const WIDTH_OF = Uint8Array.of(10, 11, 11, 12);

/** One comparison of a fast with a slow figure: a channel asks several and takes the loudest. Numbers are indexes into the spans. */
interface Pair {
  channel: number;
  fast: number;
  slow: number;
  /** Index of the width that a difference of means is measured in; -1 for the scale of residuals. */
  width: number;
}

const mean = (span: number): number => MEAN_SPANS.indexOf(span);
const spread = (span: number): number => SPREAD_SPANS.indexOf(span);
const pair = (channel: (typeof CHANNELS)[number], fast: number, slow: number, width = -1): Pair => ({
  ...{ channel: CHANNELS.indexOf(channel), fast, slow, width },
});

/** Differences of means: `level` and `drift` in widths of the slow mean, `shift` in residuals. */
export const MEAN_PAIRS: readonly Pair[] = [
  pair('level', mean(3), mean(1200), 2),
  pair('level', mean(6), mean(1200), 2),
  pair('level', mean(4), mean(600), 0),
  pair('level', mean(4), mean(2400), 3),
  pair('shift', mean(16), mean(128)),
  pair('shift', mean(12), mean(100)),
  pair('shift', mean(24), mean(200)),
  pair('shift', mean(16), mean(300)),
  pair('drift', mean(128), mean(1200), 2),
  pair('drift', mean(200), mean(2400), 3),
  pair('drift', mean(100), mean(1200), 1),
];

/** Ratios of spreads: fast over slow for `wild`, slow over fast for `calm`. */
export const SPREAD_PAIRS: readonly Pair[] = [
  pair('wild', spread(64), spread(1200)),
  pair('wild', spread(48), spread(900)),
  pair('wild', spread(32), spread(600)),
  pair('calm', spread(32), spread(600)),
  pair('calm', spread(24), spread(400)),
  pair('calm', spread(48), spread(900)),
];

/** Tails of one metric: one for each pair, then residual, stuck, season, novelty, ramp, record, stay. */
export const TAIL_COUNT = MEAN_PAIRS.length + SPREAD_PAIRS.length + 7;

/** Hours of a day and of a week: a mean for each. */
export const SLOTS = 24 + 168;

/** Levels that the range of a metric is cut into, and how many samples back its transitions are looked at. */
export const LEVELS = 8;
export const LAGS = Uint8Array.of(1, 4, 16);
/** Samples of levels that are remembered; a power of two above the longest lag. */
export const TRAIL = 32;

// Places of the numbers of one metric in `floats`.
export const SEEN = 0;
export const TIME = 1;
export const INTERVAL = 2;
export const NEAR = 3;
export const SCALE = 4;
export const LAST = 5;
export const RUN = 6;
export const HOUR = 7;
export const PEAK = 8;
export const ALERTED = 9;
export const ALERT_NATS = 10;
export const COUNT = 11;
export const COUNT_TIME = 12;
export const HOUR_SUM = 13;
export const HOUR_SAMPLES = 14;
export const SEASON_AWAY = 15;
export const SEASON_WIDTH = 16;
export const SEASON_SEEN = 17;
export const LOW = 18;
export const HIGH = 19;
export const STRANGE = 20;
/** The sample that is being judged, its distance from the residuals' baseline, and from the season. */
export const VALUE = 21;
export const RESIDUAL = 22;
/** The two steps before the last one. */
export const STEP = 23;
export const STEP_BEFORE = 24;
/** The sample before those two steps; the highest that four in a row all reached, and the lowest that none of four was above. */
export const THIRD = 25;
export const STAY_HIGH = 26;
export const STAY_LOW = 27;
export const MEANS = 28;
export const SPREADS = MEANS + MEAN_SPANS.length;
export const WIDTHS = SPREADS + SPREAD_SPANS.length;
export const TAILS = WIDTHS + WIDTH_SPANS.length;
export const SLOT_MEANS = TAILS + TAIL_COUNT * TAIL_SIZE;
/** Numbers that one metric takes. */
export const FLOATS = SLOT_MEANS + SLOTS;

/** Counts of transitions that one metric takes in `counts`: a square of levels for each lag, then its total. */
export const COUNTS = LAGS.length * (LEVELS * LEVELS + 1);

// Places of the bytes of one metric in `bytes`: how often each hour was seen, its peaks of two days and two weeks, the trail of levels.
export const SLOT_SEEN = 0;
export const DAY_PEAKS = SLOT_SEEN + SLOTS;
export const WEEK_PEAKS = DAY_PEAKS + 2 * 24;
export const LEVEL_TRAIL = WEEK_PEAKS + 2 * 168;
/** Bytes that one metric takes in `bytes`. */
export const BYTES = LEVEL_TRAIL + TRAIL;

/** The state of all metrics, one after another in each array. */
export interface Memory {
  floats: Float64Array;
  counts: Float32Array;
  bytes: Uint8Array;
  /** 0 free, 1 gauge, 2 counter. */
  kinds: Uint8Array;
}

/** Room for so many metrics. */
export function emptyMemory(metrics: number): Memory {
  return {
    floats: new Float64Array(metrics * FLOATS),
    counts: new Float32Array(metrics * COUNTS),
    bytes: new Uint8Array(metrics * BYTES),
    kinds: new Uint8Array(metrics),
  };
}
