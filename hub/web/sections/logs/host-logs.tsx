import type { ReactNode } from 'react';

/** The lines of one host, for its page. */
export function HostLogs({ host }: { host: string }): ReactNode {
  return <section aria-label="Log lines" data-host={host} />;
}
