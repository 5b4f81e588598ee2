/** Whether a value is a level or an ever growing count (which resets to zero at a restart). */
export type SeriesKind = 'gauge' | 'counter';

/** How several series of one metric become one line when nobody asks to split them. */
export type Merge = 'sum' | 'avg' | 'max';

/** What is known of a metric's name everywhere. */
export interface MetricInfo {
  /** UCUM unit in base units, as OpenTelemetry writes it. */
  unit: string;
  kind: SeriesKind;
  merge: Merge;
  /** What it is, in one sentence. */
  help: string;
}

/** What is known of a level. */
export const gauge = (unit: string, merge: Merge, help: string) => ({ unit, kind: 'gauge', merge, help }) as const;

/** What is known of an ever growing count. */
export const counter = (unit: string, help: string) => ({ unit, kind: 'counter', merge: 'sum', help }) as const;
