import type { ReactNode } from 'react';
import { LogView } from './log-view.tsx';

/** The lines of one host, for its page. */
export function HostLogs({ host }: { host: string }): ReactNode {
  return <LogView host={host} />;
}
