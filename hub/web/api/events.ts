import { refresh } from './session.ts';

/** How a stream stands. */
export type StreamState = 'connecting' | 'live' | 'broken' | 'paused';

/** A stream of server-sent events that comes back by itself. */
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

/** Connects with the session cookie, and again after `before` whenever it breaks. */
export function openEvents(
  path: string,
  handlers: EventHandlers,
  before: () => Promise<unknown> = () => Promise.resolve(),
): EventConnection {
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
    timer = setTimeout(() => void before().then(open, open), wait);
    wait = Math.min(LONGEST_WAIT_MS, wait * 2);
  };
  const open = (): void => {
    if (closed || source !== undefined) return;
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
  handlers.state('connecting');
  open();
  return {
    close() {
      closed = true;
      shut();
    },
  };
}

/** Calls `show` while the page is seen and `hide` while it is not; returns its end. */
export function whileSeen(show: () => void, hide: () => void): () => void {
  const changed = (): void => (document.hidden ? hide() : show());
  document.addEventListener('visibilitychange', changed);
  changed();
  return () => document.removeEventListener('visibilitychange', changed);
}

/** A stream of this page alone, which costs nothing while the tab is hidden. */
export function connectEvents(path: string, handlers: EventHandlers): EventConnection {
  let connection: EventConnection | undefined;
  let had = false;
  const state = (next: StreamState): void => {
    if (next === 'live') {
      if (had) handlers.resumed();
      had = true;
    }
    handlers.state(next);
  };
  const end = whileSeen(
    () => {
      // The session may have been renewed or ended elsewhere; without one the next try would fail for ever.
      connection ??= openEvents(path, { on: handlers.on, state, resumed: () => undefined }, refresh);
    },
    () => {
      connection?.close();
      connection = undefined;
      handlers.state('paused');
    },
  );
  return {
    close() {
      end();
      connection?.close();
    },
  };
}
