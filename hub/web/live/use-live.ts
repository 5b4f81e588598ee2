import { useEffect, useRef, useSyncExternalStore } from 'react';
import { liveStream, type Freshness, type LiveEvents } from './stream.ts';
import type { LiveWish } from './wish.ts';

/** Asks for live values while the component is shown. `undefined` asks for none. */
export function useLiveWish(wish: LiveWish | undefined): void {
  const key = JSON.stringify(wish);
  useEffect(() => (key === undefined ? undefined : liveStream.want(JSON.parse(key) as LiveWish)), [key]);
}

/** Hears of an event while the component is shown. */
export function useLiveEvent<K extends keyof LiveEvents>(event: K, listener: (data: LiveEvents[K]) => void): void {
  const newest = useRef(listener);
  useEffect(() => {
    newest.current = listener;
  });
  useEffect(() => liveStream.on(event, (data) => newest.current(data)), [event]);
}

/** Calls after a gap in the stream while the component is shown. */
export function useLiveResumed(listener: () => void): void {
  const newest = useRef(listener);
  useEffect(() => {
    newest.current = listener;
  });
  useEffect(() => liveStream.onResumed(() => newest.current()), []);
}

/** How fresh the page is. */
export const useFreshness = (): Freshness => useSyncExternalStore(liveStream.onFreshness, liveStream.freshness);

/** True while the hub is not reached: what is shown was true before. */
export const useLost = (): boolean =>
  useSyncExternalStore(liveStream.onFreshness, () => liveStream.freshness().state === 'broken');

const secondListeners = new Set<() => void>();
let second = liveStream.now();
let ticking: ReturnType<typeof setInterval> | undefined;

function subscribeSecond(listener: () => void): () => void {
  secondListeners.add(listener);
  ticking ??= setInterval(() => {
    if (document.hidden) return;
    second = liveStream.now();
    for (const each of secondListeners) each();
  }, 1000);
  return () => {
    secondListeners.delete(listener);
    if (secondListeners.size > 0) return;
    clearInterval(ticking);
    ticking = undefined;
  };
}

/** The hub's clock, milliseconds, new each second: for what is "12 s ago". */
export const useNow = (): number => useSyncExternalStore(subscribeSecond, () => second);
