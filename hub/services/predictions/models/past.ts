import type { Problem } from '#sdk';
import { FEWEST_CHOSEN, mayBeFeature } from '../../../../plugins/models/index.ts';
import { problems } from '../errors.ts';
import { seriesKey } from '../event.ts';
import { chooseColumns, rowsThere, type Column } from './features.ts';
import { MOST_NUMBERS, type Samples } from './samples.ts';

/** A row of a model is as long as a window of the agent, milliseconds. */
const STEP_MS = 10_000;
const DAY_MS = 86_400_000;
/** Series are chosen by rows of ten minutes. */
const COARSE_MS = 600_000;
/** A series that had no sample for so long is not there any more, milliseconds. */
const GONE_MS = 3_600_000;
/** Series among which is chosen. */
const MOST_SERIES = 4000;
/** Four hours of rows: with fewer nothing is learnt. */
const FEWEST_ROWS = 1440;

/** A host's past as a table: a row each ten seconds in which it was there. */
export interface Past {
  columns: readonly Column[];
  rows: number;
  timeOf(row: number): number;
  /** NaN: no sample. Counters as rates a second. */
  at(row: number, column: number): number;
  /** Which column holds a series; -1 where none does. */
  columnOf(series: { metric: string; attributes: Readonly<Record<string, string>> }): number;
}

/** What a past is asked for. */
export interface PastQuery {
  org: string;
  resource: string;
  days: number;
  nowMs: number;
  signal: AbortSignal;
  /** From 0 to 1. */
  onProgress(share: number): void;
  /** Series that are wanted besides those that are chosen. */
  also: readonly Column[];
}

const keyOf = ({ name: metric, attributes }: Column): string => seriesKey({ metric, attributes });

const tooShort = (hours: number, days: number): Problem =>
  problems.tooLittle(`The host was seen for ${hours.toFixed(1)} hours in these ${days} days; a model takes ${FEWEST_ROWS / 360}.`); // prettier-ignore

async function columnsOf(samples: Samples, range: { from: number; to: number }, query: PastQuery) {
  const { nowMs, also } = query;
  const all = (await samples.series(query)).filter((one) => mayBeFeature(one) && nowMs - one.lastMs < GONE_MS);
  const some = all.sort((a, b) => Object.keys(a.attributes).length - Object.keys(b.attributes).length).slice(0, MOST_SERIES); // prettier-ignore
  if (some.length === 0) throw problems.tooLittle('The host has sent no samples in the last hour.');
  const from = Math.floor(range.from / COARSE_MS) * COARSE_MS;
  const to = Math.ceil(range.to / COARSE_MS) * COARSE_MS;
  const atOnce = Math.max(1, Math.floor((MOST_NUMBERS * COARSE_MS) / (to - from)));
  const parts: Float32Array[] = [];
  for (let n = 0; n < some.length; n += atOnce)
    parts.push(await samples.matrix(query, { from, to, step: COARSE_MS }, some.slice(n, n + atOnce)));
  const values = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    values.set(part, at);
    at += part.length;
  }
  const matrix = { columns: some, values };
  const there = rowsThere(matrix);
  const hours = (there.length * COARSE_MS) / 3_600_000;
  if (hours * 360 < FEWEST_ROWS) throw tooShort(hours, query.days);
  const chosen = chooseColumns(matrix, there);
  if (chosen.length < FEWEST_CHOSEN)
    throw problems.tooLittle(`${chosen.length} of its ${all.length} series move; a model takes ${FEWEST_CHOSEN}.`);
  const known = new Set(chosen.map(keyOf));
  return { chosen, all: [...chosen, ...also.filter((one) => !known.has(keyOf(one)))] };
}

/**
 * Reads a host's past, a day at a time. A row counts when half of the chosen series have a value, and the one before it is there: neither times in which the host was away nor samples that are only left by
 * the minute say how much it changes in ten seconds. Throws `predictions.too-little` where that is no past to learn from.
 */
export async function readPast(samples: Samples, query: PastQuery): Promise<Past & { chosen: number }> {
  const { days, nowMs, onProgress } = query;
  const to = Math.floor(nowMs / STEP_MS) * STEP_MS;
  const from = to - Math.round((days * DAY_MS) / STEP_MS) * STEP_MS;
  const { chosen, all } = await columnsOf(samples, { from, to }, query);
  const width = all.length;
  const most = (to - from) / STEP_MS;
  const values = new Float32Array(most * width);
  const times = new Float64Array(most);
  const span = Math.max(1, Math.floor(Math.min(DAY_MS / STEP_MS, MOST_NUMBERS / width))) * STEP_MS;
  let [rows, before] = [0, -Infinity];
  for (let begin = from; begin < to; begin += span) {
    const end = Math.min(to, begin + span);
    const part = await samples.matrix(query, { from: begin, to: end, step: STEP_MS }, all);
    const length = part.length / width;
    for (let n = 0; n < length; n++) {
      let there = 0;
      for (let j = 0; j < width; j++) {
        const value = part[j * length + n]!;
        values[rows * width + j] = value;
        if (value === value && j < chosen.length) there += 1;
      }
      if (2 * there < chosen.length) continue;
      const timeMs = begin + n * STEP_MS;
      const isNext = timeMs - before === STEP_MS;
      before = timeMs;
      if (!isNext) continue;
      times[rows] = timeMs;
      rows += 1;
    }
    onProgress((end - from) / (to - from));
  }
  if (rows < FEWEST_ROWS) throw tooShort(rows / 360, days);
  const places = new Map(all.map((one, n) => [keyOf(one), n]));
  return {
    columns: all,
    chosen: chosen.length,
    rows,
    timeOf: (row) => times[row]!,
    at: (row, column) => values[row * width + column]!,
    columnOf: (series) => places.get(seriesKey(series)) ?? -1,
  };
}
