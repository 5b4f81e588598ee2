import { DETECTION_LIMIT, GREATEST_OFFSET, LEAST_OFFSET, type DetectionDocument } from '#proto/agent/v1/detection.ts';
import { seriesKey, type Kind, type SeriesName } from './event.ts';
import { LINES_METRIC, SOURCE_ATTRIBUTE } from './sequences/host.ts';

/** What a person can say of an event. */
export const VERDICTS = ['useful', 'noise', 'expected'] as const;
export type Verdict = (typeof VERDICTS)[number];

/**
 * Nats that an event moves thresholds by: those of its host and of its first causes. A threshold is 8 nats, so that four events of noise make an alert take twice
 * the surprise. What was expected counts half: it was right, and nobody needed it. What was useful takes back half of one noise.
 */
const STEPS: Readonly<Record<Verdict, number>> = { noise: 2, expected: 1, useful: -1 };
/** Causes whose series are moved: the further ones are there because the first are. */
export const MOVED_CAUSES = 3;
/** Series of one host that are moved; those that were moved most. */
const MOST_SERIES = 200;

/** One person's word on one event. */
export interface Label {
  anomaly: string;
  kind: Kind;
  verdict: Verdict;
  series: readonly SeriesName[];
}

/** By how much the threshold of a series is moved. */
export interface MovedSeries extends SeriesName {
  key: string;
  offset: number;
}

/** By how much thresholds of a host are moved, nats; above 0 they are higher. */
export interface Sensitivity {
  offset: number;
  series: MovedSeries[];
}

const bounded = (offset: number): number => Math.min(GREATEST_OFFSET, Math.max(LEAST_OFFSET, offset));

/** What labels come to, in whatever order they were given: of each event the mean of its people's steps, summed up over events, and bounded at the end. */
function movedBy(labels: readonly Label[]): Sensitivity {
  const events = new Map<string, Label[]>();
  for (const label of labels) events.set(label.anomaly, [...(events.get(label.anomaly) ?? []), label]);
  let offset = 0;
  const moved = new Map<string, MovedSeries>();
  for (const said of events.values()) {
    const step = said.reduce((sum, { verdict }) => sum + STEPS[verdict], 0) / said.length;
    offset += step;
    const series = new Map(said.flatMap((label) => label.series).map((one) => [seriesKey(one), one]));
    for (const [key, { metric, attributes }] of series)
      moved.set(key, { key, metric, attributes, offset: (moved.get(key)?.offset ?? 0) + step });
  }
  const series = [...moved.values()]
    .map((one) => ({ ...one, offset: bounded(one.offset) }))
    .filter((one) => one.offset !== 0)
    .sort((a, b) => Math.abs(b.offset) - Math.abs(a.offset) || (a.key < b.key ? -1 : 1))
    .slice(0, MOST_SERIES);
  return { offset: bounded(offset), series };
}

/** What a host's labels come to for its agent. Only events of the host as a whole move anything there; labels of log templates are kept and move nothing. */
export const sensitivityOf = (labels: readonly Label[]): Sensitivity =>
  movedBy(labels.filter(({ kind }) => kind === 'host'));

/** Sources of one host whose thresholds are moved; those that were moved most. */
const MOST_SOURCES = 64;

/** The sources of logs that an event of them is about, as series. */
export const sourcesOf = (series: readonly SeriesName[]): SeriesName[] => {
  const names = new Set(series.flatMap(({ attributes }) => attributes[SOURCE_ATTRIBUTE] ?? []));
  return [...names].map((name) => ({ metric: LINES_METRIC, attributes: { [SOURCE_ATTRIBUTE]: name } }));
};

/** What labels of unusual counts of log lines come to for their sources, which the hub judges itself: by the same steps and bounds. */
export const sourceSensitivityOf = (labels: readonly Label[]): MovedSeries[] =>
  movedBy(
    labels
      .filter(({ kind }) => kind === 'log-sequence')
      .map((label) => ({ ...label, series: sourcesOf(label.series) })),
  ).series.slice(0, MOST_SOURCES);

/** The document that tells an agent of it; series that were moved least are left out where it would be too long. */
export function documentOf({ offset, series }: Sensitivity): string {
  const document: DetectionDocument = {
    offset,
    series: series.map(({ metric, attributes, offset: own }) => ({
      metric,
      attributes: { ...attributes },
      offset: own,
    })),
  };
  for (;;) {
    const text = JSON.stringify(document);
    if (text.length <= DETECTION_LIMIT) return text;
    document.series.pop();
  }
}
