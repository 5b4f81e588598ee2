import { useEffect, useState, type ReactNode } from 'react';
import { useFreshness, useNow } from '../live/use-live.ts';
import { length } from '../time/wording.ts';
import { useRange } from '../time/use-range.ts';

/** Newer than this counts as now, milliseconds. */
const FRESH_MS = 4000;

/** Says how old the newest point is, and leads back to now. */
export function LiveClock(): ReactNode {
  const { live, show } = useRange();
  const { state, newestMs } = useFreshness();
  const now = useNow();
  const [last, setLast] = useState(0);
  useEffect(() => {
    if (newestMs > 0) setLast(newestMs);
  }, [newestMs]);
  if (!live) {
    return (
      <span className="clock still">
        <button type="button" title="Follow what happens now" onClick={() => show({})}>
          Go live
        </button>
      </span>
    );
  }
  const age = last === 0 ? '' : length(Math.max(0, now - last));
  const old = last > 0 && now - last > FRESH_MS;
  const words =
    state === 'broken'
      ? `Reconnecting${age === '' ? '' : `, last data ${age} ago`}`
      : state === 'connecting'
        ? 'Connecting'
        : old
          ? `Live, newest ${age} ago`
          : 'Live';
  return (
    <span className="clock small" title={last === 0 ? undefined : `Newest point ${new Date(last).toISOString()}`}>
      <span className={`live-dot ${state === 'live' ? (old ? '' : 'live') : state}`} />
      <span data-testid="freshness" className="clock-words">
        {words}
      </span>
    </span>
  );
}
