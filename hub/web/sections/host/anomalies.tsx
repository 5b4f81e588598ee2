import { Link, useLocation } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { metricInfo } from '#proto/metrics.ts';
import { useNow } from '../../live/use-live.ts';
import { Empty, Fault, Skeleton } from '../../shell/states.tsx';
import { drawnUnit } from '../../units/quantity.ts';
import { useMay } from '../alerts/use-may.ts';
import { When } from '../settings/when.tsx';
import { causeWords, EVENT_NAMES, eventLength, seriesWords } from './anomaly-words.ts';
import { useAnomalies, useAnomaly, useFeedback, type AnomalyReply } from './queries.ts';
import './anomalies.css';

/** So long before a kind of lines was strange its lines are shown from. */
const HOUR_MS = 3_600_000;

const VERDICTS = [
  ['useful', 'Useful', 'It was right to tell; the host speaks a little sooner'],
  ['noise', 'Noise', 'Nothing was the matter; the host speaks later'],
  ['expected', 'Expected', 'It was so, and on purpose; the host speaks a little later'],
] as const;

function Feedback({ event }: { event: AnomalyReply }): ReactNode {
  const may = useMay('editor');
  const { mutate, isPending } = useFeedback(event.resource);
  const { mine } = event.feedback;
  const tell = (verdict: typeof mine | undefined): void => {
    if (!isPending) mutate({ id: event.id, verdict: verdict ?? undefined, before: mine });
  };
  return (
    <div className="row anomaly-feedback" role="group" aria-label="What was it worth?">
      {VERDICTS.map(([verdict, name, title]) => (
        <button
          key={verdict}
          type="button"
          aria-pressed={mine === verdict}
          // A button that goes out while it is pressed would lose the focus.
          disabled={may.disabled}
          title={may.title ?? title}
          onClick={() => tell(mine === verdict ? undefined : verdict)}
        >
          {mine === verdict ? `✓ ${name}` : name}
        </button>
      ))}
    </div>
  );
}

/** The unit of a cause: a counter is judged by its rate, but for lines that the hub counted. */
function unitOf({ metric, channel }: AnomalyReply['causes'][number]): string {
  const info = metricInfo(metric);
  if (info === undefined) return '';
  return channel === 'count' ? info.unit : drawnUnit(info.unit, info.kind);
}

function Causes({ event }: { event: AnomalyReply }): ReactNode {
  return (
    <ol className="anomaly-causes">
      {event.causes.map((cause) => (
        <li key={seriesWords(cause)}>
          <span className="mono">{seriesWords(cause)}</span> {causeWords(cause, unitOf(cause))}
        </li>
      ))}
    </ol>
  );
}

/** Where the lines are that an event of a kind of lines is about. */
function Lines({ event }: { event: AnomalyReply }): ReactNode {
  const source = event.causes[0]?.attributes['outrider.log.source'];
  return (
    <p>
      {source !== undefined && <span className="mono">{source} </span>}
      <Link
        to="/logs"
        search={{ host: [event.resource], template: event.templates, from: String(event.startMs - HOUR_MS), to: 'now' }}
      >
        Show its lines
      </Link>
    </p>
  );
}

/** Brings what the address names into view, and the keyboard with it. */
function show(place: HTMLElement | null): void {
  place?.scrollIntoView({ block: 'center' });
  place?.focus({ preventScroll: true });
}

function Event({ event, named }: { event: AnomalyReply; named: string }): ReactNode {
  const now = useNow();
  const isOpen = event.endMs === null;
  return (
    <li
      className="anomaly"
      id={`anomaly-${event.id}`}
      data-open={isOpen}
      data-named={event.id === named}
      tabIndex={-1}
      ref={event.id === named ? show : undefined}
    >
      <div className="row anomaly-head">
        <strong>{EVENT_NAMES[event.kind]}</strong>
        <span>
          <When ms={event.startMs} />, {eventLength(event, now)}
        </span>
        <span className={isOpen ? 'warning' : 'quiet'}>{isOpen ? '● open' : 'over'}</span>
        <span className="quiet" title={`${event.surprise.toFixed(1)} nats at the peak; strange from 0.50 on`}>
          score {event.score.toFixed(2)}
        </span>
      </div>
      {event.contexts.length > 0 && (
        <p>
          Meanwhile: {event.contexts.map(({ kind, name }) => (kind === 'reboot' ? name : `${kind} ${name}`)).join(', ')}
        </p>
      )}
      {(event.kind === 'host' || event.kind === 'log-sequence') && <Causes event={event} />}
      {event.kind !== 'host' && <Lines event={event} />}
      {event.kind === 'host' && event.model !== '' && (
        <p className="quiet small anomaly-model">
          Judged by{' '}
          {event.model.startsWith('own-') ? (
            <>
              <span className="mono">{event.model}</span>, which the agent has learnt itself
            </>
          ) : (
            <Link
              to="/hosts/$id"
              params={{ id: event.resource }}
              search={(old) => ({ ...old, tab: 'models' as const, version: event.model })}
              className="mono"
            >
              {event.model}
            </Link>
          )}
        </p>
      )}
      <Feedback event={event} />
    </li>
  );
}

/** When the host was unlike its past, and why. */
export function HostAnomalies({ id }: { id: string }): ReactNode {
  const { data, error, refetch } = useAnomalies(id);
  const named = useLocation().hash.replace('anomaly-', '');
  const isListed = named === '' || data?.items.some((event) => event.id === named);
  const older = useAnomaly(id, isListed === false ? named : undefined).data;
  if (error !== null && data === undefined)
    return <Fault error={error} what="the anomalies" again={() => void refetch()} />;
  if (data === undefined) return <Skeleton height={300} />;
  if (data.items.length === 0)
    return (
      <Empty title="Nothing was strange here">
        <p>
          The agent judges each series by its own past. It begins half an hour after its first start, and knows what
          comes every night after two nights.
        </p>
      </Empty>
    );
  return (
    <section>
      <h2>Anomalies</h2>
      <p className="quiet small">
        {data.total > data.items.length ? `The newest ${data.items.length} of ${data.total}. ` : ''}Causes are ranked,
        the strangest first.
      </p>
      <ol className="anomalies">
        {data.items.map((event) => (
          <Event key={event.id} event={event} named={named} />
        ))}
        {older?.resource === id && <Event key={older.id} event={older} named={named} />}
      </ol>
    </section>
  );
}
