import { OWN_PROGRAM } from '#sdk';
import type { HostChannel } from '../../plugins/models/index.ts';
import type { MetricBlock } from '../schedule.ts';
import { CHANNELS, TUNING, type Channel, type Detector, type Tuning, type Verdict } from '../scoring/index.ts';
import type { MetricTable, Series } from '../table.ts';

/** A window is this long, milliseconds; it begins on a multiple of it. */
export const WINDOW_MS = 10_000;
/** A series speaks from this many nats on: in one of 150 windows while it is calm. */
const SPEAKS = 5;
/** A series that was in no table for so long is forgotten, milliseconds: a nightly job's come back. */
const FORGET_MS = 8 * 86_400_000;
/** Series that are watched at once; more are not judged. A budget of the agent bounds those that exist at a time, not those that have been. */
const MOST_SERIES = 20_000;
/** While all are taken, it is looked this often for some to forget, milliseconds. */
const FORGET_AGAIN_MS = 3_600_000;
/** One run that is older than its window comes from a slow collector; so many in a row come from a clock that was set back. */
const SET_BACK_RUNS = 10;

/**
 * How windows are judged: as single metrics are, but steps that go on count as much as a level, and what stays where nothing ever stayed as much as what was never
 * there. A series that climbs or stays has others of its host beside it, so that it need not be sure by itself. And what changes by less than half a percent is no change:
 * the memory of a program that was started anew is a little other than before, and was the same to the byte for days.
 */
export const WINDOW_TUNING: Tuning = {
  ...TUNING,
  least: 0.005,
  weights: TUNING.weights.map((weight, n) => {
    const like = { ramp: 'level', stay: 'record' }[CHANNELS[n] as string] as Channel | undefined;
    return like === undefined ? weight : TUNING.weights[CHANNELS.indexOf(like)]!;
  }),
};

/** A series that was strange in a window, by its strangest sample. */
export interface Speaker {
  series: Series;
  /** −ln p. */
  nats: number;
  /** 0–1; an alert from 0.5 on. Less than its nats say while the series has just spoken, or speaks at this hour every day. */
  score: number;
  direction: -1 | 0 | 1;
  /** What spoke: a channel of its own detector, or a model of all series together. */
  channel: Channel | `model-${HostChannel}`;
  /** The sample and what was usual before it, in the metric's unit; of a counter rates per second. */
  value: number;
  usual: number;
  timeMs: number;
}

/** What all series of the host were like in one window. */
export interface Window {
  /** Milliseconds since 1970. */
  endMs: number;
  /** Series that had a sample and are known well enough to be judged. */
  judged: number;
  /** The strangest first. */
  speakers: readonly Speaker[];
  /** What a series was like, by `keyOfSeries`: the average of a gauge, the rate a second of a counter; NaN where it had none, and of a counter in its first two. Holds until the next window ends. */
  valueOf(key: string): number;
  /** The same of all series that had one. */
  values(): Iterable<readonly [Series, number]>;
}

/**
 * Judges every series of the host by its own past, a window at a time: the average of a gauge, the rate of a counter. A job that runs each
 * minute or hour is then part of the past that a detector remembers (half a day), which at one sample a second it would forget.
 */
export interface Watch {
  /** Takes one run of a collector; nothing of it is kept. Returns the window that ended before it, if one did. */
  look(block: MetricBlock): Window | undefined;
  /** Moves thresholds of series, by their keys and in nats, in the place of all moves before. */
  shift(offsets: ReadonlyMap<string, number>): void;
  /** Series that have a past. */
  size(): number;
}

/** What tells series apart over restarts: name and sorted attributes. */
export function keyOfSeries({ name, attributes }: Pick<Series, 'name' | 'attributes'>): string {
  const sorted = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.length === 0 ? name : `${name}${JSON.stringify(sorted)}`;
}

/** What the agent says of itself is not the host's doing; whether targets answer is. */
function isJudged({ name, attributes }: Series): boolean {
  if (name.startsWith('outrider.')) return name.startsWith('outrider.target.') || name.startsWith('outrider.log.template.'); // prettier-ignore
  return attributes['process.executable.name'] !== OWN_PROGRAM;
}

/** The place of a series in the detector, and when it last had a value, milliseconds since 1970. */
export interface Place {
  place: number;
  seenMs: number;
}

/** Which place of the detector each series has. */
export interface Places {
  detector: Detector;
  /** By `keyOfSeries`. */
  known: Map<string, Place>;
}

/** What the samples of the window under way add up to, by place. */
interface Sums {
  /** Of a gauge the sum of its samples; of a counter the last one. */
  values: Float64Array;
  counts: Uint32Array;
  series: (Series | undefined)[];
  places: (Place | undefined)[];
  /** Nats by which the threshold of each was moved. */
  shifts: Float64Array;
  /** What each was like in the window that ended last. */
  found: Float64Array;
}

const emptySums = (places: number): Sums => ({
  values: new Float64Array(places),
  counts: new Uint32Array(places),
  series: Array.from({ length: places }, () => undefined),
  places: Array.from({ length: places }, () => undefined),
  shifts: new Float64Array(places),
  found: new Float64Array(places).fill(NaN),
});

function grow(sums: Sums, place: number): Sums {
  const more = emptySums(Math.max(256, 2 * place));
  more.values.set(sums.values);
  more.counts.set(sums.counts);
  more.shifts.set(sums.shifts);
  more.found.set(sums.found);
  sums.series.forEach((series, n) => (more.series[n] = series));
  sums.places.forEach((one, n) => (more.places[n] = one));
  return more;
}

/** What series were like in the window that ended last, of those that had a value. */
function* valuesIn({ series, found }: Sums): Generator<readonly [Series, number]> {
  for (let place = 0; place < found.length; place++) {
    const one = series[place];
    const value = found[place]!;
    if (one !== undefined && value === value) yield [one, value];
  }
}

/** Gives each series its place in the detector, undefined where it has none; `forgotten` hears of places that are free again. */
function createPlaces({ detector, known }: Places, forgotten: (places: readonly number[]) => void) {
  let lookedMs = -Infinity;
  const forget = (nowMs: number): void => {
    if (Math.abs(nowMs - lookedMs) < FORGET_AGAIN_MS) return;
    lookedMs = nowMs;
    const old = [...known].filter(([, { seenMs }]) => nowMs - seenMs >= FORGET_MS);
    for (const [key, { place }] of old) {
      known.delete(key);
      detector.remove(place);
    }
    if (old.length > 0) forgotten(old.map(([, { place }]) => place));
  };
  return (series: Series, nowMs: number): Place | undefined => {
    if (!isJudged(series)) return undefined;
    const key = keyOfSeries(series);
    const before = known.get(key);
    if (before !== undefined) return before;
    if (known.size >= MOST_SERIES) forget(nowMs);
    if (known.size >= MOST_SERIES) return undefined;
    const made = { place: detector.add(series.kind), seenMs: nowMs };
    known.set(key, made);
    return made;
  };
}

/** Surprise and score of a series whose threshold was moved: so much less surprising. What the detector held back stays so. */
function moved(verdict: Pick<Verdict, 'nats' | 'score'>, shift: number): Pick<Verdict, 'nats' | 'score'> {
  if (shift === 0) return verdict;
  const nats = Math.max(0, verdict.nats - shift);
  const score = nats / (nats + TUNING.threshold);
  const isHeld = verdict.nats >= TUNING.threshold && verdict.score < 0.5;
  return { nats, score: isHeld ? Math.min(verdict.score, score) : score };
}

/** A window under judgement: its end, and who speaks in it so far. */
interface Judging {
  endMs: number;
  speakers: Speaker[];
}

/** Judges what a series was like in a window; false where it was not there, or is not known well enough. */
function judgeSeries(detector: Detector, sums: Sums, place: number, { endMs, speakers }: Judging): boolean {
  const series = sums.series[place];
  const count = sums.counts[place]!;
  sums.found[place] = NaN;
  if (series === undefined || count === 0) return false;
  sums.places[place]!.seenMs = endMs;
  const value = series.kind === 'counter' ? sums.values[place]! : sums.values[place]! / count;
  const verdict = detector.push(place, endMs, value);
  sums.found[place] = series.kind === 'counter' || !Number.isFinite(value) ? verdict.value : value;
  if (verdict.learning) return false;
  const { direction, usual } = verdict;
  const { nats, score } = moved(verdict, sums.shifts[place]!);
  if (nats < SPEAKS || verdict.explained) return true;
  const channel = CHANNELS[verdict.channel] ?? 'residual';
  speakers.push({ series, nats, score, direction, channel, value: verdict.value, usual, timeMs: endMs });
  return true;
}

/** Makes a watch. */
export function createWatch({ detector, known }: Places): Watch {
  let placesOf = new WeakMap<MetricTable, Int32Array>();
  let sums = emptySums(0);
  let windowEnd = 0;
  /** Runs in a row that are older than the window. */
  let late = 0;
  let shifts: ReadonlyMap<string, number> = new Map();

  const placeOf = createPlaces({ detector, known }, (places) => {
    placesOf = new WeakMap(); // Tables that name them ask anew.
    for (const place of places) {
      sums.series[place] = sums.places[place] = undefined;
      sums.values[place] = sums.counts[place] = sums.shifts[place] = 0;
    }
  });

  /** The places of a table, which stays the same object for hours. */
  const placesIn = (table: MetricTable, nowMs: number): Int32Array => {
    const before = placesOf.get(table);
    if (before !== undefined) return before;
    const found = table.series.map((series) => placeOf(series, nowMs));
    const places = Int32Array.from(found, (one) => one?.place ?? -1);
    placesOf.set(table, places);
    found.forEach((one, n) => {
      if (one === undefined) return;
      const { place } = one;
      if (place >= sums.values.length) sums = grow(sums, place);
      sums.series[place] = table.series[n];
      sums.places[place] = one;
      sums.shifts[place] = shifts.get(keyOfSeries(table.series[n]!)) ?? 0;
    });
    return places;
  };
  const valueOf = (key: string): number => sums.found[known.get(key)?.place ?? -1] ?? NaN;
  const close = (): Window => {
    const speakers: Speaker[] = [];
    let judged = 0;
    const judging = { endMs: windowEnd, speakers };
    for (let place = 0; place < sums.counts.length; place++)
      if (judgeSeries(detector, sums, place, judging)) judged += 1;
    sums.values.fill(0);
    sums.counts.fill(0);
    speakers.sort((a, b) => b.nats - a.nats);
    return { endMs: windowEnd, judged, speakers, valueOf, values: () => valuesIn(sums) };
  };

  return {
    look({ table, timeMs, values }) {
      let closed: Window | undefined;
      late = timeMs < windowEnd - 2 * WINDOW_MS ? late + 1 : 0;
      if (timeMs >= windowEnd || late > SET_BACK_RUNS) {
        late = 0;
        if (windowEnd > 0) closed = close();
        windowEnd = (Math.floor(timeMs / WINDOW_MS) + 1) * WINDOW_MS;
      }
      const places = placesIn(table, timeMs);
      for (let n = 0; n < places.length; n++) {
        const place = places[n]!;
        const value = values[n]!;
        if (place < 0 || value !== value) continue;
        sums.values[place] = table.series[n]!.kind === 'counter' ? value : sums.values[place]! + value;
        sums.counts[place]! += 1;
      }
      return closed;
    },
    shift(offsets) {
      shifts = offsets;
      sums.shifts.fill(0);
      for (const [key, nats] of offsets) {
        const place = known.get(key)?.place;
        if (place !== undefined && place < sums.shifts.length) sums.shifts[place] = nats;
      }
    },
    size: () => known.size,
  };
}
