import type { StepRow } from './answer.ts';
import { gatherRows, sampleRow } from './rows.ts';

/** The statistics of a row and how several make one. */
export const STATISTICS = {
  n: 'sum',
  s: 'sum',
  mn: 'min',
  mx: 'max',
  firstT: 'min',
  f: 'first',
  lastT: 'max',
  last: 'last',
} as const;
type Statistic = keyof typeof STATISTICS;

/** The statistics that answers need of a series, by the first letter of its text: gauges need neither times nor the first value, counters no sum. */
const NEEDED: Readonly<Record<string, readonly Statistic[]>> = {
  g: ['n', 's', 'mn', 'mx', 'last'],
  c: ['n', 'mn', 'mx', 'firstT', 'f', 'lastT', 'last'],
};

/** The statistics that are kept of a series, by its text. */
export const statisticsOf = (text: string): readonly Statistic[] => NEEDED[text.charAt(0)] ?? [];
/** Whether a name is one of a statistic. */
export const isStatistic = (name: string): name is Statistic => Object.hasOwn(STATISTICS, name);

/** Rows in steps, by the text of their series, from figures in any order: statistic (of a sample: none), text of the series, RFC 3339 time, value. */
export function rowsFrom(figures: readonly (readonly string[])[], step: number): Map<string, StepRow[]> {
  const found = new Map<string, Map<number, StepRow>>();
  for (const [statistic = '', text = '', time = '', figure] of figures) {
    const [t, value] = [Date.parse(time), Number(figure)];
    const own = found.get(text) ?? new Map<number, StepRow>();
    found.set(text, own);
    const row = own.get(t) ?? sampleRow(t, value);
    own.set(t, isStatistic(statistic) ? Object.assign(row, { [statistic]: value }) : row);
  }
  return new Map([...found].map(([text, own]) => [text, gatherRows(own.values(), step)]));
}

/** The figures of one statistic at one time, of all series that have it. */
export interface FigureLine {
  statistic: Statistic;
  timeMs: number;
  /** `text=value`, with commas between. */
  fields: string;
}

/** The values of a block as `text=value`, with commas between; what is no number is left out. */
export function fieldsFrom(texts: readonly string[] = [], values: Float64Array): string {
  let fields = '';
  for (const [index, text] of texts.entries()) {
    if (Number.isFinite(values[index])) fields += `${fields === '' ? '' : ','}${text}=${values[index]}`;
  }
  return fields;
}

/** Takes rows apart into lines of figures. */
export function linesFrom(rows: ReadonlyMap<string, StepRow[]>): FigureLine[] {
  const lines = new Map<string, FigureLine>();
  for (const [text, own] of rows)
    for (const row of own)
      for (const statistic of statisticsOf(text)) {
        const key = `${statistic} ${row.t}`;
        const line = lines.get(key);
        if (line === undefined) lines.set(key, { statistic, timeMs: row.t, fields: `${text}=${row[statistic]}` });
        else line.fields += `,${text}=${row[statistic]}`;
      }
  return [...lines.values()];
}
