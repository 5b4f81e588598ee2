import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useNow } from '../../live/use-live.ts';
import { useRange } from '../../time/use-range.ts';
import type { AnomalyReply } from './queries.ts';
import { barsOf } from './unusual.ts';
import './timeline.css';

/** When the host was unlike its past, over the time that the charts show; each event leads to its causes. */
export function Timeline({ id, events }: { id: string; events: readonly AnomalyReply[] | undefined }): ReactNode {
  useNow(); // What is live moves on.
  const range = useRange().range();
  const bars = barsOf(events ?? [], range);
  return (
    <div className="timeline" role="group" aria-label="Anomalies in this time">
      <span className="quiet small">Anomalies</span>
      <div className="timeline-strip">
        {bars.map(({ id: event, left, width, words, isOpen }) => (
          <Link
            key={event}
            to="/hosts/$id"
            params={{ id }}
            search={(old) => ({ ...old, tab: 'anomalies' as const })}
            hash={`anomaly-${event}`}
            className="timeline-bar"
            data-open={isOpen}
            style={{ left: `${left * 100}%`, width: `${width * 100}%` }}
            aria-label={words}
            title={words}
          />
        ))}
        {events !== undefined && bars.length === 0 && (
          <span className="quiet small timeline-none">none in this time</span>
        )}
      </div>
    </div>
  );
}
