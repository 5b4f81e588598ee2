import { countOf, lengthOf, type Counts } from './counts.ts';
import { emptyMemory, kindOf, learn, type KindLimits, type Memory } from './kinds.ts';
import { memoryOf, snapshotOf, type SequenceSnapshot } from './snapshot.ts';
import { strangenessOf } from './surprise.ts';

/** A template that stands too often or too seldom in a sequence. */
export interface OddCount {
  template: string;
  count: number;
  /** How often the nearest normal sequence has it: a number, or the half octave that ends with it. */
  expected: number;
  /** Nats. */
  surprise: number;
}

/** What a detector says of a sequence. */
export interface SequenceVerdict {
  /** 0 as ever … 1; an alert from 0.5 on. */
  score: number;
  /** Share of normal sequences that are as strange as this, as estimated from the others. */
  pValue: number;
  /** -ln of how likely a normal sequence is like this, nats. */
  surprise: number;
  /** What speaks for it, the strongest first. */
  why: {
    unseen: readonly string[];
    counts: readonly OddCount[];
    /** Lines of the sequence, and the range of the normal ones when it lies outside. */
    length: { lines: number; normal: { least: number; most: number } | undefined };
  };
}

/** What a detector is made with. */
export interface SequenceOptions {
  /** Share of normal sequences that may be alerted on: the bar of HDFS, 3 in 1,000. */
  falsePositives: number;
  limits: KindLimits;
  /** Where normal sequences end is looked up anew when so large a share has been learned since; 0: each time. */
  renewal: number;
  /** True: sequences are windows of what never rests (`Comparing`), and the share may be smaller than what was seen can tell (`tailOf`). */
  isWindow: boolean;
}

/** Where these come from: README.md. 4,096 kinds of 20 templates are about 2 MB. */
export const SEQUENCE_OPTIONS: SequenceOptions = {
  falsePositives: 0.003,
  limits: { kinds: 4096, templates: 8192, sequences: 1_000_000 },
  renewal: 0,
  isWindow: false,
};

/** Judges sequences of log templates by the normal ones. Not to be shared while it trains. */
export interface SequenceDetector {
  /** Learns more normal sequences. */
  train(normal: Iterable<Counts>): void;
  score(sequence: Counts): SequenceVerdict;
  /** Nats from which on a sequence is an alert. */
  threshold(): number;
  /** Normal sequences that it has learned; under some dozens it knows little. */
  trained(): number;
  snapshot(): SequenceSnapshot;
}

/** Kinds that are judged as if they had not been learned, at most. */
const HELD_OUT = 512;

/** Surprises of normal sequences that were each left out once, highest first, and how many sequences each of them speaks for. All others are 0. */
function heldOut(memory: Memory, isWindow: boolean): { surprises: number[]; each: number } {
  const once = [...memory.kinds.values()].filter(({ seen }) => seen === 1);
  const every = Math.max(1, Math.ceil(once.length / HELD_OUT));
  const surprises = once
    .filter((_, place) => place % every === 0)
    .map(
      (kind) => strangenessOf(memory, { ...kind, unseen: [], unseenSteps: [] }, { leaveOut: true, isWindow }).surprise,
    );
  return { surprises: surprises.sort((a, b) => b - a), each: every };
}

interface Calibration {
  /** Sequences that had been learned. */
  sequences: number;
  /** Nats under which normal sequences lie. */
  floor: number;
  shareAbove(surprise: number): number;
}

/** Of surprises that were looked at so many lie above where the tail begins; under some of them nothing is said of its form. */
const TAIL_SHARE = 0.1;
const LEAST_TAIL = 5;

/**
 * Where a share lies that is smaller than one of what was seen: above the tenth that is highest, surprises are taken to fall off by e each `scale` nats, half of
 * them within ln 2 of it. The median instead of the mean, so that a fault that was learned moves nothing. A surprise that is -ln p has a scale of 1, which
 * stands in where the tail is too short.
 */
function tailOf(surprises: readonly number[], share: (count: number) => number, falsePositives: number): number {
  if (surprises.length < 2) return 0;
  const count = Math.max(1, Math.floor(surprises.length * TAIL_SHARE));
  const from = surprises[count]!;
  const scale = count < LEAST_TAIL ? 1 : (surprises[Math.floor((count - 1) / 2)]! - from) / Math.LN2;
  return from + Math.max(0, scale * Math.log(share(count) / falsePositives));
}

/**
 * A surprise is meant to be -ln p, so the false-positive share itself says where the threshold lies; and it rises to where normal sequences, each judged by
 * the others, keep to that share. One of them may be odd however few there are.
 */
function calibrate(memory: Memory, { falsePositives, isWindow }: SequenceOptions): Calibration {
  const { surprises, each } = heldOut(memory, isWindow);
  const allowed = Math.max(1, Math.floor((falsePositives * (memory.sequences + 1)) / each));
  const above = surprises[allowed];
  // Kinds that were forgotten were seen once, too.
  const often = [...memory.kinds.values()].reduce((sum, { seen }) => sum + (seen > 1 ? seen : 0), 0);
  const once = Math.max(surprises.length * each, memory.sequences - often) / Math.max(1, memory.sequences);
  const share = (count: number): number => (once * count) / surprises.length;
  return {
    sequences: memory.sequences,
    floor: isWindow ? tailOf(surprises, share, falsePositives) : above === undefined ? 0 : above * (1 + Number.EPSILON),
    shareAbove: (surprise) =>
      (surprises.filter((one) => one >= surprise).length * each) / Math.max(1, memory.sequences),
  };
}

/** Makes a detector; from a snapshot, what it knew. */
export function createSequenceDetector(options = SEQUENCE_OPTIONS, from?: SequenceSnapshot): SequenceDetector {
  const { memory, lengths } = from === undefined ? { memory: emptyMemory(), lengths: undefined } : memoryOf(from);
  let normal = lengths;
  let calibration: Calibration | undefined =
    from?.calibrated === undefined ? undefined : { ...from.calibrated, shareAbove: () => 0 };

  const calibrated = (): Calibration => {
    const learned = Math.abs(memory.sequences - (calibration?.sequences ?? 0));
    if (calibration === undefined || learned > options.renewal * calibration.sequences)
      calibration = calibrate(memory, options);
    return calibration;
  };
  const thresholdOf = (): number => Math.max(-Math.log(options.falsePositives), calibrated().floor);

  const verdictOf = (counts: Counts): SequenceVerdict => {
    const { shareAbove } = calibrated();
    const kind = kindOf(memory, counts);
    const { surprise, changes } = strangenessOf(memory, kind, { isWindow: options.isWindow });
    const lines = lengthOf(counts);
    const isUsual = normal !== undefined && lines >= normal.least && lines <= normal.most;
    return {
      surprise,
      score: 1 - 2 ** (-surprise / thresholdOf()),
      pValue: Math.min(1, Math.max(Math.exp(-surprise), shareAbove(surprise))),
      why: {
        unseen: kind.unseen,
        counts: changes.map(({ number, normal: step, surprise: own }) => {
          const { template } = memory.habits[number]!;
          return { template, count: counts.get(template) ?? 0, expected: countOf(step), surprise: own };
        }),
        length: { lines, normal: isUsual ? undefined : normal },
      },
    };
  };

  return {
    train(sequences) {
      for (const counts of sequences) {
        learn(memory, counts, options.limits);
        const lines = lengthOf(counts);
        normal = { least: Math.min(normal?.least ?? lines, lines), most: Math.max(normal?.most ?? lines, lines) };
      }
    },
    score: verdictOf,
    threshold: thresholdOf,
    trained: () => memory.sequences,
    snapshot: () => snapshotOf(memory, normal, options.renewal > 0 ? calibration : undefined),
  };
}
