import type { ReactNode } from 'react';
import { useNow } from '../../live/use-live.ts';
import { usePreferences } from '../../shell/preferences.ts';
import { ago, exactTime, length } from '../../time/wording.ts';

/** A time as people say it, the exact one on hover. `ahead` lies in the future. */
export function When({
  ms,
  never = 'never',
  ahead = false,
}: {
  ms: number | null;
  never?: string;
  ahead?: boolean;
}): ReactNode {
  const now = useNow();
  const { zone } = usePreferences();
  if (ms === null) return <span className="quiet">{never}</span>;
  const words = !ahead ? ago(ms, now) : ms <= now ? 'ended' : `in ${length(ms - now)}`;
  return (
    <time dateTime={new Date(ms).toISOString()} title={exactTime(ms, zone)}>
      {words}
    </time>
  );
}
