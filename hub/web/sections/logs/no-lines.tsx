import type { ReactNode } from 'react';
import { CopyButton, Empty } from '../../shell/states.tsx';

const SETTINGS = `logs:
  - include: ['/var/log/*.log', '/srv/*/log/*.log']
`;

/** Nothing to show: because nothing was written, or because the search leaves everything out. */
export function NoLines({
  narrowed,
  range,
  lastDay,
  showAll,
}: {
  narrowed: boolean;
  /** What the time button says. */
  range: string;
  /** Absent when a day or more is shown already. */
  lastDay: (() => void) | undefined;
  showAll(): void;
}): ReactNode {
  const look = lastDay !== undefined && (
    <button type="button" onClick={lastDay}>
      Look at the last day
    </button>
  );
  if (narrowed) {
    return (
      <Empty title="No line matches">
        <p>There may be others in this range that the search leaves out, or older ones that match.</p>
        <div className="row">
          <button type="button" onClick={showAll}>
            Show all lines
          </button>
          {look}
        </div>
      </Empty>
    );
  }
  return (
    <Empty
      title={
        range.startsWith('Last') ? `Nothing was written in the l${range.slice(1)}` : `Nothing was written: ${range}`
      }
    >
      {look}
      <p>
        Agents follow <code>/var/log/*.log</code>, <code>/var/log/syslog</code>, <code>/var/log/messages</code> and the
        log files of containers from the moment they start, and their own log. To follow other files, name them in{' '}
        <code>outrider-agent.yaml</code> on the host, in the agent’s data folder or in <code>/etc/outrider</code>, and
        start the agent again:
      </p>
      <div className="command">
        <pre className="grow">{SETTINGS}</pre>
        <CopyButton text={SETTINGS} />
      </div>
    </Empty>
  );
}
