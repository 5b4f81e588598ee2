import { metricInfo } from '#proto/metrics.ts';
import type { Mark, Span } from '../../chart/line.ts';
import type { LiveEvents, LiveSeries } from '../../live/stream.ts';
import { length } from '../../time/wording.ts';
import type { ChartDefinition } from './charts.ts';
import { batchesOf, lineKey, type Batch, type HostChart, type Series } from './lines.ts';

/** What one sample of a score is about: the ten seconds before it. */
const WINDOW_MS = 10_000;
/** Scores from here on are strange. */
const STRANGE = 0.5;
/** The metric that scores come by, and the attribute that names what was judged. */
export const SCORE = 'outrider.anomaly.score';
export const JUDGED = 'outrider.metric';

/** A time in which a line of a chart was strange. */
export interface Stretch {
  /** The line's, as charts have it. */
  key: string;
  fromMs: number;
  toMs: number;
  score: number;
}

/** Scores of lines, the highest in each step. */
export interface Scores {
  attributes: Readonly<Record<string, string>>;
  times: readonly number[];
  max: readonly number[];
}

/** What the page needs to know of an anomaly event. */
export interface AnomalyEvent {
  id: string;
  kind: string;
  startMs: number;
  endMs: number | null;
  score: number;
  causes: readonly { metric: string; attributes: Readonly<Record<string, string>> }[];
  contexts: readonly { kind: string; name: string; fromMs: number; toMs: number | null }[];
}

const judgedOf = ({ attributes }: { attributes: Readonly<Record<string, string>> }) => ({
  name: attributes[JUDGED] ?? '',
  attributes,
});

/** The calls that fetch the scores of these charts: those of their history that some score was ever told for. */
export function scoreBatchesOf(definitions: readonly ChartDefinition[], series: readonly Series[]): Batch[] {
  const judged = series.filter(({ name }) => name === SCORE).map(judgedOf);
  const batches = batchesOf(
    definitions.map(({ picks, ...rest }) => ({
      definition: { ...rest, picks: picks.filter((pick) => judged.some((one) => lineKey(pick, one) !== undefined)) },
    })),
  );
  return batches.filter(({ names }) => names.length > 0);
}

/** What the hub keeps of the scores of a batch, as stretches. */
export const stretchesOf = ({ names, by }: Batch, scores: readonly Scores[], stepMs: number): Stretch[] =>
  scores.flatMap(({ attributes, times, max }) => {
    const metric = attributes[JUDGED] ?? '';
    if (!names.includes(metric)) return [];
    const key = [metric, ...by.map((one) => attributes[one] ?? '')].join(' ');
    return times.flatMap((time, n) => {
      const score = max[n] ?? 0;
      return score < STRANGE ? [] : { key, fromMs: time - WINDOW_MS, toMs: time + stepMs, score };
    });
  });

/** Which lines each score of the stream is of, by its index. */
export function scoreTargetsOf(
  series: readonly LiveSeries[],
  definitions: readonly ChartDefinition[],
): Map<number, readonly string[]> {
  const picks = definitions.flatMap((definition) => definition.picks);
  const targets = new Map<number, readonly string[]>();
  for (const one of series) {
    if (one.name !== SCORE) continue;
    const keys = new Set(picks.flatMap((pick) => lineKey(pick, judgedOf(one)) ?? []));
    if (keys.size > 0) targets.set(one.index, [...keys]);
  }
  return targets;
}

/** Two samples in a row are one stretch, though a clock is never quite even. */
const UNEVEN_MS = 1000;

/** Scores of a live sample as stretches. */
export const heardOf = (
  targets: ReadonlyMap<number, readonly string[]>,
  { timeMs, values }: Pick<LiveEvents['sample'], 'timeMs' | 'values'>,
): Stretch[] =>
  values.flatMap(([index, score]) =>
    score < STRANGE
      ? []
      : (targets.get(index) ?? []).map((key) => ({
          ...{ key, fromMs: timeMs - WINDOW_MS, toMs: timeMs + UNEVEN_MS, score },
        })),
  );

const spanOf = ({ fromMs, toMs, score, words }: Unusual): Span => ({
  ...{ fromMs, toMs: Number.isFinite(toMs) ? toMs : undefined, tone: 'warning' },
  label: `${words} ${score.toFixed(2)} of 1`,
  weight: Math.min(1, Math.max(0, (score - STRANGE) / (1 - STRANGE))),
});

type Unusual = Omit<Stretch, 'key'> & { words: string };

/** Puts stretches that touch each other together; the strangest says how strange. */
function joined(found: readonly Stretch[]): Unusual[] {
  const stretches: Unusual[] = [];
  for (const { fromMs, toMs, score } of [...found].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = stretches.at(-1);
    if (last === undefined || fromMs > last.toMs) stretches.push({ fromMs, toMs, score, words: 'unusual:' });
    else {
      last.toMs = Math.max(last.toMs, toMs);
      last.score = Math.max(last.score, score);
    }
  }
  return stretches;
}

/** Events in which a chart's lines were among the causes, where no scores are kept that say it better. */
function standIns({ definition }: HostChart, keys: ReadonlySet<string>, events: readonly AnomalyEvent[]): Unusual[] {
  const isOf = ({ metric: name, attributes }: AnomalyEvent['causes'][number]): boolean =>
    definition.picks.some((pick) => keys.has(lineKey(pick, { name, attributes }) ?? ''));
  return events
    .filter(({ causes }) => causes.some(isOf))
    .map(({ startMs, endMs, score }) => ({
      ...{ fromMs: startMs, toMs: endMs ?? Infinity, score, words: 'in an event:' },
    }));
}

/** When the lines that charts show were strange, for the ribbon of each. `only`: the line that is shown alone, as `chart:line`. */
export function unusualOf(
  charts: readonly HostChart[],
  stretches: readonly Stretch[],
  events: readonly AnomalyEvent[],
  only?: string,
): Record<string, Span[]> {
  const byKey = new Map<string, Stretch[]>();
  for (const one of stretches) {
    const list = byKey.get(one.key) ?? [];
    byKey.set(one.key, list);
    list.push(one);
  }
  const unusual: Record<string, Span[]> = {};
  for (const chart of charts) {
    const { id } = chart.definition;
    const keys = chart.lines.map(({ key }) => key);
    const alone = keys.filter((key) => only === `${id}:${key}`);
    const shown = new Set(alone.length > 0 ? alone : keys);
    const scored = joined([...shown].flatMap((key) => byKey.get(key) ?? []));
    const others = standIns(chart, shown, events).filter(
      ({ fromMs, toMs }) => !scored.some((one) => one.fromMs <= toMs && one.toMs >= fromMs),
    );
    if (scored.length + others.length > 0) unusual[id] = [...scored, ...others].map(spanOf);
  }
  return unusual;
}

/** What was done to the host meanwhile, as moments: each once, whatever events name it. */
export function contextMarks(events: readonly AnomalyEvent[]): Mark[] {
  const marks = new Map<string, Mark>();
  for (const { contexts } of events)
    for (const { kind, name, fromMs } of contexts) {
      const label = kind === 'reboot' ? name : `${kind} ${name}`;
      marks.set(`${fromMs} ${label}`, { atMs: fromMs, label, tone: 'mark' });
    }
  return [...marks.values()].sort((a, b) => a.atMs - b.atMs);
}

/** Where an event lies in the shown time, in parts of it. */
export interface Bar {
  id: string;
  left: number;
  width: number;
  words: string;
  isOpen: boolean;
}

const NAMES: Readonly<Record<string, string>> = {
  'template-new': 'new kind of log line',
  'template-rare': 'rare kind of log line',
  'template-vanished': 'a kind of log line no longer comes',
  'log-sequence': 'log lines unlike their past',
};

/** Events that touch the time from `from` to `to`, as bars of a strip. */
export function barsOf(events: readonly AnomalyEvent[], { from, to }: { from: number; to: number }): Bar[] {
  const place = (ms: number): number => Math.min(1, Math.max(0, (ms - from) / (to - from)));
  return events
    .filter(({ startMs, endMs }) => startMs <= to && (endMs ?? Infinity) >= from)
    .map(({ id, kind, startMs, endMs, score, causes }) => {
      const metric = causes[0]?.metric ?? '';
      const about = NAMES[kind] ?? (metricInfo(metric) === undefined ? 'unlike its past' : metric);
      const lasts = endMs === null ? 'goes on' : length(Math.max(0, endMs - startMs));
      const left = place(startMs);
      return {
        ...{ id, left, width: place(endMs ?? to) - left, isOpen: endMs === null },
        words: `${about}, ${lasts}, score ${score.toFixed(2)}`,
      };
    })
    .sort((a, b) => a.left - b.left);
}
