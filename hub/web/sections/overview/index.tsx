import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useMemo, type ReactNode } from 'react';
import { Empty, Fault, Skeleton } from '../../shell/states.tsx';
import { holds } from '../../table/order.ts';
import { count } from '../../units/quantity.ts';
import { OverviewFigures } from './figures.tsx';
import { Filters, useFilters } from './filters.tsx';
import { FiringNow } from './firing-now.tsx';
import { HostTable, useShownHosts } from './host-table.tsx';
import { useOverview, type HostRow } from './queries.ts';
import { StateWord } from './state-word.tsx';
import { countByState, summaryOf } from './summary.ts';
import { useLiveHosts } from './use-live-hosts.ts';
import './overview.css';

const HostGlance = lazy(async () => ({ default: (await import('../host/glance.tsx')).HostGlance }));

/** Fewer hosts than this need no filter. */
const FEW = 4;
const NONE: readonly HostRow[] = [];

function NoHost(): ReactNode {
  return (
    <Empty title="No host is watched yet">
      <p>Here stands every host with its state, its numbers and what is wrong with it.</p>
      <p>Settings make a join token and show the one command that adds a machine.</p>
      <Link to="/settings/$tab" params={{ tab: 'hosts' }} className="button primary">
        Add a host
      </Link>
    </Empty>
  );
}

function Waiting(): ReactNode {
  return (
    <>
      <header className="heading">
        <h1>Is anything wrong?</h1>
      </header>
      <Skeleton height={70} />
      <div style={{ height: 16 }} />
      <Skeleton height={320} />
    </>
  );
}

function wordsOf({ name, labels }: HostRow): string {
  return [name, ...Object.entries(labels).map(([key, value]) => `${key}=${value}`)].join(' ');
}

/** Is anything wrong? */
export function Overview(): ReactNode {
  const { data, error, refetch } = useOverview();
  const { now, settled } = useLiveHosts();
  const { q, state, change } = useFilters();
  const all = useShownHosts(data?.hosts ?? NONE, now, settled);
  const counts = useMemo(() => countByState(all), [all]);
  const shown = useMemo(
    () => all.filter((host) => (state === undefined || host.state === state) && (q === '' || holds(wordsOf(host), q))),
    [all, q, state],
  );
  if (error !== null && data === undefined)
    return <Fault error={error} what="the overview" again={() => void refetch()} />;
  if (data === undefined) return <Waiting />;
  const summary = summaryOf(all);
  const filtered = q !== '' || state !== undefined;
  const rest = data.total - all.length;
  return (
    <>
      <header className="heading">
        <h1>Is anything wrong?</h1>
        {all.length > 0 && (
          <p className="verdict" role="status">
            <StateWord state={summary.state} /> {summary.sentence}
          </p>
        )}
      </header>
      {all.length === 0 ? (
        <NoHost />
      ) : (
        <>
          <OverviewFigures hosts={all} counts={counts} />
          {(all.length >= FEW || filtered) && (
            <Filters counts={counts} left={filtered ? `${count(shown.length)} of ${count(all.length)} hosts` : ''} />
          )}
          <HostTable
            hosts={shown}
            empty={
              <Empty title="No host matches">
                <button type="button" onClick={() => change({ q: undefined, state: undefined })}>
                  Show all {count(all.length)}
                </button>
              </Empty>
            }
          />
          {rest > 0 && <p className="quiet">{count(rest)} more hosts are found by searching with Ctrl+K.</p>}
          <FiringNow />
          {data.total === 1 && all[0] !== undefined && all[0].state !== 'new' && (
            <section className="overview-glance" aria-label={`Charts of ${all[0].name}`}>
              <Suspense fallback={<Skeleton height={600} />}>
                <HostGlance id={all[0].id} />
              </Suspense>
            </section>
          )}
        </>
      )}
    </>
  );
}
