import type { ReactNode } from 'react';
import { liveStream } from '../../live/stream.ts';
import { Empty, Fault, Skeleton } from '../../shell/states.tsx';
import { say } from '../../shell/toasts.tsx';
import { Table, type Column } from '../../table/table.tsx';
import { Until } from './moment.tsx';
import { alertCalls, useChange, useHosts, useRules, useSilences, type Silence } from './queries.ts';
import type { AlertsSearch } from './search.ts';
import { NewSilence } from './silence-dialog.tsx';
import type { ChangeAlerts } from './use-alerts-search.ts';
import { useMay } from './use-may.ts';

function End({ silence }: { silence: Silence }): ReactNode {
  const { run } = useChange();
  const may = useMay('editor');
  const { rule, resource, severity, fromMs, toMs, reason } = silence;
  const again = (): void =>
    run(
      () => alertCalls.silence({ rule, resource, severity, fromMs, toMs, reason }),
      () => say('The silence holds again'),
    );
  return (
    <button
      type="button"
      {...may}
      onClick={() =>
        run(
          () => alertCalls.endSilence(silence.id),
          () => say('The silence is over', again),
        )
      }
    >
      End it
    </button>
  );
}

type Names = ReadonlyMap<string, string>;

function columnsOf(rules: Names, hosts: Names): Column<Silence>[] {
  const what = ({ rule, resource, severity }: Silence): string =>
    [
      rule === null ? 'Every rule' : (rules.get(rule) ?? 'A removed rule'),
      resource === null ? 'on any host' : `on ${hosts.get(resource) ?? 'a removed host'}`,
      ...(severity === null ? [] : [`that is ${severity}`]),
    ].join(' ');
  return [
    {
      id: 'what',
      name: 'Nobody is told of',
      width: 'minmax(160px, 2fr)',
      cell: (one) => (
        <>
          <span className="alert-clip">{what(one)}</span>
          {one.reason !== '' && <span className="table-second quiet small">{one.reason}</span>}
        </>
      ),
    },
    {
      id: 'reason',
      name: 'Why',
      width: 'minmax(120px, 2fr)',
      shown: 'wide',
      cell: ({ reason }) => <span className="alert-clip">{reason}</span>,
    },
    {
      id: 'author',
      name: 'By',
      width: 'minmax(60px, 1fr)',
      shown: 'wide',
      cell: ({ author }) => <span className="cut">{author}</span>,
    },
    {
      id: 'from',
      name: 'Begins',
      width: 'var(--moment)',
      shown: 'wide',
      rank: ({ fromMs }) => fromMs,
      cell: ({ fromMs }) => (fromMs <= liveStream.now() ? 'holds now' : <Until ms={fromMs} />),
    },
    {
      id: 'to',
      name: 'Ends',
      width: 'var(--moment)',
      rank: ({ toMs }) => toMs,
      cell: ({ toMs }) => <Until ms={toMs} />,
    },
    { id: 'actions', name: 'Actions', unnamed: true, width: '76px', end: true, cell: (one) => <End silence={one} /> },
  ];
}

const keyOf = ({ id }: Silence): string => id;

/** Times in which nobody is told. */
export function Silences({ search, change }: { search: AlertsSearch; change: ChangeAlerts }): ReactNode {
  const { data, error, refetch } = useSilences();
  const { data: rules } = useRules();
  const { data: hosts } = useHosts();
  const may = useMay('editor');
  if (error !== null && data === undefined)
    return <Fault error={error} what="the silences" again={() => void refetch()} />;
  if (data === undefined) return <Skeleton height={200} />;
  const names = (list: readonly { id: string; name: string }[] | undefined): Names =>
    new Map(list?.map(({ id, name }) => [id, name]));
  return (
    <>
      <Table
        name="alerts.silences"
        label="Silences"
        rows={data.items}
        columns={columnsOf(names(rules?.items), names(hosts))}
        keyOf={keyOf}
        empty={
          <Empty title="Nothing is silenced">
            While work is planned, a silence keeps people from being told of what is expected.
          </Empty>
        }
      >
        <button type="button" className="primary end" {...may} onClick={() => change({ open: 'new' })}>
          New silence
        </button>
      </Table>
      {search.open === 'new' && <NewSilence close={() => change({ open: undefined })} />}
    </>
  );
}
