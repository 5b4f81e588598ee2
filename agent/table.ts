import { createHash } from 'node:crypto';
import { create, toBinary } from '@bufbuild/protobuf';
import { Kind, TableSchema } from '#proto/agent/v1/index.ts';
import { METRICS, type MetricName, type SeriesKind } from '#proto/metrics.ts';
import type { Attributes, Emit, ForeignMetric } from '#sdk';
import type { SeriesShare } from './budgets/index.ts';

/** One column of a table. */
export interface Series {
  name: string;
  kind: SeriesKind;
  attributes: Attributes;
}

/** The columns of a collector's values: the same object as long as no new series appears. */
export interface MetricTable {
  /** The first eight bytes, little endian, of the SHA-256 of the encoded series. */
  id: bigint;
  series: readonly Series[];
  /** The `Table` message, encoded: what travels. */
  bytes: Uint8Array;
}

/** One run's values in the order of the table's series; NaN: nothing read this time. */
export interface Row {
  table: MetricTable;
  values: Float64Array;
}

/** Turns what a collector emits into rows, run by run. */
export interface TableBuilder {
  /** Takes one value of the current run; one that is not finite is dropped, of two for one series the last counts. */
  emit: Emit;
  /** Ends the run; `undefined` as long as nothing was ever emitted. */
  finish(): Row | undefined;
  /** True while series are left out because there are too many. */
  isCrowded(): boolean;
}

/** A table holds no more, and no text in it is longer: the hub refuses such tables, and would refuse them for ever. */
const MOST_SERIES = 10_000;
const MOST_CHARACTERS = 1024;

/** A series that has been silent for this many runs is left out when the table is made anew. */
const FORGET_RUNS = 60;

const NO_ATTRIBUTES: Attributes = {};

function sorted(attributes: Attributes): [string, string][] {
  return Object.entries(attributes)
    .map(([key, text]): [string, string] => [key, text.slice(0, MOST_CHARACTERS)])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

const keyOf = (name: string, attributes: Attributes): string => JSON.stringify([name, sorted(attributes)]);

/** What a series is in every table that holds it. */
interface Written {
  key: string;
  /** Its entry of `Table.series`: tag, length and message. */
  entry: Uint8Array;
}

const written = new WeakMap<Series, Written>();

/** Series outlive their tables: each is written once, so that a machine on which series come and go pays for the new ones only. */
function write(series: Series): Written {
  const known = written.get(series);
  if (known !== undefined) return known;
  const { name, kind, attributes } = series;
  const message = {
    name: name.slice(0, MOST_CHARACTERS),
    kind: kind === 'counter' ? Kind.COUNTER : Kind.GAUGE,
    attributes: Object.fromEntries(sorted(attributes)), // Maps are encoded in the order of their keys.
  };
  const entry = toBinary(TableSchema, create(TableSchema, { series: [message] }));
  const made = { key: keyOf(name, attributes), entry };
  written.set(series, made);
  return made;
}

/** Makes a table of these series. Equal series in equal order give an equal id on every machine. */
export function tableOf(series: readonly Series[]): MetricTable {
  const head = Buffer.alloc(9, 0x09); // Tag of `Table.id`.
  const bytes = Buffer.concat([head, ...series.map((one) => write(one).entry)]);
  const hash = createHash('sha256').update(bytes.subarray(head.length)).digest();
  hash.copy(bytes, 1, 0, 8);
  return { id: hash.readBigUInt64LE(0), series, bytes };
}

/** What a builder keeps of its newest table. */
interface Current {
  table: MetricTable;
  places: ReadonlyMap<string, number>;
  /** Run in which each series last had a value. */
  seen: Float64Array;
}

interface Fresh extends Series {
  value: number;
}

function currentOf(series: readonly Series[], run: number, seen: readonly number[]): Current {
  const places = new Map(series.map((one, i) => [write(one).key, i]));
  return { table: tableOf(series), places, seen: Float64Array.from(series, (_one, i) => seen[i] ?? run) };
}

/** The next table: the old one's series that spoke lately, then the new ones. */
function grow(current: Current, fresh: readonly Series[], run: number): { next: Current; kept: number[] } {
  const kept = [...current.table.series.keys()].filter((i) => run - (current.seen[i] ?? 0) <= FORGET_RUNS);
  const series = kept.flatMap((i) => current.table.series[i] ?? []);
  const seen = kept.map((i) => current.seen[i] ?? run);
  return {
    next: currentOf([...series, ...fresh.map(({ name, kind, attributes }) => ({ name, kind, attributes }))], run, seen),
    kept,
  };
}

/** What the agent says of itself has its place in any case. */
const isOwn = (name: string): boolean => name.startsWith('outrider.') && Object.hasOwn(METRICS, name);

/** Takes every series, for those who share no budget. */
const BOUNDLESS: SeriesShare = { admit: () => true, kept: () => undefined };

/** Makes a builder. A value in its usual place costs one comparison of two identities: about 20 ns. */
export function createTableBuilder(share: SeriesShare = BOUNDLESS): TableBuilder {
  let run = 1;
  let crowdedRun = 0;
  let current = currentOf([], run, []);
  let values = new Float64Array(0);
  let fresh = new Map<string, Fresh>();
  let next = 0;

  const emitElsewhere = (metric: MetricName | ForeignMetric, value: number, attributes: Attributes): void => {
    const isForeign = typeof metric !== 'string';
    const { name, kind } = isForeign ? metric : { name: metric, kind: METRICS[metric].kind };
    const key = keyOf(name, attributes);
    const place = current.places.get(key);
    if (place === undefined) {
      // What the schedule itself says of the collector comes last and must go in.
      const hasPlace =
        isOwn(name) || (current.places.size + fresh.size < MOST_SERIES && (fresh.has(key) || share.admit(name)));
      if (hasPlace) fresh.set(key, { name, kind, attributes, value });
      else crowdedRun = run;
      return;
    }
    values[place] = value;
    current.seen[place] = run;
    next = place + 1;
  };

  return {
    emit(metric, value, attributes = NO_ATTRIBUTES) {
      if (!Number.isFinite(value)) return;
      const name = typeof metric === 'string' ? metric : metric.name;
      const usual = current.table.series[next];
      if (usual === undefined || usual.attributes !== attributes || usual.name !== name) {
        return emitElsewhere(metric, value, attributes);
      }
      values[next] = value;
      current.seen[next] = run;
      next++;
    },
    isCrowded: () => crowdedRun === run,
    finish() {
      if (fresh.size > 0 || (crowdedRun === run && current.seen.some((seen) => run - seen > FORGET_RUNS))) {
        const { next: grown, kept } = grow(current, [...fresh.values()], run);
        values = Float64Array.from([
          ...kept.map((i) => values[i] ?? NaN),
          ...[...fresh.values()].map(({ value }) => value),
        ]);
        current = grown;
        share.kept(current.table.series.flatMap(({ name }) => (isOwn(name) ? [] : name)));
      }
      const row = current.table.series.length === 0 ? undefined : { table: current.table, values };
      run++;
      next = 0;
      fresh = new Map();
      values = new Float64Array(current.table.series.length).fill(NaN);
      return row;
    },
  };
}
