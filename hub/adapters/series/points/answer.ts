import { metricInfo, type Merge } from '#proto/metrics.ts';
import type { SeriesIdentity, SeriesPoints, SeriesQuery } from '../../../ports/series.ts';
import { counterSteps } from './counters.ts';
import { identityOf } from './identity.ts';

/** A series with the number under which a store, or one answer, knows it. */
export interface NumberedSeries extends SeriesIdentity {
  id: number;
}

/** One step of one series: start of the step and what its samples were. Times in milliseconds. */
export interface StepRow {
  t: number;
  n: number;
  s: number;
  mn: number;
  mx: number;
  firstT: number;
  f: number;
  lastT: number;
  last: number;
}

/** Rows by series from the columns of a query: series, t, n, s, mn, mx, first t, first, last t, last; ordered by series and t. */
export function stepRows(columns: readonly Float64Array[]): Map<number, StepRow[]> {
  const [series, t, n, s, mn, mx, firstT, f, lastT, last] = columns as unknown as Record<number, number>[];
  const rows = new Map<number, StepRow[]>();
  let own: StepRow[] = [];
  for (let index = 0; index < (columns[0]?.length ?? 0); index++) {
    const id = series?.[index] as number;
    if (index === 0 || id !== series?.[index - 1]) rows.set(id, (own = []));
    own.push({
      t: t?.[index] as number,
      n: n?.[index] as number,
      s: s?.[index] as number,
      mn: mn?.[index] as number,
      mx: mx?.[index] as number,
      firstT: firstT?.[index] as number,
      f: f?.[index] as number,
      lastT: lastT?.[index] as number,
      last: last?.[index] as number,
    });
  }
  return rows;
}

/** Statistics of one step, ready to be merged. */
export interface Step {
  t: number;
  avg: number;
  min: number;
  max: number;
  last: number;
}

/**
 * Which stored series answer: those that carry what `where` asks for and all of `by`. Where one name has both totals and
 * parts (a machine's and each core's CPU), the ones with the fewest other attributes answer: the parts are already in the total. A total stands for
 * parts that have the same values of `by`, and for no others.
 */
export function selectSeries(
  all: readonly NumberedSeries[],
  query: Pick<SeriesQuery, 'where' | 'by'>,
): NumberedSeries[] {
  const fits = all.filter(
    ({ attributes }) =>
      query.by.every((key) => attributes[key] !== undefined) &&
      Object.entries(query.where).every(([key, value]) => (attributes[key] ?? '') === value),
  );
  const asked = new Set([...query.by, ...Object.keys(query.where)]);
  const keysOf = ({ attributes }: NumberedSeries): string[] => Object.keys(attributes).filter((key) => !asked.has(key));
  return fits.filter((one) => {
    const own = keysOf(one);
    return !fits.some((other) => {
      const fewer = keysOf(other);
      if (query.by.some((key) => other.attributes[key] !== one.attributes[key])) return false;
      return fewer.length < own.length && fewer.every((key) => own.includes(key));
    });
  });
}

function gaugeSteps(rows: readonly StepRow[], from: number): Step[] {
  return rows
    .filter(({ t }) => t >= from)
    .map(({ t, n, s, mn, mx, last }) => ({ t, avg: s / n, min: mn, max: mx, last }));
}

const COMBINE: Readonly<Record<Merge, (sum: number, one: number) => number>> = {
  sum: (sum, one) => sum + one,
  avg: (sum, one) => sum + one,
  max: (most, one) => Math.max(most, one),
};

/** Merges the steps of several series: each statistic on its own, over those that have the step. */
function mergeSteps(lines: readonly (readonly Step[])[], merge: Merge): readonly Step[] {
  if (lines.length === 1) return lines[0] ?? [];
  const combine = COMBINE[merge];
  const merged = new Map<number, Step & { count: number }>();
  for (const line of lines) {
    for (const { t, avg, min, max, last } of line) {
      const there = merged.get(t);
      if (there === undefined) merged.set(t, { t, avg, min, max, last, count: 1 });
      else {
        there.avg = combine(there.avg, avg);
        there.min = combine(there.min, min);
        there.max = combine(there.max, max);
        there.last = combine(there.last, last);
        there.count += 1;
      }
    }
  }
  const steps = [...merged.values()].sort((a, b) => a.t - b.t);
  if (merge === 'avg') {
    for (const step of steps) {
      step.avg /= step.count;
      step.min /= step.count;
      step.max /= step.count;
      step.last /= step.count;
    }
  }
  return steps;
}

/** Puts an answer together from the rows of the series that were selected, ordered by series and time. */
export function answerOf(
  selected: readonly NumberedSeries[],
  bySeries: ReadonlyMap<number, StepRow[]>,
  query: SeriesQuery,
): SeriesPoints[] {
  const lines = new Map<
    string,
    { name: string; kind: NumberedSeries['kind']; attributes: Record<string, string>; steps: Step[][] }
  >();
  const from = Math.floor(query.from / query.step) * query.step;
  for (const series of selected) {
    const own = bySeries.get(series.id);
    if (own === undefined) continue;
    const attributes = Object.fromEntries(query.by.map((key) => [key, series.attributes[key] ?? '']));
    const key = JSON.stringify([series.name, attributes]);
    const line = lines.get(key) ?? { name: series.name, kind: series.kind, attributes, steps: [] };
    lines.set(key, line);
    line.steps.push(series.kind === 'counter' ? counterSteps(own, from) : gaugeSteps(own, from));
  }
  return [...lines.values()].map(({ name, kind, attributes, steps }) => {
    const merged = mergeSteps(steps, query.merge ?? metricInfo(name)?.merge ?? 'avg');
    const column = (pick: (step: Step) => number): number[] => merged.map(pick);
    return {
      name,
      kind,
      attributes,
      times: column(({ t }) => t),
      avg: column(({ avg }) => avg),
      min: column(({ min }) => min),
      max: column(({ max }) => max),
      last: column(({ last }) => last),
    };
  });
}

/**
 * Puts an answer together from the rows of all series that carry the names asked for, by the text of each (`identityText`). What has no sample in the range
 * itself, only before it, must not stand in for what followed it.
 */
export function answerRows(rows: ReadonlyMap<string, StepRow[]>, query: SeriesQuery): SeriesPoints[] {
  const alive = [...rows].filter(([, own]) => own.some(({ t }) => t >= query.from)).map(([text]) => text);
  const found = alive.sort().map((text, id) => ({ ...identityOf(text), id, text }));
  const selected = query.names.flatMap((name) =>
    selectSeries(
      found.filter((one) => one.name === name),
      query,
    ),
  );
  return answerOf(selected, new Map(found.map(({ id, text }) => [id, rows.get(text) ?? []])), query);
}
