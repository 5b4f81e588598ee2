import { metricInfo } from '#proto/metrics.ts';
import type { Mark, Span } from '../../chart/line.ts';
import { length } from '../../time/wording.ts';
import type { HostChart } from './lines.ts';

/** What one sample of a score is about: the ten seconds before it. */
const WINDOW_MS = 10_000;
/** Scores from here on are strange. */
const STRANGE = 0.5;

/** Scores of all series of a metric, the highest at each time. */
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
  causes: readonly { metric: string }[];
  contexts: readonly { kind: string; name: string; fromMs: number; toMs: number | null }[];
}

const spanOf = (fromMs: number, toMs: number | undefined, score: number): Span => ({
  ...{ fromMs, toMs, tone: 'warning' },
  label: `unusual: ${score.toFixed(2)} of 1`,
  weight: Math.min(1, Math.max(0, (score - STRANGE) / (1 - STRANGE))),
});

/** Puts stretches that touch each other together; the strangest says how strange. */
function joined(found: readonly { fromMs: number; toMs: number; score: number }[]): Span[] {
  const stretches: { fromMs: number; toMs: number; score: number }[] = [];
  for (const one of [...found].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = stretches.at(-1);
    if (last === undefined || one.fromMs > last.toMs) stretches.push({ ...one });
    else {
      last.toMs = Math.max(last.toMs, one.toMs);
      last.score = Math.max(last.score, one.score);
    }
  }
  return stretches.map(({ fromMs, toMs, score }) => spanOf(fromMs, toMs, score));
}

/** When the metrics of a chart were strange, for the ribbon of its own. */
export function unusualOf(
  charts: readonly HostChart[],
  scores: readonly Scores[],
  stepMs: number,
): Record<string, Span[]> {
  const byMetric = new Map<string, { fromMs: number; toMs: number; score: number }[]>();
  for (const { attributes, times, max } of scores) {
    const metric = attributes['outrider.metric'] ?? '';
    const list = byMetric.get(metric) ?? [];
    byMetric.set(metric, list);
    times.forEach((time, n) => {
      const score = max[n] ?? 0;
      if (score >= STRANGE) list.push({ fromMs: time - WINDOW_MS, toMs: time + stepMs, score });
    });
  }
  const unusual: Record<string, Span[]> = {};
  for (const { definition } of charts) {
    const own = definition.picks.flatMap(({ name }) => byMetric.get(name) ?? []);
    if (own.length > 0) unusual[definition.id] = joined(own);
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
