import { useSearch } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { liveStream } from '../../live/stream.ts';
import { usePreferences } from '../../shell/preferences.ts';
import { Dialog } from '../../shell/dialog.tsx';
import { Empty, Fault, Skeleton } from '../../shell/states.tsx';
import { Pages } from '../../table/pages.tsx';
import { Table, type Column } from '../../table/table.tsx';
import { rangeOf } from '../../time/range.ts';
import { useRange } from '../../time/use-range.ts';
import { length, rangeLabel } from '../../time/wording.ts';
import { HostThen } from './firing-actions.tsx';
import { FiringDetail } from './firing-row.tsx';
import { Ago } from './moment.tsx';
import { NarrowBar } from './narrow-bar.tsx';
import { PAGE, useHistory, useRules, type Firing } from './queries.ts';
import type { AlertsSearch } from './search.ts';
import { SeverityMark } from './severity-mark.tsx';
import type { ChangeAlerts } from './use-alerts-search.ts';
import { outcomeWords, valueOf } from './words.ts';

const COLUMNS: readonly Column<Firing>[] = [
  {
    id: 'severity',
    name: 'How bad',
    unnamed: true,
    width: 'var(--severity)',
    cell: ({ severity, state }) => <SeverityMark severity={severity} over={state === 'resolved'} />,
  },
  {
    id: 'title',
    name: 'What',
    width: 'minmax(160px, 3fr)',
    cell: ({ title, resourceName, startedMs, resolvedMs }) => (
      <>
        <span className="alert-clip">{title}</span>
        <span className="table-second quiet small">
          {resourceName}, {length((resolvedMs ?? liveStream.now()) - startedMs)}
        </span>
      </>
    ),
  },
  {
    id: 'host',
    name: 'Host',
    width: 'minmax(80px, 1fr)',
    shown: 'wide',
    cell: (firing) => <HostThen firing={firing}>{firing.resourceName}</HostThen>,
  },
  { id: 'fired', name: 'Fired', width: 'var(--moment)', cell: ({ firedMs }) => <Ago ms={firedMs} /> },
  {
    id: 'lasted',
    name: 'Lasted',
    width: '88px',
    end: true,
    shown: 'wide',
    cell: ({ startedMs, resolvedMs }) => length((resolvedMs ?? liveStream.now()) - startedMs),
  },
  { id: 'peak', name: 'Worst', width: '88px', end: true, shown: 'wide', cell: ({ peak, unit }) => valueOf(peak, unit) },
  { id: 'outcome', name: 'Outcome', width: '112px', shown: 'wide', cell: outcomeWords },
  { id: 'rule', name: 'Rule', shown: 'choice', cell: ({ ruleName }) => <span className="cut">{ruleName}</span> },
  { id: 'seen', name: 'Looked after by', shown: 'choice', cell: ({ acknowledged }) => acknowledged?.by ?? '–' },
];
const NONE: readonly Firing[] = [];
const keyOf = ({ id }: Firing): string => id;

function Never({ search, change, ranged }: { search: AlertsSearch; change: ChangeAlerts; ranged: boolean }): ReactNode {
  const narrowed = ranged || search.severity !== undefined || search.host !== undefined || search.rule !== undefined;
  if (!narrowed)
    return (
      <Empty title="Nothing has fired yet">What fires is kept here, with how long it lasted and how bad it was.</Empty>
    );
  return (
    <Empty title="Nothing of this kind fired">
      <button
        type="button"
        onClick={() => change({ severity: undefined, host: undefined, rule: undefined, page: undefined })}
      >
        Show all alerts
      </button>
    </Empty>
  );
}

/** The time that the address names; history is shown as a whole when it names none. */
function usePeriod() {
  const { from, to } = useSearch({ strict: false });
  const { show } = useRange();
  const { zone } = usePreferences();
  if (from === undefined && to === undefined) return { show, label: undefined, range: undefined };
  const range = rangeOf({ from, to }, liveStream.now());
  // A range that moves keeps its place for a minute: the query would be another one each time.
  const at = Math.floor(range.from / 60_000) * 60_000;
  const end = range.live ? undefined : Math.ceil(range.to);
  return { show, label: rangeLabel({ from, to }, liveStream.now(), zone), range: { from: at, to: end } };
}

/** What fired, newest first. */
export function History({
  search,
  change,
  host,
}: {
  search: AlertsSearch;
  change: ChangeAlerts;
  host?: string;
}): ReactNode {
  const { page = 1, severity, rule, open } = search;
  const period = usePeriod();
  const { from, to } = period.range ?? {};
  const { data, error, refetch } = useHistory({
    host: host ?? search.host,
    rule,
    severity,
    from,
    to,
    page,
    ...(host === undefined ? {} : { state: 'resolved' as const }),
  });
  const { data: rules } = useRules(rule !== undefined);
  const columns = useMemo(() => (host === undefined ? COLUMNS : COLUMNS.filter(({ id }) => id !== 'host')), [host]);
  const opened = data?.items.find(({ id }) => id === open);
  return (
    <>
      {error !== null && data === undefined ? (
        <Fault error={error} what="the history" again={() => void refetch()} />
      ) : (
        <Table
          name="alerts.history"
          label="Alerts that fired"
          rows={data?.items ?? NONE}
          columns={columns}
          keyOf={keyOf}
          opened={open}
          open={({ id }) => change({ open: id })}
          empty={
            data === undefined ? (
              <Skeleton height={320} />
            ) : (
              <Never search={search} change={change} ranged={period.range !== undefined} />
            )
          }
        >
          <NarrowBar search={search} change={change} oneHost={host !== undefined}>
            {rule !== undefined && (
              <button
                type="button"
                className="alert-chip"
                aria-pressed="true"
                onClick={() => change({ rule: undefined })}
              >
                {rules?.items.find(({ id }) => id === rule)?.name ?? 'One rule'} ✕
              </button>
            )}
            {period.label !== undefined && (
              <button
                type="button"
                className="alert-chip"
                aria-pressed="true"
                title="Show all times"
                onClick={() => period.show({})}
              >
                {period.label} ✕
              </button>
            )}
          </NarrowBar>
        </Table>
      )}
      <Pages page={page} size={PAGE} total={data?.total ?? 0} go={(to) => change({ page: to })} />
      {opened !== undefined && (
        <Dialog title={opened.title} close={() => change({ open: undefined })}>
          <p className="quiet">{opened.text}</p>
          <FiringDetail firing={opened} />
        </Dialog>
      )}
    </>
  );
}
