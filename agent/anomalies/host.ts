import type { Speaker, Window } from './watch.ts';

/** Constants of the judgement of a host. They were chosen on simulated calm weeks and faults (`test/eval/quiet.ts`), none on labels of a public set. */
export interface HostTuning {
  /** Nats of a series that do not count: a calm one says as much in one of 3,000 windows. */
  countsFrom: number;
  /** A series adds at most this many: one that is wildly strange is one witness, not the whole court. */
  mostOfSeries: number;
  /** Of series of one subsystem (`system.cpu`, `system.network`) the strangest counts whole, each next one this share of the one before: they see the same. */
  nextOfSubsystem: number;
  /**
   * Nats of a model that looks at all series together which do not count, and how many it adds at most: less than a series, and too little for one window to open
   * an event; a state that goes on opens one.
   */
  modelCountsFrom: number;
  mostOfModel: number;
  /** A series that has become calm weighs less: most of the time it is only the end of something. */
  ofCalm: number;
  /**
   * Evidence is summed up over windows as in a sequential test (Page's CUSUM): what is beyond `drift` is added, what is missing to it is taken off. An event is
   * due at `threshold`.
   */
  drift: number;
  threshold: number;
  /** One window adds at most this much, so that no window alone opens an event. */
  mostOfWindow: number;
  /** Each event makes the next one dearer by this factor, up to a limit, and half of that is forgotten in a day: a host that is always strange is not strange. */
  dearer: number;
  dearest: number;
}

export const HOST_TUNING: HostTuning = {
  countsFrom: 8,
  mostOfSeries: 16,
  nextOfSubsystem: 0.25,
  modelCountsFrom: 16,
  mostOfModel: 8,
  ofCalm: 0.5,
  drift: 6,
  threshold: 14,
  mostOfWindow: 11,
  dearer: 1.3,
  dearest: 1.6,
};

/** The sum stays below this many thresholds, so that what is over is forgotten soon. */
const MOST_SUM = 2;
const HALF_LIFE_MS = 86_400_000;
/** After so long without a window nothing goes on: the agent was ended, or the machine slept, milliseconds. */
const PAUSE_MS = 60_000;
/** Events of the first two days cost nothing: what happens each night is not known to do so yet. */
const LEARNING_WINDOWS = 17_280;
/** Windows before the host is judged: the detectors of its series have warmed up when the first half hour is over. */
const WARM_UP = 180;

/** How strange a host was in one window. */
export interface HostVerdict {
  /** What its series say together in this window, in nats. */
  evidence: number;
  /** True when the window by itself is nothing strange. */
  isCalm: boolean;
  /** 0–1, of this window and those before it; an event is due from 0.5 on. */
  score: number;
  /** False while the past is too short to judge by. */
  isKnown: boolean;
}

/** What sees the same: the first two words of a name. */
const subsystemOf = (name: string): string => name.split('.', 2).join('.');

/**
 * What is strange in a window, in nats: the sum over series of their surprise beyond `countsFrom`, the strangest first. Were series independent and their
 * surprises exact, it would be Fisher's combination without the terms that are noise.
 */
export function evidenceOf(
  speakers: readonly Pick<Speaker, 'nats' | 'series' | 'channel'>[],
  { countsFrom, mostOfSeries, nextOfSubsystem, ofCalm }: HostTuning = HOST_TUNING,
): number {
  const weights = new Map<string, number>();
  let sum = 0;
  for (const { nats, series, channel } of speakers) {
    if (nats <= countsFrom) break;
    const subsystem = subsystemOf(series.name);
    const weight = weights.get(subsystem) ?? 1;
    weights.set(subsystem, weight * nextOfSubsystem);
    sum += weight * Math.min(nats - countsFrom, mostOfSeries) * (channel === 'calm' ? ofCalm : 1);
  }
  return sum;
}

/** How strange a model of all series together finds a window. */
export interface ModelWord {
  /** 0–1; an alert from 0.5 on. */
  score: number;
  /** −ln p. */
  nats: number;
}

/** What a model adds: one witness more, bounded, and heard only when it alerts. */
function evidenceOfModel(word: ModelWord | undefined, { modelCountsFrom, mostOfModel }: HostTuning): number {
  if (word === undefined || word.score < 0.5) return 0;
  return Math.min(mostOfModel, Math.max(0, word.nats - modelCountsFrom));
}

/** What is known of a host beside its series. */
export interface HostMemory {
  /** Windows seen. */
  windows: number;
  /** Evidence so far. */
  sum: number;
  /** Natural logarithm of how much dearer events are now, and when that was so, milliseconds since 1970. */
  dearer: number;
  atMs: number;
}

export const emptyHostMemory = (): HostMemory => ({ windows: 0, sum: 0, dearer: 0, atMs: 0 });

/** Judges windows; `memory` is changed and is all that it knows. */
export function createHostScore(memory: HostMemory = emptyHostMemory(), tuning: HostTuning = HOST_TUNING) {
  const { drift, mostOfWindow } = tuning;
  let offset = 0;
  const isKnown = (): boolean => memory.windows > WARM_UP;
  return {
    /** False while the past is too short to judge by. */
    isKnown,
    /** Moves the threshold by so many nats, in the place of any move before. */
    shift(nats: number): void {
      offset = nats;
    },
    /** Judges a window; `model` is what a model makes of it, where one judges. */
    judge({ speakers, endMs }: Pick<Window, 'speakers' | 'endMs'>, model?: ModelWord): HostVerdict {
      if (Math.abs(endMs - memory.atMs) > PAUSE_MS) memory.sum = 0;
      memory.dearer *= 0.5 ** (Math.max(0, endMs - memory.atMs) / HALF_LIFE_MS);
      memory.atMs = endMs;
      memory.windows += 1;
      const evidence = evidenceOf(speakers, tuning) + evidenceOfModel(model, tuning);
      const threshold = (tuning.threshold + offset) * Math.exp(memory.dearer);
      const sum = memory.sum + Math.min(evidence, mostOfWindow + drift) - drift;
      memory.sum = Math.min(MOST_SUM * threshold, Math.max(0, sum));
      const score = memory.sum / (memory.sum + threshold);
      return { evidence, isCalm: evidence <= drift, score, isKnown: isKnown() };
    },
    /** Says that an event has opened. */
    opened(): void {
      if (memory.windows < LEARNING_WINDOWS) return;
      memory.dearer = Math.min(Math.log(tuning.dearest), memory.dearer + Math.log(tuning.dearer));
    },
  };
}
