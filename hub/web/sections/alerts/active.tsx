import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { liveStream } from '../../live/stream.ts';
import { Empty, Fault, Skeleton } from '../../shell/states.tsx';
import { FiringRow } from './firing-row.tsx';
import { useActive, useRules, useSilences, type Firing } from './queries.ts';
import type { AlertsSearch } from './search.ts';
import { silencedUntil } from './silence-end.ts';
import type { ChangeAlerts } from './use-alerts-search.ts';

/** When the silence of an alert ends, for each of them. */
export function useSilentUntil(): (firing: Firing) => number | undefined {
  const { data } = useSilences();
  return (firing) => silencedUntil(firing, data?.items ?? [], liveStream.now());
}

function Quiet({ narrowed, showAll, oneHost }: { narrowed: boolean; showAll(): void; oneHost: boolean }): ReactNode {
  const { data } = useRules();
  if (narrowed) {
    return (
      <Empty title="Nothing of this kind fires">
        <button type="button" onClick={showAll}>
          Show all alerts
        </button>
      </Empty>
    );
  }
  const on = data?.items.filter(({ enabled }) => enabled).length;
  return (
    <Empty title={oneHost ? 'Nothing fires on this host' : 'Nothing needs you'}>
      <p>
        {on === undefined ? 'Rules watch' : `${on} ${on === 1 ? 'rule watches' : 'rules watch'}`} every second; what is
        too high, too low or silent appears here at once.
      </p>
      <Link to="/alerts" search={{ tab: 'rules' }} className="button">
        See the rules
      </Link>
    </Empty>
  );
}

/** Alerts as a list. */
export function FiringList({
  firings,
  open,
  change,
  oneHost,
  label,
}: {
  firings: readonly Firing[];
  open: string | undefined;
  change: ChangeAlerts;
  oneHost: boolean;
  label: string;
}): ReactNode {
  const silentUntil = useSilentUntil();
  return (
    <ul className="alert-list" aria-label={label}>
      {firings.map((firing) => (
        <FiringRow
          key={firing.id}
          firing={firing}
          open={open === firing.id}
          toggle={() => change({ open: open === firing.id ? undefined : firing.id }, true)}
          silentUntilMs={silentUntil(firing)}
          oneHost={oneHost}
        />
      ))}
    </ul>
  );
}

/** What fires now. */
export function Active({
  search,
  change,
  host,
}: {
  search: AlertsSearch;
  change: ChangeAlerts;
  host?: string;
}): ReactNode {
  const { open, severity } = search;
  const { data, error, refetch } = useActive({ host: host ?? search.host, severity });
  if (error !== null && data === undefined)
    return <Fault error={error} what="the alerts" again={() => void refetch()} />;
  if (data === undefined) return <Skeleton height={240} />;
  const elsewhere = open !== undefined && host === undefined && !data.items.some(({ id }) => id === open);
  return (
    <>
      {elsewhere && (
        <p className="alert-note">
          The alert of this link does not fire any more.{' '}
          <Link to="/alerts" search={{ tab: 'history', open }}>
            Look for it in the history
          </Link>
        </p>
      )}
      {data.items.length === 0 ? (
        <Quiet
          narrowed={severity !== undefined || (host === undefined && search.host !== undefined)}
          showAll={() => change({ severity: undefined, host: undefined })}
          oneHost={host !== undefined}
        />
      ) : (
        <FiringList
          firings={data.items}
          open={open}
          change={change}
          oneHost={host !== undefined}
          label="Alerts that fire"
        />
      )}
      {data.total > data.items.length && (
        <p className="quiet small">
          The newest {data.items.length} of {data.total}
        </p>
      )}
    </>
  );
}
