import type { ReactNode } from 'react';

/** What fires and fired on one host, for its page. */
export function HostAlerts({ host }: { host: string }): ReactNode {
  return <section aria-label="Alerts" data-host={host} />;
}
