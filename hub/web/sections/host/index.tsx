import { Link, useParams, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, type ReactNode } from 'react';
import { ApiError } from '../../api/client.ts';
import { Command, Empty, Fault, Skeleton } from '../../shell/states.tsx';
import { MODEL_CHARTS } from './charts.ts';
import { HostCharts } from './host-charts.tsx';
import { HostFacts } from './facts.tsx';
import { HostFigures } from './figures.tsx';
import { useHostLive, type HostLive } from './host-live.ts';
import { useHost, useVerdict, type HostReply } from './queries.ts';
import { HOST_TABS } from './search.ts';
import { HostVerdict } from './verdict.tsx';
import './host.css';

const HostLogs = lazy(async () => ({ default: (await import('../logs/host-logs.tsx')).HostLogs }));
const HostAlerts = lazy(async () => ({ default: (await import('../alerts/host-alerts.tsx')).HostAlerts }));
const HostDelivery = lazy(async () => ({ default: (await import('./delivery.tsx')).HostDelivery }));
const HostAnomalies = lazy(async () => ({ default: (await import('./anomalies.tsx')).HostAnomalies }));

const HostModels = lazy(async () => ({ default: (await import('../models/host-models.tsx')).HostModels }));

const TAB_NAMES = {
  charts: 'Charts',
  anomalies: 'Anomalies',
  logs: 'Logs',
  alerts: 'Alerts',
  models: 'Models',
  delivery: 'Delivery',
  facts: 'Facts',
} as const;

function Missing({ id }: { id: string }): ReactNode {
  return (
    <Empty title="There is no such host">
      <p>
        It may have been deleted, or the link was cut off: <span className="mono">{id}</span>
      </p>
      <Link to="/" className="button">
        To all hosts
      </Link>
    </Empty>
  );
}

function NeverReported({ name }: { name: string }): ReactNode {
  return (
    <Empty title={`${name} has not sent anything yet`}>
      <p>It is enrolled. On that machine this says whether the agent runs and reaches the hub:</p>
      <Command line="outrider-agent status" />
      <p>The agent starts with:</p>
      <Command line="outrider-agent run" />
      <p className="quiet">
        Where the agent has a data folder of its own, add <code>--data FOLDER</code> to both. A firewall must let it
        reach the hub’s agent port. This page fills by itself.
      </p>
    </Empty>
  );
}

function Tabs({ id }: { id: string }): ReactNode {
  return (
    <nav className="tabs" aria-label="Parts of the host">
      {HOST_TABS.map((one) => (
        <Link
          key={one}
          to="/hosts/$id"
          params={{ id }}
          search={(old) => ({ ...old, tab: one === 'charts' ? undefined : one })}
          activeOptions={{ exact: true }}
        >
          {TAB_NAMES[one]}
        </Link>
      ))}
    </nav>
  );
}

function ModelScores({ id, live }: { id: string; live: HostLive }): ReactNode {
  return (
    <HostCharts id={id} live={live} few={MODEL_CHARTS}>
      <p className="quiet">No scores in this time. The agent sends them each ten seconds once it has a model.</p>
    </HostCharts>
  );
}

function Part({ tab, host, live }: { tab: (typeof HOST_TABS)[number]; host: HostReply; live: HostLive }): ReactNode {
  if (tab === 'facts') return <HostFacts host={host} />;
  if (tab === 'anomalies')
    return (
      <Suspense fallback={<Skeleton height={300} />}>
        <HostAnomalies id={host.id} />
      </Suspense>
    );
  if (tab === 'models')
    return (
      <Suspense fallback={<Skeleton height={500} />}>
        <HostModels host={host}>
          <ModelScores id={host.id} live={live} />
        </HostModels>
      </Suspense>
    );
  if (tab === 'delivery')
    return (
      <Suspense fallback={<Skeleton height={400} />}>
        <HostDelivery host={host} />
      </Suspense>
    );
  if (tab === 'charts')
    return host.lastSeenMs === null && live.newestMs() === 0 ? (
      <NeverReported name={host.name} />
    ) : (
      <HostCharts id={host.id} live={live} />
    );
  return (
    <Suspense fallback={<Skeleton height={400} />}>
      {tab === 'logs' ? <HostLogs host={host.id} /> : <HostAlerts host={host.id} />}
    </Suspense>
  );
}

function HostOf({ id }: { id: string }): ReactNode {
  const { tab = 'charts' } = useSearch({ from: '/hosts/$id' });
  const { data: host, error, refetch } = useHost(id);
  const verdict = useVerdict(id).data;
  const live = useHostLive(id, host?.headline);
  if (error instanceof ApiError && (error.status === 404 || error.status === 400)) return <Missing id={id} />;
  if (error !== null && host === undefined) return <Fault error={error} what="the host" again={() => void refetch()} />;
  return (
    <>
      <header className="heading">
        <h1>{host?.name ?? <Skeleton height={28} width={160} />}</h1>
        <ul className="row small">
          {Object.entries(host?.labels ?? {}).map(([key, value]) => (
            <li key={key} className="chip">
              {key}={value}
            </li>
          ))}
        </ul>
        <HostVerdict live={live} verdict={verdict} lastSeenMs={host?.lastSeenMs ?? undefined} />
      </header>
      <HostFigures live={live} />
      <Tabs id={id} />
      {host === undefined ? <Skeleton height={600} /> : <Part tab={tab} host={host} live={live} />}
    </>
  );
}

/** What is this machine doing, and why? */
export function Host(): ReactNode {
  const { id } = useParams({ from: '/hosts/$id' });
  return <HostOf key={id} id={id} />;
}
