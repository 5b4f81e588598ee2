import type { Attributes, Emit } from '#sdk';
import { createSketch, type Sketch } from './sketch.ts';
import type { Sample, SampleType } from './packet.ts';

/** Why a sample did not count. */
export type Refusal = 'type_conflict' | 'too_many_series';

/** Adds up samples between two runs. */
export interface Aggregate {
  add(sample: Sample, nowMs: number): Refusal | undefined;
  /** Emits what there is, ends the run, and forgets what was silent for too long. */
  emit(emit: Emit, nowMs: number): void;
}

/** What becomes of one name with one set of tags. */
interface Entry {
  type: SampleType;
  touchedMs: number;
  take(sample: Sample): void;
  tell(emit: Emit): void;
}

/** Series that an entry of each type makes. */
const WEIGHT: Readonly<Record<SampleType, number>> = { counter: 1, gauge: 1, timer: 7, set: 1 };

/** Distinct members of a set that are kept between two runs. */
const MOST_MEMBERS = 10_000;

function counter(name: string, attributes: Attributes): Omit<Entry, 'touchedMs'> {
  const metric = { name, kind: 'counter' } as const;
  let total = 0;
  return {
    type: 'counter',
    take({ values, rate }) {
      // A count only grows: what StatsD lets go down is a level, and is sent as a gauge.
      for (const value of values) total += Math.max(0, Number(value)) / rate;
    },
    tell: (emit) => emit(metric, total, attributes),
  };
}

function gauge(name: string, attributes: Attributes): Omit<Entry, 'touchedMs'> {
  const metric = { name, kind: 'gauge' } as const;
  let level = 0;
  return {
    type: 'gauge',
    take({ values }) {
      for (const value of values) level = /^[+-]/.test(value) ? level + Number(value) : Number(value);
    },
    tell: (emit) => emit(metric, level, attributes),
  };
}

function tellSpread(emit: Emit, name: string, attributes: Attributes, sketch: Sketch): void {
  const kind = 'gauge';
  emit({ name: `${name}.min`, kind }, sketch.min(), attributes);
  emit({ name: `${name}.max`, kind }, sketch.max(), attributes);
  emit({ name: `${name}.p50`, kind }, sketch.quantile(0.5), attributes);
  emit({ name: `${name}.p95`, kind }, sketch.quantile(0.95), attributes);
  emit({ name: `${name}.p99`, kind }, sketch.quantile(0.99), attributes);
}

function timer(name: string, attributes: Attributes): Omit<Entry, 'touchedMs'> {
  const sketch = createSketch();
  let [count, sum] = [0, 0];
  return {
    type: 'timer',
    take({ values, rate }) {
      for (const value of values) {
        count += 1 / rate;
        sum += Number(value) / rate;
        sketch.add(Number(value), 1 / rate);
      }
    },
    tell(emit) {
      emit({ name: `${name}.count`, kind: 'counter' }, count, attributes);
      emit({ name: `${name}.sum`, kind: 'counter' }, sum, attributes);
      tellSpread(emit, name, attributes, sketch); // Nothing while empty: NaN is dropped.
      sketch.clear();
    },
  };
}

function set(name: string, attributes: Attributes): Omit<Entry, 'touchedMs'> {
  const metric = { name, kind: 'gauge' } as const;
  const members = new Set<string>();
  return {
    type: 'set',
    take({ values }) {
      for (const value of values) if (members.size < MOST_MEMBERS) members.add(value.slice(0, 200));
    },
    tell(emit) {
      emit(metric, members.size, attributes);
      members.clear();
    },
  };
}

const MAKERS = { counter, gauge, timer, set } as const;

/** Makes an empty aggregate that holds no more than so many series, and forgets one that was silent for `expireMs`. */
export function createAggregate({ mostSeries, expireMs }: { mostSeries: number; expireMs: number }): Aggregate {
  const entries = new Map<string, Entry>();
  let series = 0;
  return {
    add(sample, nowMs) {
      const { name, type, attributes } = sample;
      const key = JSON.stringify([name, attributes]);
      let entry = entries.get(key);
      if (entry === undefined) {
        if (series + WEIGHT[type] > mostSeries) return 'too_many_series';
        series += WEIGHT[type];
        entry = { ...MAKERS[type](name, attributes), touchedMs: nowMs };
        entries.set(key, entry);
      }
      if (entry.type !== type) return 'type_conflict';
      entry.touchedMs = nowMs;
      entry.take(sample);
      return undefined;
    },
    emit(emit, nowMs) {
      for (const [key, entry] of entries) {
        entry.tell(emit);
        if (nowMs - entry.touchedMs < expireMs) continue;
        entries.delete(key);
        series -= WEIGHT[entry.type];
      }
    },
  };
}
