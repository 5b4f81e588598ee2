import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Empty, Fault, Skeleton } from '../../shell/states.tsx';
import { say } from '../../shell/toasts.tsx';
import { Pages } from '../../table/pages.tsx';
import { Table, type Column } from '../../table/table.tsx';
import { channelCalls, useChannels, useDeliveries, type Delivery } from './channel-queries.ts';
import { Ago, Until } from './moment.tsx';
import { PAGE, useChange } from './queries.ts';
import { STATUSES, type AlertsSearch } from './search.ts';
import type { ChangeAlerts } from './use-alerts-search.ts';
import { useMay } from './use-may.ts';

const SIGNS: Readonly<Record<Delivery['status'], readonly [sign: string, look: string]>> = {
  queued: ['…', 'quiet'],
  sending: ['→', 'quiet'],
  sent: ['✓', 'good'],
  failed: ['✕', 'critical'],
  skipped: ['–', 'quiet'],
};
const NEWS: Readonly<Record<Delivery['state'], string>> = { firing: 'Fired', resolved: 'Over', test: 'Test' };

function TryAgain({ delivery }: { delivery: Delivery }): ReactNode {
  const { run } = useChange();
  const may = useMay('editor');
  if (delivery.status !== 'failed' || delivery.state === 'test' || delivery.channel === null) return null;
  return (
    <button
      type="button"
      className="link small"
      {...may}
      onClick={() =>
        run(
          () => channelCalls.retry(delivery.id),
          () => say('It is tried again'),
        )
      }
    >
      Try again
    </button>
  );
}

function What({ delivery }: { delivery: Delivery }): ReactNode {
  const { state, title, reason, nextMs, firing } = delivery;
  return (
    <>
      <span className="alert-clip">
        <span className="quiet">{NEWS[state]}</span>{' '}
        {state === 'test' ? (
          title
        ) : (
          <Link to="/alerts" search={{ tab: state === 'firing' ? 'active' : 'history', open: firing }}>
            {title}
          </Link>
        )}
      </span>
      <div className="alert-why small">
        {reason !== '' && <span className="quiet">{reason}</span>}
        {nextMs !== null && (
          <span className="quiet">
            Next try <Until ms={nextMs} />
          </span>
        )}
        <TryAgain delivery={delivery} />
      </div>
    </>
  );
}

const COLUMNS: readonly Column<Delivery>[] = [
  { id: 'when', name: 'When', width: 'var(--moment)', cell: ({ createdMs }) => <Ago ms={createdMs} /> },
  {
    id: 'status',
    name: 'State',
    width: '88px',
    cell: ({ status }) => (
      <span className={SIGNS[status][1]}>
        <span aria-hidden="true">{SIGNS[status][0]}</span> {status}
      </span>
    ),
  },
  { id: 'what', name: 'What', width: 'minmax(160px, 3fr)', cell: (delivery) => <What delivery={delivery} /> },
  {
    id: 'channel',
    name: 'Channel',
    shown: 'wide',
    cell: ({ channelName }) => <span className="cut">{channelName}</span>,
  },
  { id: 'attempts', name: 'Tries', width: '56px', end: true, shown: 'wide', cell: ({ attempts }) => attempts },
  {
    id: 'host',
    name: 'Host',
    shown: 'choice',
    cell: ({ resourceName }) => <span className="cut">{resourceName}</span>,
  },
  { id: 'severity', name: 'How bad', shown: 'choice', cell: ({ severity }) => severity },
];
const keyOf = ({ id }: Delivery): string => id;

/** Who was told what, and what could not be sent and why. */
export function Messages({ search, change }: { search: AlertsSearch; change: ChangeAlerts }): ReactNode {
  const { status, channel, page = 1 } = search;
  const { data, error, refetch } = useDeliveries(search);
  const { data: channels } = useChannels();
  if (error !== null && data === undefined)
    return <Fault error={error} what="the messages" again={() => void refetch()} />;
  if (data === undefined) return <Skeleton height={320} />;
  const narrowed = status !== undefined || channel !== undefined;
  return (
    <>
      <Table
        name="alerts.messages"
        label="Messages"
        rows={data.items}
        columns={COLUMNS}
        keyOf={keyOf}
        rowHeight={52}
        empty={
          <Empty title={narrowed ? 'No such message' : 'No message was sent yet'}>
            {narrowed ? (
              <button type="button" onClick={() => change({ status: undefined, channel: undefined })}>
                Show all messages
              </button>
            ) : (
              'When an alert fires or is over, what each channel was told is kept here.'
            )}
          </Empty>
        }
      >
        {STATUSES.map((one) => (
          <button
            key={one}
            type="button"
            className="alert-chip"
            aria-pressed={status === one}
            onClick={() => change({ status: status === one ? undefined : one, page: undefined })}
          >
            {one}
          </button>
        ))}
        <select
          aria-label="Channel"
          value={channel ?? ''}
          onChange={(event) =>
            change({ channel: event.target.value === '' ? undefined : event.target.value, page: undefined })
          }
        >
          <option value="">All channels</option>
          {channels?.items.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </Table>
      <Pages page={page} size={PAGE} total={data.total} go={(to) => change({ page: to })} />
    </>
  );
}
