import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode, type RefObject } from 'react';
import { Chart } from '../../chart/chart.tsx';
import type { Mark, Span } from '../../chart/line.ts';
import { AXIS_WIDTH } from '../../chart/plot.ts';
import type { ChartView } from '../../chart/view.ts';
import { Empty, Fault } from '../../shell/states.tsx';
import { stepFor } from '../../time/range.ts';
import { useRange } from '../../time/use-range.ts';
import { GROUPS, type GroupId } from './charts.ts';
import { ChartGroup } from './chart-group.tsx';
import { marksOf, spansOf } from './firings.ts';
import type { HostLive } from './host-live.ts';
import type { HostChart, Series } from './lines.ts';
import { useFirings, useHostSeries } from './queries.ts';
import { useHostCharts } from './use-host-charts.ts';

const GAP = 24;
const NONE: readonly Series[] = [];

/** How many charts stand side by side; the same as host.css says. */
const columnsFor = (width: number): number => (width >= 1640 ? 4 : width >= 1120 ? 3 : width >= 680 ? 2 : 1);

/** The step that suits the width of the charts. It changes only when a resize makes another one right. */
function useStep(place: RefObject<HTMLElement | null>, lengthMs: number): number {
  const [width, setWidth] = useState(() => innerWidth - 224);
  useEffect(() => {
    if (place.current === null) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.round((entry?.contentRect.width ?? 0) / 16) * 16));
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [place]);
  const columns = columnsFor(width);
  return stepFor(lengthMs, Math.max(60, (width - (columns - 1) * GAP) / columns - AXIS_WIDTH));
}

function useOnly(): [string | undefined, (only: string | undefined) => void] {
  const { only } = useSearch({ from: '/hosts/$id' });
  const navigate = useNavigate();
  const set = useCallback(
    (next: string | undefined) =>
      void navigate({ to: '.', search: ((old: object) => ({ ...old, only: next })) as never, replace: true }),
    [navigate],
  );
  return [only, set];
}

/** Views of the charts: one for those that have data, one for those that wait. */
function useViews(source: ChartView['source'], spans: readonly Span[]): { ready: ChartView; waiting: ChartView } {
  const range = useRange();
  const newest = useRef(range);
  useEffect(() => {
    newest.current = range;
  });
  const { from, to } = range.text;
  return useMemo(() => {
    const shared = {
      spans,
      range: () => newest.current.range(),
      zoom: (fromMs: number, toMs: number) => newest.current.zoom(fromMs, toMs),
      // A zoom made the entry of the history that it goes back from; without one the default time is shown.
      back: () => (newest.current.live ? undefined : history.length > 1 ? history.back() : newest.current.show({})),
    };
    return { ready: { ...shared, source }, waiting: { ...shared, source: undefined } };
  }, [source, spans, from, to]);
}

function ChartsOfGroup({
  charts,
  viewOf,
  marks,
}: {
  charts: readonly HostChart[];
  viewOf(id: string): ChartView;
  marks: Readonly<Record<string, readonly Mark[]>>;
}): ReactNode {
  const [only, setOnly] = useOnly();
  return charts.map(({ definition: { id, title, stack, ceiling }, help, unit, lines }) => (
    <Chart
      key={id}
      {...{ id, title, help, unit, lines, stack, ceiling }}
      marks={marks[id]}
      view={viewOf(id)}
      only={only?.startsWith(`${id}:`) === true ? only.slice(id.length + 1) : undefined}
      isolate={(key) => setOnly(key === undefined ? undefined : `${id}:${key}`)}
    />
  ));
}

/** All charts of a host, in groups. */
export function HostCharts({ id, live }: { id: string; live: HostLive }): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const range = useRange();
  const { from, to } = range.range();
  const stepMs = useStep(place, to - from);
  const series = useHostSeries(id);
  const known = useMemo(
    () => series.data?.items.filter(({ lastMs }) => lastMs >= range.range().from) ?? NONE,
    [series.data, range.text.from, range.text.to],
  );
  const { charts, buffer, loading, error, again } = useHostCharts({ id, live, range, stepMs, known });
  const firings = useFirings(id).data?.items;
  const spans = useMemo(() => spansOf(firings ?? []), [firings]);
  const marks = useMemo(() => marksOf(charts, firings ?? []), [charts, firings]);
  const views = useViews(buffer, spans);
  const groups = GROUPS.map((group) => ({
    ...group,
    charts: charts.filter(({ definition }) => definition.group === group.id),
  })).filter((group) => group.charts.length > 0);
  return (
    <div ref={place} className="host-charts">
      {series.isError && <Fault error={series.error} what="the list of charts" again={() => void series.refetch()} />}
      {error !== undefined && <Fault error={error} what="the history of some charts" again={again} />}
      {series.isPending && charts.length === 0 && <Waiting />}
      {series.isSuccess && charts.length === 0 && (
        <Empty title="Nothing was measured in this time">
          <p>Choose another time above; the host’s facts say when it was last seen.</p>
        </Empty>
      )}
      {groups.length > 0 && <Jump groups={groups} />}
      {groups.map((group) => (
        <ChartGroup key={group.id} id={group.id} name={group.name} count={group.charts.length}>
          <ChartsOfGroup
            charts={group.charts}
            viewOf={(chart) => (loading.has(chart) ? views.waiting : views.ready)}
            marks={marks}
          />
        </ChartGroup>
      ))}
    </div>
  );
}

function Waiting(): ReactNode {
  return (
    <div className="chart-grid" role="status" aria-label="Loading">
      {Array.from({ length: 6 }, (_, index) => (
        <div key={index} className="skeleton" style={{ height: 288 }} />
      ))}
    </div>
  );
}

function Jump({ groups }: { groups: readonly { id: GroupId; name: string }[] }): ReactNode {
  return (
    <nav className="host-jump small" aria-label="Groups of charts">
      {groups.map(({ id, name }) => (
        <a
          key={id}
          href={`#group-${id}`}
          onClick={(event) => {
            event.preventDefault();
            document.getElementById(`group-${id}`)?.scrollIntoView({ block: 'start' });
          }}
        >
          {name}
        </a>
      ))}
    </nav>
  );
}
