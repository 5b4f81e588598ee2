import type { ReactNode } from 'react';
import { useNow } from '../../live/use-live.ts';
import { ago } from '../../time/wording.ts';
import { count } from '../../units/quantity.ts';
import type { FeedState } from './line-feed.ts';

function streamWords({ stream, following, lines }: FeedState, now: number): string {
  const newest = lines.at(-1)?.timeMs;
  if (stream === undefined) return 'A fixed range';
  if (stream === 'connecting') return 'Connecting';
  if (stream === 'broken') return `Reconnecting${newest === undefined ? '' : `, newest line ${ago(newest, now)}`}`;
  return following ? 'Following new lines' : 'Paused while you read';
}

/** Says whether the list follows, and how much of everything is there. */
export function LineFoot({ state, follow }: { state: FeedState; follow(): void }): ReactNode {
  const now = useNow();
  const { stream, following, unseen, lines, total, complete, skipped } = state;
  const dot = stream === 'live' && following ? 'live' : stream === 'broken' ? 'broken' : '';
  return (
    <div className="log-foot small">
      {stream !== undefined && <span className={`live-dot ${dot}`} />}
      <span role="status">{streamWords(state, now)}</span>
      {skipped > 0 && (
        <span className="warning">{count(skipped)} lines came too fast to be shown here; a search has them</span>
      )}
      <span className="quiet end">
        {count(lines.length)} of {complete ? '' : 'at least '}
        {count(Math.max(total, lines.length))} {total === 1 ? 'line' : 'lines'} loaded
      </span>
      {!following && stream !== undefined && (
        <button type="button" className="primary log-resume" onClick={follow}>
          {unseen > 0 ? `${count(unseen)} new ${unseen === 1 ? 'line' : 'lines'} ↓` : 'Follow new lines ↓'}
        </button>
      )}
    </div>
  );
}
