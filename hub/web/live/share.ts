import type { EventConnection, EventHandlers, StreamState } from '../api/events.ts';
import { pathOf, type LiveWish } from './wish.ts';

/** What a page tells the one who shares: what it wants while it is seen, or nothing any more. */
export type PageWords = { wishes: readonly LiveWish[] } | { gone: true };

/** What every page hears. */
export type SharedWords = { event: string; data: unknown } | { state: StreamState } | { resumed: true };

/** One page, as the one who shares sees it. */
export interface SharingPage {
  tell(words: SharedWords): void;
}

/** How a stream is opened; a test gives its own. */
export type Open = (path: string, handlers: EventHandlers) => EventConnection;

/**
 * One stream for all pages of a browser. A browser opens at most six connections to a plain HTTP server, and a stream holds one for good.
 * When the wishes change, the new stream is opened before the old one is closed.
 */
export function createShare(open: Open, events: readonly string[]) {
  const pages = new Map<SharingPage, readonly LiveWish[]>();
  /** Oldest first; all but the last are closed as soon as a later one lives. */
  let connections: EventConnection[] = [];

  const tellAll = (words: SharedWords): void => pages.forEach((_wishes, page) => page.tell(words));
  const keepFrom = (own: EventConnection | undefined): void => {
    const at = own === undefined ? connections.length : connections.indexOf(own);
    for (const old of connections.slice(0, at)) old.close();
    connections = connections.slice(at);
  };
  const connect = (): void => {
    if (pages.size === 0) return keepFrom(undefined);
    const own: EventConnection = open(pathOf([...pages.values()].flat()), {
      on: Object.fromEntries(events.map((event) => [event, (data: never) => tellAll({ event, data })])),
      state(state) {
        if (state === 'connecting' && connections.length > 0) return; // An older one still brings what was wanted until now.
        if (state === 'live') keepFrom(own);
        tellAll({ state });
      },
      resumed: () => tellAll({ resumed: true }),
    });
    connections.push(own);
  };
  return {
    /** Takes what a page says. */
    hear(page: SharingPage, words: PageWords): void {
      if ('gone' in words) {
        if (!pages.delete(page)) return;
      } else pages.set(page, words.wishes);
      connect();
    },
  };
}
