import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { count, quantity } from '../../units/quantity.ts';
import type { ShownHost } from './host-table.tsx';
import type { HostState } from './state-word.tsx';

function most(hosts: readonly ShownHost[], key: 'cpu' | 'disk'): ShownHost | undefined {
  let found: ShownHost | undefined;
  for (const host of hosts) {
    if (host.state === 'silent' || host.headline[key] === undefined) continue;
    if ((host.headline[key] ?? 0) > (found?.headline[key] ?? -1)) found = host;
  }
  return found;
}

function Counted({ name, state, number }: { name: string; state: HostState; number: number }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd className={number > 0 ? (state === 'alerting' ? 'critical' : 'warning') : ''}>
        {number > 0 ? (
          <Link to="/" search={(old) => ({ ...old, state })} className="overview-figure">
            {count(number)}
          </Link>
        ) : (
          '0'
        )}
      </dd>
    </div>
  );
}

function Highest({
  name,
  host,
  value,
}: {
  name: string;
  host: ShownHost | undefined;
  value: number | undefined;
}): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {quantity(value, '1')}{' '}
        {host !== undefined && (
          <Link to="/hosts/$id" params={{ id: host.id }} className="overview-where small">
            {host.name}
          </Link>
        )}
      </dd>
    </div>
  );
}

/** The few numbers that matter of all hosts. */
export function OverviewFigures({
  hosts,
  counts,
}: {
  hosts: readonly ShownHost[];
  counts: Readonly<Record<HostState, number>>;
}): ReactNode {
  const [cpu, disk] = [most(hosts, 'cpu'), most(hosts, 'disk')];
  return (
    <dl className="figures">
      <div>
        <dt>Hosts</dt>
        <dd>{count(hosts.length)}</dd>
      </div>
      <Counted name="Alerting" state="alerting" number={counts.alerting} />
      <Counted name="Silent" state="silent" number={counts.silent} />
      <Highest name="Busiest CPU" host={cpu} value={cpu?.headline.cpu} />
      <Highest name="Fullest disk" host={disk} value={disk?.headline.disk} />
    </dl>
  );
}
