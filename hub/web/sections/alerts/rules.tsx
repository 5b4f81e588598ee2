import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Empty, Fault, Skeleton } from '../../shell/states.tsx';
import { say } from '../../shell/toasts.tsx';
import { useOrderInAddress } from '../../table/use-order.ts';
import { Table, type Column } from '../../table/table.tsx';
import { alertCalls, useChange, useHosts, useRules, type Rule } from './queries.ts';
import { RuleDialog } from './rule-dialog.tsx';
import { sameRule } from './rule-form.ts';
import { SEVERITIES, type AlertsSearch } from './search.ts';
import { SeverityMark } from './severity-mark.tsx';
import type { ChangeAlerts } from './use-alerts-search.ts';
import { useMay } from './use-may.ts';
import { conditionOf } from './words.ts';

function Toggle({ rule }: { rule: Rule }): ReactNode {
  const { run } = useChange();
  const may = useMay('editor');
  const turn = (enabled: boolean, undo: boolean): void =>
    run(
      () => alertCalls.changeRule(rule.id, sameRule(rule, { enabled })),
      () => say(`“${rule.name}” is ${enabled ? 'on' : 'off'}`, undo ? () => turn(!enabled, false) : undefined),
    );
  return (
    <input
      type="checkbox"
      role="switch"
      className="alert-switch"
      aria-label={`${rule.name} is looked at`}
      checked={rule.enabled}
      {...may}
      onChange={() => turn(!rule.enabled, true)}
    />
  );
}

function Remove({ rule }: { rule: Rule }): ReactNode {
  const { run } = useChange();
  const may = useMay('editor');
  const builtIn = rule.builtIn !== null;
  const again = (): void =>
    run(
      () => alertCalls.addRule(sameRule(rule)),
      () => say(`“${rule.name}” is back`),
    );
  return (
    <button
      type="button"
      className="bare"
      aria-label={`Delete ${rule.name}`}
      disabled={builtIn || may.disabled}
      title={builtIn ? 'Every organisation has this rule; switch it off instead' : may.title}
      onClick={() =>
        run(
          () => alertCalls.removeRule(rule.id),
          () => say(`“${rule.name}” is deleted`, again),
        )
      }
    >
      Delete
    </button>
  );
}

const filterWords = ({ filter }: Rule): string =>
  Object.entries(filter ?? {})
    .map(([key, value]) => (value === '' ? `without ${key}` : `${key}=${value}`))
    .join(', ');

function FiresWhen({ rule, where }: { rule: Rule; where: string }): ReactNode {
  const { metric, words } = conditionOf(rule);
  return (
    <>
      {metric !== '' && <span className="mono">{metric}</span>} {words} on {where}
      {filterWords(rule) !== '' && <span className="quiet mono"> {filterWords(rule)}</span>}
    </>
  );
}

function columnsOf(hosts: ReadonlyMap<string, string>): Column<Rule>[] {
  const where = ({ resource }: Rule): string =>
    resource === null ? 'any host' : (hosts.get(resource ?? '') ?? 'a removed host');
  return [
    {
      id: 'on',
      name: 'On',
      width: '44px',
      rank: ({ enabled }) => Number(enabled),
      cell: (rule) => <Toggle rule={rule} />,
    },
    {
      id: 'name',
      name: 'Rule',
      width: 'minmax(140px, 2fr)',
      rank: ({ name }) => name,
      cell: (rule) => (
        <>
          <span className="alert-clip" title={rule.warnings[0]}>
            {rule.name} {rule.builtIn !== null && <span className="quiet small">built in</span>}
            {rule.warnings.length > 0 && <span className="warning small"> waits for its metric</span>}
          </span>
          <span className="table-second quiet small">
            <FiresWhen rule={rule} where={where(rule)} />
          </span>
        </>
      ),
    },
    {
      id: 'condition',
      name: 'Fires when',
      width: 'minmax(180px, 3fr)',
      shown: 'wide',
      cell: (rule) => (
        <span className="alert-clip small">
          <FiresWhen rule={rule} where={where(rule)} />
        </span>
      ),
    },
    {
      id: 'severity',
      name: 'How bad',
      width: 'var(--severity)',
      rank: ({ severity }) => SEVERITIES.indexOf(severity ?? 'warning'),
      cell: ({ severity }) => <SeverityMark severity={severity ?? 'warning'} />,
    },
    {
      id: 'channels',
      name: 'Tells',
      width: 'minmax(80px, 1fr)',
      shown: 'wide',
      cell: ({ channels }) => (
        <span className="cut">{channels?.length === 0 ? 'all channels' : channels?.join(', ')}</span>
      ),
    },
    {
      id: 'firing',
      name: 'Fires now',
      width: '72px',
      end: true,
      shown: 'wide',
      rank: ({ firing }) => firing,
      cell: ({ id, firing }) => (
        <Link to="/alerts" search={{ tab: 'history', rule: id }} title="See what fired under it">
          {firing === 0 ? 'no' : firing}
        </Link>
      ),
    },
    { id: 'actions', name: 'Actions', unnamed: true, width: '76px', end: true, cell: (rule) => <Remove rule={rule} /> },
  ];
}
const keyOf = ({ id }: Rule): string => id;
const textOf = ({ name, metric }: Rule): string => `${name} ${metric}`;

/** What is watched, and how strictly. */
export function Rules({ search, change }: { search: AlertsSearch; change: ChangeAlerts }): ReactNode {
  const { data, error, refetch } = useRules();
  const { data: hosts } = useHosts();
  const may = useMay('editor');
  const order = useOrderInAddress();
  const columns = columnsOf(new Map(hosts?.map(({ id, name }) => [id, name])));
  if (error !== null && data === undefined)
    return <Fault error={error} what="the rules" again={() => void refetch()} />;
  if (data === undefined) return <Skeleton height={320} />;
  const open = data.items.find(({ id }) => id === search.open);
  return (
    <>
      <Table
        name="alerts.rules"
        label="Rules"
        rows={data.items}
        columns={columns}
        keyOf={keyOf}
        text={textOf}
        order={order}
        opened={search.open}
        open={({ id }) => change({ open: id })}
        empty={<Empty title="There are no rules">Make one, and it is looked at every second.</Empty>}
      >
        <button type="button" className="primary end" {...may} onClick={() => change({ open: 'new' })}>
          New rule
        </button>
      </Table>
      {(open !== undefined || search.open === 'new') && (
        <RuleDialog key={search.open} rule={open} close={() => change({ open: undefined })} />
      )}
    </>
  );
}
