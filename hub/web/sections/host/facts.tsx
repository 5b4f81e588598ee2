import type { ReactNode } from 'react';
import type { HostReply } from './queries.ts';
/** Facts. */
export function HostFacts({ host }: { host: HostReply }): ReactNode {
  return <p>{host.version}</p>;
}
