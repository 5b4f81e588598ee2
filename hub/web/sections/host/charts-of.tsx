import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, type ReactNode } from 'react';
import { Chart } from '../../chart/chart.tsx';
import type { Mark, Span } from '../../chart/line.ts';
import type { ChartView } from '../../chart/view.ts';
import type { HostChart } from './lines.ts';

/** Charts with their data; which line is shown alone stands in the address. */
export function ChartsOf({
  charts,
  viewOf,
  marks,
  unusual,
}: {
  charts: readonly HostChart[];
  viewOf(id: string): ChartView;
  marks: Readonly<Record<string, readonly Mark[]>>;
  unusual: Readonly<Record<string, readonly Span[]>>;
}): ReactNode {
  const { only }: { only?: string | undefined } = useSearch({ strict: false });
  const navigate = useNavigate();
  const isolate = useCallback(
    (chart: string, key: string | undefined): void => {
      const search = (old: object) => ({ ...old, only: key === undefined ? undefined : `${chart}:${key}` });
      void navigate({ to: '.', search: search as never, replace: true });
    },
    [navigate],
  );
  return charts.map(({ definition: { id, title, stack, ceiling }, help, unit, lines }) => (
    <Chart
      key={id}
      {...{ id, title, help, unit, lines, stack, ceiling }}
      marks={marks[id]}
      unusual={unusual[id]}
      view={viewOf(id)}
      only={only?.startsWith(`${id}:`) === true ? only.slice(id.length + 1) : undefined}
      isolate={isolate}
    />
  ));
}
