import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { useRange } from '../../time/use-range.ts';
import { createLineFeed, type FeedState, type LineFeed } from './line-feed.ts';
import { searchLines, tailLines, type LineFilter } from './queries.ts';

/** The lines of a filter in the page's range, and what can be done with them. */
export function useLines(filter: LineFilter): { feed: LineFeed; state: FeedState; key: string } {
  const { text, range } = useRange();
  const key = JSON.stringify([filter, text]);
  const feed = useMemo(
    () =>
      createLineFeed({
        range: range(),
        search: (page) => searchLines(filter, page),
        tail: (listener) => tailLines(filter, listener),
      }),
    // The key holds all that the filter and the range say; their objects are new at every render.
    [key],
  );
  useEffect(() => {
    feed.start();
    return () => feed.stop();
  }, [feed]);
  return { feed, state: useSyncExternalStore(feed.subscribe, feed.state), key };
}
