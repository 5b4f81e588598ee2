import type { ReactNode } from 'react';
import { CHARTS } from './charts.ts';
import { HostCharts } from './host-charts.tsx';
import { useHostLive } from './host-live.ts';

const SHOWN = ['cpu', 'memory', 'network', 'top-cpu', 'pressure-cpu', 'disk-io'];
const FEW = SHOWN.flatMap((id) => CHARTS.find((chart) => chart.id === id) ?? []);

/** The few charts that say most about a host, for the overview of a hub that watches one. */
export function HostGlance({ id }: { id: string }): ReactNode {
  const live = useHostLive(id, undefined);
  return <HostCharts id={id} live={live} few={FEW} />;
}
