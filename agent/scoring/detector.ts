import { listen, TESTS, type Listening } from './channels.ts';
import {
  ALERT_NATS,
  ALERTED,
  BYTES,
  COUNT,
  COUNT_TIME,
  COUNTS,
  emptyMemory,
  FLOATS,
  HIGH,
  HOUR,
  INTERVAL,
  LAST,
  LOW,
  MEAN_SPANS,
  MEANS,
  NEAR,
  PEAK,
  SEEN,
  STEP,
  STEP_BEFORE,
  THIRD,
  TIME,
  VALUE,
  type Memory,
} from './layout.ts';
import { enterHour, expectedNats } from './seasons.ts';
import { TUNING, type Tuning } from './tuning.ts';

/** A gauge is judged as it is; a counter by its rate a second. */
type MetricKind = 'gauge' | 'counter';

/** What was found in one sample. One object is used for all samples: read it before the next `push`. */
export interface Verdict {
  /** 0–1; from 0.5 on an alert is due. 0 while the metric is not known yet or the sample is missing. */
  score: number;
  /** Bound of the probability of a sample like this: the least one of all tests times their number (Bonferroni). */
  p: number;
  /** Surprise of all channels together in nats, before the gate and the seasons. */
  nats: number;
  /** Which way it went: 1 up, -1 down, 0 nothing was surprising. Of `wild` up, of `calm` and `stuck` down. */
  direction: -1 | 0 | 1;
  /** Index into `CHANNELS` of the one that counted most; -1 when none did. */
  channel: number;
  /** What was judged: the sample, or of a counter its rate a second; and the mean of about a hundred samples before. NaN where nothing was judged. */
  value: number;
  usual: number;
  /** The same hour of the days or weeks before was as surprising: it is no news. */
  explained: boolean;
  /** No judgement: the metric is not known well enough, or there was no value. */
  learning: boolean;
}

/** Judges the samples of many metrics, each by its own past alone. */
export interface Detector {
  /** Gives a place to a new metric; grows when all are taken. */
  add(kind: MetricKind): number;
  /** Frees a place; what was known of its metric is forgotten. */
  remove(place: number): void;
  /**
   * Judges one sample, then learns it; `timeMs` since 1970, UTC, and a time that does not go on is taken for the one before. A value that is not a
   * number or infinite is no sample. Makes no object, but for a metric whose range has grown.
   */
  push(place: number, timeMs: number, value: number): Verdict;
  /** Metrics that have a place. */
  size(): number;
  /** All that is known; the arrays are those in use, and others after the next `add`. */
  memory(): Memory;
}

const HOUR_MS = 3_600_000;
/** A value beyond this is taken for this, so that no difference and no sum of values is infinite. */
const HUGE = 1e100;
/** Latest time that a Date can hold. */
const LAST_MS = 8.64e15;
/** Which of the running means is told as usual. */
const USUAL = MEAN_SPANS.indexOf(100);
/** So many usual intervals without a sample make a gap. */
const GAP = 10;

function enlarged(memory: Memory): Memory {
  const more = emptyMemory(Math.max(16, memory.kinds.length * 2));
  more.floats.set(memory.floats);
  more.counts.set(memory.counts);
  more.bytes.set(memory.bytes);
  more.kinds.set(memory.kinds);
  return more;
}

/** Makes a detector; `known` goes on from what another one knew. */
export function createDetector(tuning: Tuning = TUNING, known: Memory = emptyMemory(0)): Detector {
  let memory = known;
  const verdict: Verdict = {
    ...{ score: 0, p: 1, nats: 0, direction: 0, channel: -1 },
    ...{ value: NaN, usual: NaN, explained: false, learning: true },
  };
  const listening: Listening = { tuning, voices: { nats: 0, most: 0, channel: -1, direction: 0 } };
  const silent = (): Verdict => {
    verdict.score = verdict.nats = verdict.direction = 0;
    verdict.p = 1;
    verdict.channel = -1;
    verdict.value = verdict.usual = NaN;
    verdict.explained = false;
    verdict.learning = true;
    return verdict;
  };
  return {
    add(kind) {
      let place = memory.kinds.indexOf(0);
      if (place < 0) {
        place = memory.kinds.length;
        memory = enlarged(memory);
      }
      memory.kinds[place] = kind === 'counter' ? 2 : 1;
      return place;
    },
    remove(place) {
      memory.kinds[place] = 0;
      memory.floats.fill(0, place * FLOATS, (place + 1) * FLOATS);
      memory.counts.fill(0, place * COUNTS, (place + 1) * COUNTS);
      memory.bytes.fill(0, place * BYTES, (place + 1) * BYTES);
    },
    push(place, timeMs, value) {
      if (!(Math.abs(value) <= Number.MAX_VALUE) || !(Math.abs(timeMs) <= LAST_MS)) return silent();
      const { floats, kinds } = memory;
      const at = place * FLOATS;
      const x = kinds[place] === 2 ? rateOf(floats, at, timeMs, value) : value;
      if (Number.isNaN(x)) return silent();
      const bounded = x > HUGE ? HUGE : x < -HUGE ? -HUGE : x;
      floats[at + VALUE] = bounded;
      if (!takeTime(memory, place, timeMs)) return silent();
      const { voices } = listening;
      verdict.value = bounded;
      verdict.usual = floats[at + MEANS + USUAL]!;
      listen(memory, place, listening);
      if (voices.nats > floats[at + PEAK]!) floats[at + PEAK] = voices.nats;
      verdict.nats = voices.nats;
      verdict.p = Math.min(1, TESTS * Math.exp(-voices.most));
      verdict.channel = voices.channel;
      verdict.direction = voices.direction;
      verdict.learning = floats[at + SEEN]! <= tuning.warmUp;
      verdict.explained = voices.nats < tuning.explained * expectedNats(memory, place);
      verdict.score = verdict.learning ? 0 : scoreOf(memory, place, verdict, tuning);
      return verdict;
    },
    size: () => memory.kinds.reduce((sum, kind) => sum + (kind === 0 ? 0 : 1), 0),
    memory: () => memory,
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

/** Moves the clock of a metric. False when there is nothing to judge: at its first sample, and at the first one after a gap. */
function takeTime(memory: Memory, place: number, timeMs: number): boolean {
  const { floats } = memory;
  const at = place * FLOATS;
  const x = floats[at + VALUE]!;
  if (floats[at + SEEN]! === 0) {
    floats[at + SEEN] = 1;
    floats[at + TIME] = timeMs;
    floats[at + HOUR] = Math.floor(timeMs / HOUR_MS);
    floats[at + NEAR] = floats[at + LAST] = floats[at + LOW] = floats[at + HIGH] = x;
    floats[at + THIRD] = x;
    for (let n = 0; n < MEAN_SPANS.length; n++) floats[at + MEANS + n] = x;
    return false;
  }
  const step = timeMs - floats[at + TIME]!;
  if (step <= 0 && step > -HOUR_MS) return true;
  floats[at + TIME] = timeMs;
  enterHour(memory, place);
  const usual = floats[at + INTERVAL]!;
  // By more than an hour a clock was set back: all times from now on are of the one that is right.
  if (step < 0 || (usual > 0 && step > GAP * usual)) {
    floats[at + NEAR] = floats[at + LAST] = floats[at + THIRD] = x;
    floats[at + STEP] = floats[at + STEP_BEFORE] = 0; // Nobody saw what lies between.
    return false;
  }
  floats[at + INTERVAL] = usual === 0 ? step : usual + (step - usual) / 16;
  return true;
}

/** Just below an alert: surprising, but expected at this hour or said already. */
const HELD = 0.49;

/** Turns nats into a score and keeps the gate: what this hour is used to is no alert, nor is what follows one unless it escalates. */
function scoreOf(memory: Memory, place: number, { nats, explained }: Verdict, tuning: Tuning): number {
  const score = nats / (nats + tuning.threshold);
  if (score < 0.5) return Math.min(score, HELD);
  const { floats } = memory;
  const at = place * FLOATS;
  const seen = floats[at + SEEN]!;
  const alerted = floats[at + ALERTED]!;
  const repeats =
    alerted > 0 && seen - alerted < tuning.refractory && nats < tuning.escalation * floats[at + ALERT_NATS]!;
  if (repeats || explained) return HELD;
  floats[at + ALERTED] = seen;
  floats[at + ALERT_NATS] = nats;
  return score;
}
