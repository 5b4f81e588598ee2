import type { StreamState } from '../api/events.ts';
import { LIVE_EVENTS } from './events.ts';
import { openSource, type LiveSource } from './source.ts';
import { pathOf, type LiveWish } from './wish.ts';

/** A series of a host, and the number by which samples name it. */
export interface LiveSeries {
  index: number;
  name: string;
  kind: 'gauge' | 'counter';
  attributes: Readonly<Record<string, string>>;
  unit: string;
}

/** What the hub sends, by event. Counters come as rates per second. */
export interface LiveEvents {
  series: { resource: string; series: readonly LiveSeries[] };
  sample: { resource: string; timeMs: number; values: readonly (readonly [index: number, value: number])[] };
  hosts: { nowMs: number; hosts: readonly LiveHost[] };
  alert: { firing: string; state: 'firing' | 'resolved' | 'acknowledged'; resource: string; title: string };
  clock: { nowMs: number };
}

/** The newest headline numbers of a host; shares are 0 to 1, bytes a second. */
export interface LiveHost {
  resource: string;
  timeMs: number;
  cpu?: number;
  memory?: number;
  disk?: number;
  fullest?: string;
  load?: number;
  receive?: number;
  transmit?: number;
}

/** How fresh the page is. */
export interface Freshness {
  state: StreamState;
  /** Time of the newest sample, by the hub's clock; 0 while nothing was asked for or came. */
  newestMs: number;
}

type Listener<K extends keyof LiveEvents> = (event: LiveEvents[K]) => void;

/** The one stream of live values of this page: what all parts want is asked for together. */
export function createLiveStream() {
  const wishes = new Set<LiveWish>();
  const listeners = new Map<string, Set<(event: never) => void>>();
  const resumedListeners = new Set<() => void>();
  const freshnessListeners = new Set<() => void>();
  let source: LiveSource | undefined;
  let path = '';
  let waiting = false;
  let freshness: Freshness = { state: 'connecting', newestMs: 0 };
  let aheadMs = 0;

  const tell = (next: Partial<Freshness>): void => {
    freshness = { ...freshness, ...next };
    for (const listener of freshnessListeners) listener();
  };
  const note = (event: (typeof LIVE_EVENTS)[number], data: LiveEvents[keyof LiveEvents]): void => {
    if ('nowMs' in data) aheadMs = data.nowMs - Date.now();
    const newest =
      'hosts' in data ? Math.max(0, ...data.hosts.map(({ timeMs }) => timeMs)) : 'timeMs' in data ? data.timeMs : 0;
    if (newest > freshness.newestMs) tell({ newestMs: newest });
    for (const listener of listeners.get(event) ?? []) listener(data as never);
  };
  const on = Object.fromEntries(LIVE_EVENTS.map((event) => [event, (data: never) => note(event, data)]));
  const connect = (): void => {
    waiting = false;
    const wanted = pathOf([...wishes]);
    if (source !== undefined && wanted === path) return;
    path = wanted;
    source ??= openSource(on, {
      state: (state) => tell({ state }),
      resumed: () => resumedListeners.forEach((listener) => listener()),
    });
    tell({ newestMs: 0 });
    source.ask([...wishes]);
  };
  /** What a render adds and another removes becomes one change. */
  const later = (): void => {
    if (waiting) return;
    waiting = true;
    queueMicrotask(connect);
  };
  const add = <T>(set: Set<T>, one: T): (() => void) => {
    set.add(one);
    return () => void set.delete(one);
  };
  return {
    start: later,
    stop(): void {
      source?.close();
      source = undefined;
    },
    want(wish: LiveWish): () => void {
      wishes.add(wish);
      later();
      return () => {
        wishes.delete(wish);
        if (source !== undefined) later();
      };
    },
    on<K extends keyof LiveEvents>(event: K, listener: Listener<K>): () => void {
      const set = listeners.get(event) ?? new Set();
      listeners.set(event, set);
      return add(set, listener as (data: never) => void);
    },
    /** Calls after a gap in the stream: what was missed can be asked for. */
    onResumed: (listener: () => void): (() => void) => add(resumedListeners, listener),
    onFreshness: (listener: () => void): (() => void) => add(freshnessListeners, listener),
    freshness: (): Freshness => freshness,
    /** The hub's clock now, milliseconds. */
    now: (): number => Date.now() + aheadMs,
  };
}

/** The stream of this page. */
export const liveStream = createLiveStream();
