import { refresh } from './session.ts';

/** How a stream stands. */
export type StreamState = 'connecting' | 'live' | 'broken' | 'paused';

/** A stream of server-sent events that comes back by itself, and costs nothing while the tab is hidden. */
export interface EventConnection {
  close(): void;
}

/** What to do with what comes. */
export interface EventHandlers {
  /** By name of the event; data is what the hub wrote as JSON. */
  on: Readonly<Record<string, (data: never) => void>>;
  state(state: StreamState): void;
  /** After a gap: what was missed can be asked for. */
  resumed(): void;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** Connects with the session cookie. */
export function connectEvents(path: string, handlers: EventHandlers): EventConnection {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let closed = false;
  let had = false;
  let wait = FIRST_WAIT_MS;

  const shut = (): void => {
    clearTimeout(timer);
    source?.close();
    source = undefined;
  };
  const retry = (): void => {
    shut();
    handlers.state('broken');
    timer = setTimeout(() => {
      // The session may have been renewed or ended elsewhere; without one the next try would fail for ever.
      refresh().then(open, open);
    }, wait);
    wait = Math.min(LONGEST_WAIT_MS, wait * 2);
  };
  const open = (): void => {
    if (closed || document.hidden || source !== undefined) return;
    if (!had) handlers.state('connecting');
    source = new EventSource(path);
    source.onopen = () => {
      wait = FIRST_WAIT_MS;
      handlers.state('live');
      if (had) handlers.resumed();
      had = true;
    };
    source.onerror = retry;
    for (const [event, take] of Object.entries(handlers.on)) {
      source.addEventListener(event, (message) => take(JSON.parse((message as MessageEvent<string>).data) as never));
    }
  };
  const seen = (): void => {
    if (!document.hidden) return open();
    shut();
    handlers.state('paused');
  };
  document.addEventListener('visibilitychange', seen);
  open();
  return {
    close() {
      closed = true;
      shut();
      document.removeEventListener('visibilitychange', seen);
    },
  };
}
