import type { ReactNode } from 'react';
import { useNow } from '../../live/use-live.ts';
import { usePreferences } from '../../shell/preferences.ts';
import { ago, exactTime, length } from '../../time/wording.ts';

/** How long ago it was, with the exact time on hover. */
export function Ago({ ms }: { ms: number }): ReactNode {
  const { zone } = usePreferences();
  const now = useNow();
  return (
    <time dateTime={new Date(ms).toISOString()} title={exactTime(ms, zone)}>
      {ago(ms, now)}
    </time>
  );
}

/** How long it is until then, with the exact time on hover. */
export function Until({ ms }: { ms: number }): ReactNode {
  const { zone } = usePreferences();
  const now = useNow();
  return (
    <time dateTime={new Date(ms).toISOString()} title={exactTime(ms, zone)}>
      {ms <= now ? 'now' : `in ${length(ms - now)}`}
    </time>
  );
}
