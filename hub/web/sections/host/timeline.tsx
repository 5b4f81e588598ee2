import { Link } from '@tanstack/react-router';
import { useRef, useState, type CSSProperties, type KeyboardEvent, type ReactNode } from 'react';
import { AXIS_END, AXIS_WIDTH } from '../../chart/plot.ts';
import { useNow } from '../../live/use-live.ts';
import { useRange } from '../../time/use-range.ts';
import type { AnomalyReply } from './queries.ts';
import { barsOf, type Bar } from './unusual.ts';
import './timeline.css';

/** The strip begins and ends where the plots below it do. */
const EDGES = { '--begin': `${AXIS_WIDTH}px`, '--end': `${AXIS_END}px` } as CSSProperties;

/** Where a key leads from a bar of the strip; undefined for other keys. */
function ledTo(key: string, at: number, count: number): number | undefined {
  if (key === 'ArrowRight') return Math.min(count - 1, at + 1);
  if (key === 'ArrowLeft') return Math.max(0, at - 1);
  if (key === 'Home') return 0;
  return key === 'End' ? count - 1 : undefined;
}

/** One stop of the Tab key for the whole strip; arrows move along it. */
function useStop(bars: readonly Bar[]) {
  const [stop, setStop] = useState<string>();
  const places = useRef(new Map<string, HTMLAnchorElement>());
  const at = Math.max(0, bars.findIndex(({ id }) => id === stop)); // prettier-ignore
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = ledTo(event.key, at, bars.length);
    const bar = next === undefined ? undefined : bars[next];
    if (bar === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    setStop(bar.id);
    places.current.get(bar.id)?.focus();
  };
  const propsOf = (id: string) => ({
    tabIndex: id === bars[at]?.id ? 0 : -1,
    onFocus: () => setStop(id),
    ref: (place: HTMLAnchorElement | null) => {
      if (place === null) places.current.delete(id);
      else places.current.set(id, place);
    },
  });
  return { onKeyDown, propsOf };
}

/** What there is to say beside the bars. */
function remark({ events, total, isOld, failed }: TimelineGiven, bars: number): string | undefined {
  if (failed && events === undefined) return 'could not be loaded';
  if (events === undefined || isOld) return undefined;
  if (bars === 0) return 'none in this time';
  return total > events.length ? `the newest ${events.length} of ${total}` : undefined;
}

interface TimelineGiven {
  id: string;
  events: readonly AnomalyReply[] | undefined;
  /** Events in this time, also those that are not listed. */
  total: number;
  /** They are of the time that was shown before. */
  isOld: boolean;
  failed: boolean;
}

/** When the host was unlike its past, over the time that the charts show; each event leads to its causes. */
export function Timeline(given: TimelineGiven): ReactNode {
  const { id, events } = given;
  useNow(); // What is live moves on.
  const range = useRange().range();
  const bars = barsOf(events ?? [], range);
  const { onKeyDown, propsOf } = useStop(bars);
  const said = remark(given, bars.length);
  return (
    <div className="timeline" role="group" aria-label="Anomalies in this time" style={EDGES}>
      <span className="quiet small timeline-name">Unusual</span>
      <div className="timeline-strip" onKeyDown={onKeyDown}>
        {bars.map(({ id: event, left, width, words, isOpen }) => (
          <Link
            key={event}
            to="/hosts/$id"
            params={{ id }}
            search={(old) => ({ ...old, tab: 'anomalies' as const })}
            hash={`anomaly-${event}`}
            className="timeline-bar"
            data-open={isOpen}
            style={{ '--left': left, '--width': width } as CSSProperties}
            aria-label={words}
            title={words}
            {...propsOf(event)}
          />
        ))}
        {said !== undefined && <span className="quiet small timeline-none">{said}</span>}
      </div>
    </div>
  );
}
