import { Link } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { Fault, Skeleton } from '../../shell/states.tsx';
import { Table, type Column } from '../../table/table.tsx';
import { When } from '../settings/when.tsx';
import { useGroupAgents, type Group, type GroupAgent } from './queries.ts';
import { LabelsOf } from './labels-of.tsx';
import { OnlyOnPage } from './only-on-page.tsx';
import { figuresOf, inForceWords, stateName, type StateName } from './rollout-words.ts';
import { StateMark } from './state-mark.tsx';

/** What needs a person comes first. */
const WORST: readonly StateName[] = [
  'rolled back',
  'refused',
  'trying',
  'sending',
  'offline',
  'waiting',
  'kept',
  'healthy',
  'own',
  'elsewhere',
];
const NONE: readonly GroupAgent[] = [];
const keyOf = ({ id }: GroupAgent): string => id;

/** Where an agent is, when it is not connected: nothing can be heard of it until it is. */
function Away({ agent }: { agent: GroupAgent }): ReactNode {
  if (agent.connected) return null;
  return (
    <div className="quiet small">
      {agent.lastSeenMs === null ? (
        'it has not come yet'
      ) : (
        <>
          not connected since <When ms={agent.lastSeenMs} />
          {agent.state === 'trying' && ': what became of it is told when it is back'}
        </>
      )}
    </div>
  );
}

function State({ agent, isPushed }: { agent: GroupAgent; isPushed: boolean }): ReactNode {
  const name = stateName(agent, isPushed);
  return (
    <>
      <StateMark name={name} />
      {name === 'elsewhere' && agent.group !== null && (
        <span className="small">
          :{' '}
          <Link
            to="/settings/$tab"
            params={{ tab: 'groups' }}
            search={(old) => ({ from: old.from, to: old.to, group: agent.group?.id })}
          >
            {agent.group.name}
          </Link>
        </span>
      )}
      <Away agent={agent} />
      {agent.problem !== '' && <div className="small group-problem">{agent.problem}</div>}
    </>
  );
}

const columnsFor = (isPushed: boolean, group: string): readonly Column<GroupAgent>[] => [
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
    cell: (agent) => <State agent={agent} isPushed={isPushed} />,
  },
  {
    id: 'has',
    name: 'In force',
    width: 'minmax(120px, 1fr)',
    shown: 'wide',
    rank: ({ inForce }) => inForce?.revision ?? 0,
    cell: (agent) => <span className={agent.inForce === null ? 'quiet' : undefined}>{inForceWords(agent, group)}</span>,
  },
  {
    id: 'labels',
    name: 'Labels',
    width: 'minmax(120px, 1fr)',
    shown: 'wide',
    rank: ({ labels }) => Object.entries(labels).join(),
    cell: ({ labels }) => <LabelsOf labels={labels} none="none" />,
  },
  {
    id: 'since',
    name: 'Since',
    width: '104px',
    shown: 'wide',
    rank: ({ changedMs }) => changedMs ?? 0,
    cell: ({ changedMs }) => <When ms={changedMs} never="–" />,
  },
];

/** How many agents are how far. */
function Counts({ rows, group }: { rows: readonly GroupAgent[]; group: Group }): ReactNode {
  const names = rows.map((row) => stateName(row, true));
  const figures = [['Agents', group.agents, undefined] as const, ...figuresOf(names, group.newest?.stage === 'halted')];
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
  const columns = useMemo(() => columnsFor(isPushed, group.id), [isPushed, group.id]);
  const rows = useMemo(() => {
    const rank = (row: GroupAgent): number => WORST.indexOf(stateName(row, isPushed));
    return data === undefined ? NONE : data.items.toSorted((a, b) => rank(a) - rank(b));
  }, [data, isPushed]);
  if (error !== null && data === undefined)
    return <Fault error={error} what="its agents" again={() => void refetch()} />;
  if (data === undefined) return <Skeleton height={200} width="100%" />;
  const others = data.total - data.items.length;
  return (
    <section>
      <h2>Agents</h2>
      {isPushed && <Counts rows={rows} group={group} />}
      <div className="group-table">
        <Table
          name="groups.agents"
          label="Agents of the group"
          rows={rows}
          columns={columns}
          keyOf={keyOf}
          {...(rows.length > 10 ? { text: ({ hostname, problem }: GroupAgent) => `${hostname} ${problem}` } : {})}
          empty={<p className="quiet">No agent joined with these labels. Those that do get what is pushed here.</p>}
        />
      </div>
      <OnlyOnPage labels={group.labels} />
      {others > 0 && <p className="quiet small">{others} more are not shown and not counted.</p>}
    </section>
  );
}
