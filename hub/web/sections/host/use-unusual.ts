import { useEffect, useMemo, useState } from 'react';
import type { Span } from '../../chart/line.ts';
import type { RangeOfPage } from '../../time/use-range.ts';
import type { ChartDefinition } from './charts.ts';
import { useLiveSeries, type HostLive } from './host-live.ts';
import type { HostChart, Series } from './lines.ts';
import { useScores } from './queries.ts';
import { heardOf, scoreBatchesOf, scoreTargetsOf, unusualOf, type AnomalyEvent, type Stretch } from './unusual.ts';

const NOTHING: readonly Stretch[] = [];

/** What the ribbons of a host's charts stand on. */
export interface UnusualGiven {
  id: string;
  live: HostLive;
  range: RangeOfPage;
  stepMs: number;
  /** Series of the host by the hub's list. */
  known: readonly Series[];
  wanted: readonly ChartDefinition[];
  charts: readonly HostChart[];
  events: readonly AnomalyEvent[];
  /** The line that is shown alone. */
  only: string | undefined;
}

/** Scores that came by the stream since the time range was chosen. */
function useHeard({ id, live, range, stepMs, wanted }: UnusualGiven): readonly Stretch[] {
  const [heard, hear] = useState(NOTHING);
  const streamed = useLiveSeries(live);
  const targets = useMemo(() => scoreTargetsOf(streamed, wanted), [streamed, wanted]);
  const { live: goesOn } = range;
  const { from, to } = range.text;
  useEffect(() => hear(NOTHING), [id, from, to, stepMs]);
  useEffect(() => {
    if (!goesOn) return;
    return live.onSample((sample) => {
      const news = heardOf(targets, sample);
      if (news.length === 0) return;
      const first = range.range().from;
      hear((old) => [...old.filter(({ toMs }) => toMs >= first), ...news]);
    });
  }, [live, goesOn, targets, from, to]);
  return heard;
}

/** When the lines of each chart were unlike their past: what the hub keeps of the shown time, and what came since. */
export function useUnusual(given: UnusualGiven): Record<string, Span[]> {
  const { id, live, range, stepMs, known, wanted, charts, events, only } = given;
  const { from, to } = range.text;
  // A series that is first named later has no past that would have to be fetched.
  const batches = useMemo(() => scoreBatchesOf(wanted, [...known, ...live.series()]), [id, from, to, stepMs, known, wanted]); // prettier-ignore
  const answers = useScores({ id, text: { from, to }, stepMs, batches });
  const arrived = answers.map(({ dataUpdatedAt }) => dataUpdatedAt).join();
  const kept = useMemo(() => answers.flatMap(({ data = NOTHING }) => data), [batches, arrived]);
  const heard = useHeard(given);
  return useMemo(() => unusualOf(charts, [...kept, ...heard], events, only), [charts, kept, heard, events, only]);
}
