import { Link } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { Confirm } from '../../shell/dialog.tsx';
import { Empty, Fault, Skeleton } from '../../shell/states.tsx';
import { say } from '../../shell/toasts.tsx';
import { ChannelDialog } from './channel-dialog.tsx';
import { channelCalls, useChannels, useKinds, type Channel, type Kind } from './channel-queries.ts';
import { Ago } from './moment.tsx';
import { useChange } from './queries.ts';
import type { AlertsSearch } from './search.ts';
import type { ChangeAlerts } from './use-alerts-search.ts';
import { useMay } from './use-may.ts';

function Health({ channel }: { channel: Channel }): ReactNode {
  const { lastSentMs, lastFailedMs, waiting, enabled } = channel;
  if (!enabled) return <span className="quiet">Switched off: it is told nothing but tests</span>;
  const failing = lastFailedMs !== null && lastFailedMs > (lastSentMs ?? 0);
  return (
    <span className={failing ? 'critical' : 'quiet'}>
      {failing ? (
        <>
          ✕ Failed <Ago ms={lastFailedMs} />
        </>
      ) : lastSentMs === null ? (
        'Nothing was sent yet'
      ) : (
        <>
          ✓ Sent <Ago ms={lastSentMs} />
        </>
      )}
      {waiting > 0 && `, ${waiting} waiting`}
    </span>
  );
}

/** What came of a test. */
interface Said {
  failed: boolean;
  words: string;
}

function SendTest({ channel, setSaid }: { channel: Channel; setSaid(said: Said | undefined): void }): ReactNode {
  const { run, busy } = useChange();
  const may = useMay('admin');
  const send = (): void => {
    setSaid(undefined);
    run(
      () => channelCalls.test(channel.id),
      ({ detail }) => setSaid({ failed: false, words: detail }),
      (error) => setSaid({ failed: true, words: error instanceof Error ? error.message : String(error) }),
    );
  };
  return (
    <button type="button" disabled={may.disabled || busy} title={may.title} onClick={send}>
      {busy ? 'Sending a test …' : 'Send a test'}
    </button>
  );
}

const whereTo = ({ settings }: Channel): string =>
  settings === undefined
    ? ''
    : ([settings['to'], settings['url'], settings['host']].flatMap((one) =>
        one === undefined ? [] : String(one),
      )[0] ?? '');

function ChannelRow({ channel, change }: { channel: Channel; change: ChangeAlerts }): ReactNode {
  const { run } = useChange();
  const may = useMay('admin');
  const [asking, ask] = useState(false);
  const [said, setSaid] = useState<Said>();
  const { id, name, kind, minSeverity, enabled, settings } = channel;
  const turn = (on: boolean, undo: boolean): void =>
    run(
      () => channelCalls.change(id, { name, settings: settings ?? {}, minSeverity, enabled: on }),
      () => say(`“${name}” is ${on ? 'on' : 'off'}`, undo ? () => turn(!on, false) : undefined),
    );
  return (
    <li className="alert-row">
      <div className="alert-line">
        <input
          type="checkbox"
          role="switch"
          className="alert-switch"
          aria-label={`${name} is told`}
          checked={enabled}
          {...may}
          onChange={() => turn(!enabled, true)}
        />
        <div className="alert-what">
          <h2>{name}</h2>
          <p className="quiet small cut">
            {kind} {whereTo(channel)}
            {minSeverity === 'info' ? '' : `, ${minSeverity === 'warning' ? 'warning and critical' : 'critical only'}`}
          </p>
          <p className="small row">
            <Health channel={channel} />
            <Link to="/alerts" search={{ tab: 'messages', channel: id }}>
              Messages
            </Link>
          </p>
        </div>
        <div className="alert-actions">
          <SendTest channel={channel} setSaid={setSaid} />
          <button type="button" {...may} onClick={() => change({ open: id })}>
            Edit
          </button>
          <button type="button" className="danger" {...may} onClick={() => ask(true)}>
            Delete …
          </button>
        </div>
        {said !== undefined && (
          <p
            className={`alert-test small ${said.failed ? 'critical' : 'good'}`}
            role={said.failed ? 'alert' : 'status'}
          >
            {said.failed ? '✕' : '✓'} {said.words}
          </p>
        )}
      </div>
      {asking && (
        <Confirm
          title={`Delete “${name}”?`}
          verb="Delete the channel"
          close={() => ask(false)}
          act={() =>
            run(
              () => channelCalls.remove(id),
              () => say(`“${name}” is deleted`),
            )
          }
        >
          <p>
            Its settings and secrets are gone for good, and what waits for it is not sent. Rules that name it tell
            nobody through it.
          </p>
        </Confirm>
      )}
    </li>
  );
}

function Add({ kinds, change, first }: { kinds: readonly Kind[]; change: ChangeAlerts; first: boolean }): ReactNode {
  const may = useMay('admin');
  return kinds.map(({ name }, index) => (
    <button
      key={name}
      type="button"
      className={first && index === 0 ? 'primary' : ''}
      {...may}
      onClick={() => change({ open: `new-${name}` })}
    >
      Add {name}
    </button>
  ));
}

/** Ways to tell people. */
export function Channels({ search, change }: { search: AlertsSearch; change: ChangeAlerts }): ReactNode {
  const { data, error, refetch } = useChannels();
  const { data: known } = useKinds();
  const may = useMay('admin');
  if (error !== null && data === undefined)
    return <Fault error={error} what="the channels" again={() => void refetch()} />;
  if (data === undefined || known === undefined) return <Skeleton height={200} />;
  const kinds = known.items;
  const open = data.items.find(({ id }) => id === search.open);
  const kind = kinds.find(({ name }) => name === open?.kind || `new-${name}` === search.open);
  return (
    <>
      {data.items.length === 0 ? (
        <Empty title="Nobody is told yet">
          <p>Alerts are shown here, and nowhere else. Add a channel, and people hear of them wherever they are.</p>
          <div className="row">
            <Add kinds={kinds} change={change} first />
          </div>
          {may.disabled && <p className="quiet small">{may.title}.</p>}
        </Empty>
      ) : (
        <>
          <div className="row alert-narrow">
            <span className="end row">
              <Add kinds={kinds} change={change} first={false} />
            </span>
          </div>
          <ul className="alert-list" aria-label="Channels">
            {data.items.map((channel) => (
              <ChannelRow key={channel.id} channel={channel} change={change} />
            ))}
          </ul>
        </>
      )}
      {kind !== undefined && !may.disabled && (
        <ChannelDialog key={search.open} kind={kind} channel={open} close={() => change({ open: undefined })} />
      )}
    </>
  );
}
