import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Active, useSilentUntil } from './active.tsx';
import { Channels } from './channels.tsx';
import { History } from './history.tsx';
import { Messages } from './messages.tsx';
import { NarrowBar } from './narrow-bar.tsx';
import { useActive } from './queries.ts';
import { Rules } from './rules.tsx';
import { ALERT_TABS, type AlertTab } from './search.ts';
import { Silences } from './silences.tsx';
import { useAlertsSearch } from './use-alerts-search.ts';
import { verdictOf } from './words.ts';
import './alerts.css';

const NAMES: Readonly<Record<AlertTab, string>> = {
  active: 'Active',
  history: 'History',
  rules: 'Rules',
  silences: 'Silences',
  channels: 'Channels',
  messages: 'Messages',
};

function Part({ tab }: { tab: AlertTab }): ReactNode {
  const given = useAlertsSearch();
  switch (tab) {
    case 'active':
      return (
        <>
          <NarrowBar {...given} oneHost={false} />
          <Active {...given} />
        </>
      );
    case 'history':
      return <History {...given} />;
    case 'rules':
      return <Rules {...given} />;
    case 'silences':
      return <Silences {...given} />;
    case 'channels':
      return <Channels {...given} />;
    case 'messages':
      return <Messages {...given} />;
  }
}

/** What needs me? */
export function Alerts(): ReactNode {
  const { search } = useAlertsSearch();
  const { tab = 'active' } = search;
  const { data } = useActive({});
  const silentUntil = useSilentUntil();
  const firings = data?.items.map((one) => ({ ...one, silenced: silentUntil(one) !== undefined }));
  const bad = data?.items.some(({ severity }) => severity === 'critical');
  return (
    <>
      <header className="heading">
        <h1>What needs me?</h1>
        <p className={`verdict ${bad === true ? 'critical' : firings?.length === 0 ? 'good' : ''}`}>
          {firings === undefined ? '\u00a0' : verdictOf(firings)}
        </p>
      </header>
      <nav className="tabs" aria-label="Parts of the alerts">
        {ALERT_TABS.map((one) => (
          <Link
            key={one}
            to="/alerts"
            search={({ from, to }) => ({ from, to, tab: one === 'active' ? undefined : one })}
            activeOptions={{ exact: true }}
            aria-current={tab === one ? 'page' : undefined}
          >
            {NAMES[one]}
            {one === 'active' && data !== undefined && data.total > 0 ? ` ${data.total}` : ''}
          </Link>
        ))}
      </nav>
      <Part key={tab} tab={tab} />
    </>
  );
}
