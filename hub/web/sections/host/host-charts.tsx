import { useSearch } from '@tanstack/react-router';
import { useMemo, useRef, type ReactNode } from 'react';
import type { Mark, Span } from '../../chart/line.ts';
import type { ChartView } from '../../chart/view.ts';
import { Empty, Fault } from '../../shell/states.tsx';
import { useRange } from '../../time/use-range.ts';
import { CHARTS, GROUPS, type ChartDefinition, type GroupId } from './charts.ts';
import { ChartGroup } from './chart-group.tsx';
import { ChartsOf } from './charts-of.tsx';
import { marksOf, spansOf } from './firings.ts';
import type { HostLive } from './host-live.ts';
import type { HostChart, Series } from './lines.ts';
import { useAnomaliesIn, useFirings, useHostSeries, type AnomalyReply } from './queries.ts';
import { Timeline } from './timeline.tsx';
import { contextMarks } from './unusual.ts';
import { useHostCharts } from './use-host-charts.ts';
import { useStep } from './use-step.ts';
import { useUnusual } from './use-unusual.ts';
import { useViews } from './use-view.ts';
import './charts.css';

const NONE: readonly Series[] = [];
const NO_EVENTS: readonly AnomalyReply[] = [];

/** What is drawn: the charts that a host has, their data and what happened meanwhile. */
interface Drawing {
  charts: readonly HostChart[];
  viewOf(chart: string): ChartView;
  marks: Readonly<Record<string, readonly Mark[]>>;
  unusual: Readonly<Record<string, readonly Span[]>>;
}

function Groups({ charts, ...drawing }: Drawing): ReactNode {
  const groups = GROUPS.map((group) => ({
    ...group,
    charts: charts.filter(({ definition }) => definition.group === group.id),
  })).filter((group) => group.charts.length > 0);
  return (
    <>
      {groups.length > 0 && <Jump groups={groups} />}
      {groups.map(({ id, name, charts: own }) => (
        <ChartGroup key={id} id={id} name={name} count={own.length}>
          <ChartsOf charts={own} {...drawing} />
        </ChartGroup>
      ))}
    </>
  );
}

/** Charts of a host: all of them in groups, or a few of them side by side. */
export function HostCharts({
  id,
  live,
  few,
  children,
}: {
  id: string;
  live: HostLive;
  few?: readonly ChartDefinition[];
  /** Stands in for the charts when there is nothing to draw. */
  children?: ReactNode;
}): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const range = useRange();
  const { from, to } = range.range();
  const stepMs = useStep(place, to - from);
  const series = useHostSeries(id);
  const known = useMemo(
    () => series.data?.items.filter(({ lastMs }) => lastMs >= range.range().from) ?? NONE,
    [series.data, range.text.from, range.text.to],
  );
  const wanted = few ?? CHARTS;
  const { charts, buffer, loading, error, again } = useHostCharts({
    id,
    live,
    range,
    stepMs,
    known,
    wanted,
  });
  const firings = useFirings(id).data?.items;
  const spans = useMemo(() => spansOf(firings ?? []), [firings]);
  const anomalies = useAnomaliesIn(id, range.text);
  const events = anomalies.data?.items;
  const marks = useMemo(() => marksOf(charts, firings ?? [], contextMarks(events ?? [])), [charts, firings, events]);
  const { only }: { only?: string | undefined } = useSearch({ strict: false });
  const unusual = useUnusual({ id, live, range, stepMs, known, wanted, charts, events: events ?? NO_EVENTS, only });
  const views = useViews(buffer, spans);
  const drawing = {
    charts,
    marks,
    unusual,
    viewOf: (chart: string) => (loading.has(chart) ? views.waiting : views.ready),
  };
  return (
    <div ref={place} className="host-charts">
      {series.isError && <Fault error={series.error} what="the list of charts" again={() => void series.refetch()} />}
      {error !== undefined && <Fault error={error} what="the history of some charts" again={again} />}
      {series.isPending && charts.length === 0 && <Waiting count={few?.length ?? 6} />}
      {series.isSuccess &&
        charts.length === 0 &&
        (children ?? (
          <Empty title="Nothing was measured in this time">
            <p>Choose another time above; the host’s facts say when it was last seen.</p>
          </Empty>
        ))}
      {charts.length > 0 && (
        <Timeline
          id={id}
          events={events}
          total={anomalies.data?.total ?? 0}
          isOld={anomalies.isPlaceholderData}
          failed={anomalies.isError}
        />
      )}
      {few === undefined ? (
        <Groups {...drawing} />
      ) : (
        <div className={few.length === 1 ? 'chart-grid chart-grid-alone' : 'chart-grid'}>
          <ChartsOf {...drawing} />
        </div>
      )}
    </div>
  );
}

function Waiting({ count }: { count: number }): ReactNode {
  return (
    <div className="chart-grid" role="status" aria-label="Loading">
      {Array.from({ length: count }, (_, index) => (
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
