import type { ReactNode } from 'react';
import { Active } from './active.tsx';
import { History } from './history.tsx';
import { useAlertsSearch } from './use-alerts-search.ts';
import './alerts.css';

/** What fires and fired on one host, for its page. */
export function HostAlerts({ host }: { host: string }): ReactNode {
  const given = useAlertsSearch();
  return (
    <div className="stack">
      <section aria-label="Fires now">
        <Active {...given} host={host} />
      </section>
      <section aria-label="Fired before">
        <h2 className="alert-part">Fired before</h2>
        <History {...given} host={host} />
      </section>
    </div>
  );
}
