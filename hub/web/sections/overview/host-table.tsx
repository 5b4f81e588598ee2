import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { Sparkline } from '../../chart/sparkline.tsx';
import type { LiveHost } from '../../live/stream.ts';
import { Table, type Column } from '../../table/table.tsx';
import { useOrderInAddress } from '../../table/use-order.ts';
import { count, quantity } from '../../units/quantity.ts';
import { When } from '../settings/when.tsx';
import { Share } from './share.tsx';
import { StateWord, type HostState } from './state-word.tsx';
import { badness } from './summary.ts';
import { useCpuHistory, useHostLosses, type HostRow } from './queries.ts';

/** A host as its row shows it: `ranks` are the numbers that it is ordered by. */
export interface ShownHost extends HostRow {
  ranks: HostRow['headline'];
}

const SECOND_MS = 1000;

function CpuLine({ host }: { host: ShownHost }): ReactNode {
  const { data } = useCpuHistory(host.id);
  if (data === undefined) return <span className="overview-line" />;
  const label = `CPU of ${host.name} in the last 15 minutes, now ${quantity(host.headline.cpu, '1')}`;
  const goesOn =
    host.state !== 'silent' && host.headline.cpu !== undefined && (host.lastSeenMs ?? 0) > data.to - SECOND_MS;
  const now = Math.max(data.to, host.lastSeenMs ?? 0);
  const times = goesOn ? [...data.times, now] : data.times;
  const values = goesOn ? [...data.values, host.headline.cpu ?? 0] : data.values;
  return <Sparkline {...{ times, values, label }} from={data.from + now - data.to} to={now} most={1} />;
}

const network = ({ receive, transmit }: HostRow['headline']): number | undefined =>
  receive === undefined && transmit === undefined ? undefined : (receive ?? 0) + (transmit ?? 0);

const keepRange = (old: Record<string, unknown>) => ({ from: old['from'], to: old['to'] });

/** Says that lines of the host were lost within a day. */
function LossBadge({ id, name }: { id: string; name: string }): ReactNode {
  const lost = useHostLosses().data?.get(id);
  if (lost === undefined) return null;
  const what = lost.lines > 0 ? `${count(lost.lines)} lines` : 'lines';
  return (
    <Link
      to="/hosts/$id"
      params={{ id }}
      search={((old: Record<string, unknown>) => ({ ...keepRange(old), tab: 'delivery' })) as never}
      className="overview-lost critical small"
      title={`${name} lost ${what} in the last 24 h`}
    >
      lost {what}
    </Link>
  );
}

const COLUMNS: readonly Column<ShownHost>[] = [
  {
    id: 'name',
    name: 'Host',
    width: 'minmax(112px, 1.6fr)',
    rank: ({ name }) => name,
    cell: ({ id, name, labels, state, verdict }) => (
      <>
        <div className="cut">
          <Link to="/hosts/$id" params={{ id }} search={keepRange as never} className="overview-name">
            {name}
          </Link>{' '}
          <LossBadge id={id} name={name} />{' '}
          <span className="quiet small">
            {Object.entries(labels)
              .map(([key, value]) => `${key}=${value}`)
              .join(' ')}
          </span>
        </div>
        {state !== 'healthy' && <div className="table-second small">{verdict}</div>}
      </>
    ),
  },
  {
    id: 'state',
    name: 'State',
    width: '88px',
    rank: ({ state }) => badness(state),
    cell: ({ state }) => <StateWord state={state} />,
  },
  {
    id: 'verdict',
    name: 'What',
    width: 'minmax(128px, 1.8fr)',
    shown: 'wide',
    cell: ({ state, verdict }) => (
      <div className="cut" title={verdict}>
        {state === 'healthy' ? <span className="quiet">Nothing is wrong.</span> : verdict}
      </div>
    ),
  },
  {
    id: 'cpu',
    name: 'CPU',
    width: '80px',
    rank: ({ ranks }) => ranks.cpu,
    cell: ({ headline }) => <Share value={headline.cpu} />,
  },
  {
    id: 'line',
    name: 'Last 15 min',
    width: '112px',
    shown: 'wide',
    least: 940,
    cell: (host) => <CpuLine host={host} />,
  },
  {
    id: 'memory',
    name: 'Memory',
    width: '80px',
    shown: 'wide',
    rank: ({ ranks }) => ranks.memory,
    cell: ({ headline }) => <Share value={headline.memory} />,
  },
  {
    id: 'disk',
    name: 'Fullest disk',
    width: '84px',
    shown: 'wide',
    rank: ({ ranks }) => ranks.disk,
    cell: ({ headline }) => <Share value={headline.disk} of={headline.fullest} />,
  },
  {
    id: 'load',
    name: 'Load',
    width: '56px',
    shown: 'wide',
    least: 1100,
    end: true,
    rank: ({ ranks }) => ranks.load,
    cell: ({ headline }) => quantity(headline.load, ''),
  },
  {
    id: 'network',
    name: 'Network',
    width: '84px',
    shown: 'wide',
    least: 1040,
    end: true,
    rank: ({ ranks }) => network(ranks),
    cell: ({ headline }) => (
      <span title={`Received ${quantity(headline.receive, 'By/s')}, sent ${quantity(headline.transmit, 'By/s')}`}>
        {quantity(network(headline), 'By/s')}
      </span>
    ),
  },
  {
    id: 'seen',
    name: 'Last seen',
    width: '92px',
    shown: 'wide',
    end: true,
    rank: ({ lastSeenMs }) => lastSeenMs,
    cell: ({ lastSeenMs }) => <When ms={lastSeenMs} />,
  },
];

/** Hosts with their newest numbers; `settled` are those that rows are ordered by. */
export function useShownHosts(
  hosts: readonly HostRow[],
  now: ReadonlyMap<string, LiveHost>,
  settled: ReadonlyMap<string, LiveHost>,
): readonly ShownHost[] {
  return useMemo(
    () =>
      hosts.map((host) => {
        const live = now.get(host.id);
        const ranks = { ...host.headline, ...settled.get(host.id) };
        if (live === undefined) return { ...host, ranks };
        const lastSeenMs = Math.max(host.lastSeenMs ?? 0, live.timeMs);
        // A host that sends is neither silent nor new any more; the hub says what it is instead when it is next asked.
        const back = (host.state === 'silent' || host.state === 'new') && live.timeMs > (host.lastSeenMs ?? 0);
        const state: HostState = back ? 'healthy' : host.state;
        return { ...host, state, headline: { ...host.headline, ...live }, lastSeenMs, ranks };
      }),
    [hosts, now, settled],
  );
}

/** The list of hosts: ordered by the address, moved through by keys. */
export function HostTable({ hosts, empty }: { hosts: readonly ShownHost[]; empty: ReactNode }): ReactNode {
  const navigate = useNavigate();
  const order = useOrderInAddress('sort', { column: 'state', down: false });
  return (
    <Table
      name="hosts"
      label="hosts"
      rows={hosts}
      columns={COLUMNS}
      keyOf={({ id }) => id}
      order={order}
      open={({ id }) => void navigate({ to: '/hosts/$id', params: { id }, search: keepRange as never })}
      empty={empty}
    />
  );
}
