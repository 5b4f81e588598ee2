import { connectEvents, whileSeen, type EventConnection, type EventHandlers } from '../api/events.ts';
import { refresh } from '../api/session.ts';
import type { PageWords, SharedWords } from './share.ts';
import { pathOf, type LiveWish } from './wish.ts';

/** Where live events come from. */
export interface LiveSource {
  /** What this page wants from now on, when it is something else than before. */
  ask(wishes: readonly LiveWish[]): void;
  close(): void;
}

/** A stream of this page alone, for browsers without shared workers. */
function ownSource(handlers: EventHandlers): LiveSource {
  let connection: EventConnection | undefined;
  return {
    ask(wishes) {
      connection?.close();
      connection = connectEvents(pathOf(wishes), handlers);
    },
    close: () => connection?.close(),
  };
}

/** The stream that all pages of this browser share. A hidden page wants nothing. */
function sharedSource(handlers: EventHandlers): LiveSource {
  const worker = new SharedWorker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'outrider' });
  const { port } = worker;
  const say = (words: PageWords): void => port.postMessage(words);
  let wishes: readonly LiveWish[] | undefined;
  let missed = false;
  port.onmessage = ({ data }: MessageEvent<SharedWords>) => {
    if ('event' in data) return handlers.on[data.event]?.(data.data as never);
    if ('resumed' in data) return handlers.resumed();
    handlers.state(data.state);
    // Without a session the next try would fail for ever; then the page shows the way in.
    if (data.state === 'broken') void refresh().catch(() => undefined);
    if (data.state === 'live' && missed) handlers.resumed();
    if (data.state === 'live') missed = false;
  };
  const leave = (): void => say({ gone: true });
  const endSeen = whileSeen(
    () => wishes !== undefined && say({ wishes }),
    () => {
      missed = true;
      leave();
      handlers.state('paused');
    },
  );
  // A closed tab says nothing by itself.
  addEventListener('pagehide', leave);
  return {
    ask(next) {
      wishes = next;
      if (!document.hidden) say({ wishes: next });
    },
    close() {
      endSeen();
      removeEventListener('pagehide', leave);
      leave();
      port.close();
    },
  };
}

/** Opens the way by which live events come to this page. */
export const openSource = (on: EventHandlers['on'], rest: Omit<EventHandlers, 'on'>): LiveSource =>
  'SharedWorker' in globalThis ? sharedSource({ on, ...rest }) : ownSource({ on, ...rest });
