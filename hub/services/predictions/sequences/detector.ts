import { lengthOf, type Counts } from './counts.ts';
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
}

/** Where these come from: README.md. 4,096 kinds of 20 templates are about 2 MB. */
export const SEQUENCE_OPTIONS: SequenceOptions = { falsePositives: 0.003, limits: { kinds: 4096, templates: 8192 } };

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
function heldOut(memory: Memory): { surprises: number[]; each: number } {
  const once = [...memory.kinds.values()].filter(({ seen }) => seen === 1);
  const every = Math.max(1, Math.ceil(once.length / HELD_OUT));
  const surprises = once
    .filter((_, place) => place % every === 0)
    .map((kind) => strangenessOf(memory, { ...kind, unseen: [] }, true).surprise);
  return { surprises: surprises.sort((a, b) => b - a), each: every };
}

interface Calibration {
  threshold: number;
  shareAbove(surprise: number): number;
}

/**
 * The threshold: a surprise is meant to be -ln p, so the false-positive share itself says where it lies; and it rises to where normal sequences, each judged by
 * the others, keep to that share. One of them may be odd however few there are.
 */
function calibrate(memory: Memory, falsePositives: number): Calibration {
  const { surprises, each } = heldOut(memory);
  const allowed = Math.max(1, Math.floor((falsePositives * (memory.sequences + 1)) / each));
  const above = surprises[allowed];
  return {
    threshold: Math.max(-Math.log(falsePositives), above === undefined ? 0 : above * (1 + Number.EPSILON)),
    shareAbove: (surprise) =>
      (surprises.filter((one) => one >= surprise).length * each) / Math.max(1, memory.sequences),
  };
}

/** The greatest count of a step, which is what people are told. */
const countOf = (step: number): number => (step <= 4 ? step : Math.floor(4 * 2 ** ((step - 4) / 2)));

/** Makes a detector; from a snapshot, what it knew. */
export function createSequenceDetector(options = SEQUENCE_OPTIONS, from?: SequenceSnapshot): SequenceDetector {
  const { memory, lengths } = from === undefined ? { memory: emptyMemory(), lengths: undefined } : memoryOf(from);
  let normal = lengths;
  let calibration: Calibration | undefined;

  const verdictOf = (counts: Counts): SequenceVerdict => {
    calibration ??= calibrate(memory, options.falsePositives);
    const kind = kindOf(memory, counts);
    const { surprise, changes } = strangenessOf(memory, kind);
    const lines = lengthOf(counts);
    const isUsual = normal !== undefined && lines >= normal.least && lines <= normal.most;
    return {
      surprise,
      score: 1 - 2 ** (-surprise / calibration.threshold),
      pValue: Math.min(1, Math.max(Math.exp(-surprise), calibration.shareAbove(surprise))),
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
      calibration = undefined;
    },
    score: verdictOf,
    threshold: () => (calibration ??= calibrate(memory, options.falsePositives)).threshold,
    trained: () => memory.sequences,
    snapshot: () => snapshotOf(memory, normal),
  };
}
