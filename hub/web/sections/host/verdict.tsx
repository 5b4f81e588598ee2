import type { ReactNode } from 'react';
import { useNow } from '../../live/use-live.ts';
import { usePreferences } from '../../shell/preferences.ts';
import { ago, exactTime } from '../../time/wording.ts';
import { StateWord, type HostState } from '../overview/state-word.tsx';
import { useNewestMs, type HostLive } from './host-live.ts';

/** A host that said nothing for this long is silent, milliseconds; as the hub has it. */
const SILENT_MS = 60_000;

/** How the host is, in one sentence. Silence is noticed here and now, not when the hub is next asked. */
export function HostVerdict({
  live,
  verdict,
  lastSeenMs = 0,
}: {
  live: HostLive;
  verdict: { state: HostState; verdict: string } | undefined;
  lastSeenMs: number | undefined;
}): ReactNode {
  const now = useNow();
  const { zone } = usePreferences();
  const seen = Math.max(useNewestMs(live), lastSeenMs);
  if (verdict === undefined) return null;
  const silent = seen > 0 && now - seen > SILENT_MS;
  if (silent) {
    return (
      <p className="verdict" title={exactTime(seen, zone)}>
        <StateWord state="silent" /> Nothing since {exactTime(seen, zone)}, {ago(seen, now)}. The charts keep what there
        was.
      </p>
    );
  }
  return (
    <p className="verdict">
      <StateWord state={verdict.state === 'silent' ? 'healthy' : verdict.state} />{' '}
      {verdict.state === 'silent' ? 'It is back.' : verdict.state === 'healthy' ? 'Nothing is wrong.' : verdict.verdict}
    </p>
  );
}
