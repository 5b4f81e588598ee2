import { Link } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { Fault, Skeleton } from '../../shell/states.tsx';
import { Table, type Column } from '../../table/table.tsx';
import { When } from '../settings/when.tsx';
import { useGroupAgents, type Group, type GroupAgent } from './queries.ts';
import { stateName, type StateName } from './rollout-words.ts';
import { StateMark } from './state-mark.tsx';

/** What needs a person comes first. */
const WORST: readonly StateName[] = [
  'rolled back',
  'refused',
  'trying',
  'sending',
  'offline',
  'waiting',
  'healthy',
  'own',
];
const NONE: readonly GroupAgent[] = [];
const keyOf = ({ id }: GroupAgent): string => id;

const columnsFor = (isPushed: boolean): readonly Column<GroupAgent>[] => [
  {
    id: 'host',
    name: 'Host',
    width: 'minmax(96px, 1fr)',
    rank: ({ hostname }) => hostname,
    cell: ({ id, hostname }) => (
      <Link to="/hosts/$id" params={{ id }} className="group-host">
        {hostname}
      </Link>
    ),
  },
  {
    id: 'state',
    name: 'How far',
    width: 'minmax(140px, 2fr)',
    rank: (agent) => WORST.indexOf(stateName(agent, isPushed)),
    cell: (agent) => {
      const name = stateName(agent, isPushed);
      return (
        <>
          <StateMark name={name} />
          {!agent.connected && name !== 'offline' && <span className="quiet small"> offline now</span>}
          {agent.problem !== '' && <div className="small group-problem">{agent.problem}</div>}
        </>
      );
    },
  },
  {
    id: 'has',
    name: 'Is to have',
    width: '120px',
    shown: 'wide',
    rank: ({ revision }) => revision ?? 0,
    cell: ({ revision }) => (revision === null ? <span className="quiet">its own</span> : `revision ${revision}`),
  },
  {
    id: 'since',
    name: 'Since',
    width: '104px',
    shown: 'wide',
    rank: ({ changedMs }) => changedMs,
    cell: ({ changedMs }) => <When ms={changedMs} />,
  },
];

/** How many agents are how far. */
function Counts({ rows, isPushed, size }: { rows: readonly GroupAgent[]; isPushed: boolean; size: number }): ReactNode {
  const count = (...names: readonly StateName[]): number =>
    rows.filter((row) => names.includes(stateName(row, isPushed))).length;
  const bad = count('rolled back', 'refused');
  const figures: readonly [string, number, string | undefined][] = [
    ['Agents', size, undefined],
    ['Healthy', count('healthy'), 'good'],
    ['Trying, or on the way', count('trying', 'sending'), 'info'],
    ['Waiting', count('waiting'), undefined],
    ['Offline', count('offline'), 'warning'],
    ['Rolled back or refused', bad, 'critical'],
  ];
  return (
    <dl className="figures group-figures" aria-label="How far the agents are">
      {figures.map(([name, value, tone]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className={value === 0 ? 'quiet' : tone}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The agents of a group and how far each is, as it happens. */
export function GroupAgents({ group }: { group: Group }): ReactNode {
  const { data, error, refetch } = useGroupAgents(group.id);
  const isPushed = group.newest !== null;
  const columns = useMemo(() => columnsFor(isPushed), [isPushed]);
  const rows = useMemo(() => {
    const rank = (row: GroupAgent): number => WORST.indexOf(stateName(row, isPushed));
    return data === undefined ? NONE : data.items.toSorted((a, b) => rank(a) - rank(b));
  }, [data, isPushed]);
  if (error !== null && data === undefined)
    return <Fault error={error} what="its agents" again={() => void refetch()} />;
  if (data === undefined) return <Skeleton height={200} width="100%" />;
  const others = group.agents - data.items.length;
  return (
    <section>
      <h2>Agents</h2>
      {isPushed && <Counts rows={rows} isPushed={isPushed} size={group.agents} />}
      <div className="group-table">
        <Table
          name="groups.agents"
          label="Agents of the group"
          rows={rows}
          columns={columns}
          keyOf={keyOf}
          {...(rows.length > 10 ? { text: ({ hostname, problem }: GroupAgent) => `${hostname} ${problem}` } : {})}
          empty={<p className="quiet">No agent has these labels. Those that join with them get what is pushed here.</p>}
        />
      </div>
      {others > 0 && rows.length > 0 && (
        <p className="quiet small">
          {data.total > data.items.length
            ? `${others} more are not shown and not counted.`
            : `${others} more have enrolled and not come yet.`}
        </p>
      )}
    </section>
  );
}
