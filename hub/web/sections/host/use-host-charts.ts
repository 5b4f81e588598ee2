import { useEffect, useMemo, useRef, useState } from 'react';
import { createBuffer, type StepBuffer } from '../../chart/buffer.ts';
import { relativeMs } from '../../time/range.ts';
import type { RangeOfPage } from '../../time/use-range.ts';
import type { ChartDefinition } from './charts.ts';
import { feed, highest, targetsOf } from './feed.ts';
import { useLiveSeries, type HostLive } from './host-live.ts';
import { batchesOf, chartsOf, keepSame, type Batch, type HostChart, type Series } from './lines.ts';
import { useHistory, type HistoryReply } from './queries.ts';

/** How often the highest lines are chosen anew, milliseconds. */
const CHOOSE_MS = 10_000;
const FIRST_CHOICE_MS = 300;

/** What the charts of a host stand on. */
export interface ChartsGiven {
  id: string;
  /** The charts to show, as far as the host has them. */
  wanted: readonly ChartDefinition[];
  live: HostLive;
  range: RangeOfPage;
  stepMs: number;
  /** Series of the host by the hub's list. */
  known: readonly Series[];
}

/** Charts of a host with their data. */
export interface ChartsOfHost {
  charts: readonly HostChart[];
  buffer: StepBuffer;
  /** Charts whose history has not arrived yet. */
  loading: ReadonlySet<string>;
  error: unknown;
  again(): void;
}

function load(buffer: StepBuffer, { by }: Batch, reply: HistoryReply): void {
  for (const { name, attributes, ...points } of reply.series)
    buffer.load([name, ...by.map((key) => attributes[key] ?? '')].join(' '), points, reply.to);
}

/** Charts as the objects that they were, as long as they have the same lines. */
function useKept(charts: readonly HostChart[]): readonly HostChart[] {
  const before = useRef<readonly HostChart[]>([]);
  const kept = useMemo(() => keepSame(before.current, charts), [charts]);
  useEffect(() => {
    before.current = kept;
  });
  return kept;
}

/** Lines of charts that show only the highest. */
function useHighest(charts: readonly HostChart[], buffer: StepBuffer, range: RangeOfPage): readonly HostChart[] {
  const [chosen, choose] = useState<Readonly<Record<string, readonly string[]>>>({});
  const newest = useRef({ charts, range });
  useEffect(() => {
    newest.current = { charts, range };
  });
  useEffect(() => {
    let seen = -1;
    const look = (): void => {
      if (document.hidden || buffer.version() === seen) return;
      seen = buffer.version();
      const { from, to } = newest.current.range.range();
      const next: Record<string, readonly string[]> = {};
      for (const { definition, lines } of newest.current.charts) {
        if (definition.top === undefined) continue;
        next[definition.id] = highest(
          buffer,
          lines.map(({ key }) => key),
          { from, to, most: definition.top },
        );
      }
      choose((old) => (JSON.stringify(old) === JSON.stringify(next) ? old : next));
    };
    // The history arrives in the first moments; after that the order changes slowly.
    const soon = setInterval(look, FIRST_CHOICE_MS);
    const timers = [setInterval(look, CHOOSE_MS), setTimeout(() => clearInterval(soon), 3000), soon];
    return () => timers.forEach((timer) => clearInterval(timer));
  }, [buffer]);
  const shown = useMemo(
    () =>
      charts.map((chart) => {
        const { top, id } = chart.definition;
        if (top === undefined) return chart;
        const order = chosen[id] ?? chart.lines.slice(0, top).map(({ key }) => key);
        return { ...chart, lines: order.flatMap((key) => chart.lines.find((line) => line.key === key) ?? []) };
      }),
    [charts, chosen],
  );
  return useKept(shown);
}

/** Brings the live samples into the buffer. */
function useFeed(buffer: StepBuffer, { live, range, wanted }: ChartsGiven, named: readonly Series[]): void {
  const { live: goesOn } = range;
  useEffect(() => {
    if (!goesOn) return;
    const picks = wanted.flatMap((definition) => definition.picks);
    const targets = targetsOf(live.series(), picks);
    return live.onSample((event) => feed(buffer, targets, event));
  }, [buffer, live, goesOn, named, wanted]);
}

/** Charts of a host: the history of the shown time, and what is live after it. */
export function useHostCharts(given: ChartsGiven): ChartsOfHost {
  const { id, wanted, live, range, stepMs, known } = given;
  const streamed = useLiveSeries(live);
  const all = useKept(useMemo(() => chartsOf(wanted, [...known, ...streamed]), [wanted, known, streamed]));
  // The stream names series again whenever one comes; the calls depend only on which charts there are.
  const ids = all.map(({ definition }) => definition.id).join();
  const batches = useMemo(() => batchesOf(all), [ids]);
  const { from, to } = range.text;
  const buffer = useMemo(() => {
    const shown = range.range();
    // A live range since a moment grows; twice its length is room for as long again.
    const grows = shown.live && from !== undefined && relativeMs(from) === undefined;
    return createBuffer({ stepMs, spanMs: (shown.to - shown.from) * (grows ? 2 : 1) + 2 * stepMs });
  }, [id, from, to, stepMs]);
  const answers = useHistory({ id, text: { from, to }, stepMs, batches });
  const loaded = useRef(new WeakMap<StepBuffer, Map<Batch, number>>());
  const arrived = answers.map(({ dataUpdatedAt }) => dataUpdatedAt).join();
  useEffect(() => {
    const times = loaded.current.get(buffer) ?? new Map<Batch, number>();
    loaded.current.set(buffer, times);
    answers.forEach(({ data, dataUpdatedAt }, index) => {
      const batch = batches[index];
      if (batch === undefined || data === undefined || times.get(batch) === dataUpdatedAt) return;
      times.set(batch, dataUpdatedAt);
      load(buffer, batch, data);
    });
  }, [buffer, batches, arrived]);
  useFeed(buffer, given, streamed);
  const waiting = answers.map(({ isPending }) => isPending).join();
  const loading = useMemo(() => {
    const late = batches.filter((_, index) => answers[index]?.isPending === true);
    const holds = ({ definition }: HostChart): boolean =>
      late.some(({ names, by, without }) =>
        definition.picks.some(
          (pick) => names.includes(pick.name) && pick.without === without && String(pick.by ?? []) === String(by),
        ),
      );
    return new Set(all.filter(holds).map(({ definition }) => definition.id));
  }, [all, batches, waiting]);
  const error = answers.find((one) => one.isError && one.data === undefined)?.error ?? undefined;
  const charts = useHighest(all, buffer, range);
  return { charts, buffer, loading, error, again: () => answers.forEach((one) => void (one.isError && one.refetch())) };
}
