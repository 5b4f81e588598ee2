import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { useLiveEvent, useLiveWish } from '../../live/use-live.ts';
import type { LiveEvents, LiveSeries } from '../../live/stream.ts';
import { headlineOf, type Headline } from './headline.ts';

type Sample = LiveEvents['sample'];

/** What the stream has said of one host. */
export interface HostLive {
  /** Grows while the page is open. */
  series(): readonly LiveSeries[];
  /** Time of the newest sample by the host's clock; 0 before the first. */
  newestMs(): number;
  headline(): Headline;
  take(event: Sample): void;
  learn(series: readonly LiveSeries[]): void;
  onSample(listener: (event: Sample) => void): () => void;
  onSeries(listener: () => void): () => void;
}

function createHostLive(first: Headline): HostLive {
  let series: readonly LiveSeries[] = [];
  let newestMs = 0;
  let headline = first;
  const values = new Map<number, number>();
  const samples = new Set<(event: Sample) => void>();
  const growths = new Set<() => void>();
  const add = <T>(set: Set<T>, one: T): (() => void) => {
    set.add(one);
    return () => void set.delete(one);
  };
  return {
    series: () => series,
    newestMs: () => newestMs,
    headline: () => headline,
    learn(named) {
      series = named;
      for (const listener of growths) listener();
    },
    take(event) {
      newestMs = Math.max(newestMs, event.timeMs);
      for (const [index, value] of event.values) values.set(index, value);
      headline = { ...headline, ...headlineOf(series, values) };
      for (const listener of samples) listener(event);
    },
    onSample: (listener) => add(samples, listener),
    onSeries: (listener) => add(growths, listener),
  };
}

/** Listens to one host while its page is shown. `first` is what was known before. */
export function useHostLive(id: string, first: Headline | undefined): HostLive {
  const live = useMemo(() => createHostLive({}), [id]);
  useEffect(() => {
    // What was asked for may arrive after the stream has begun.
    if (first !== undefined && live.newestMs() === 0) Object.assign(live.headline(), first);
  }, [live, first]);
  useLiveWish({ resources: [id] });
  useLiveEvent('series', ({ resource, series }) => {
    if (resource === id) live.learn(series);
  });
  useLiveEvent('sample', (event) => {
    if (event.resource === id) live.take(event);
  });
  return live;
}

/** The headline numbers of the host, new with each sample. */
export const useHeadline = (live: HostLive): Headline => useSyncExternalStore(live.onSample, live.headline);

/** The series that the stream named, new when there are more. */
export const useLiveSeries = (live: HostLive): readonly LiveSeries[] =>
  useSyncExternalStore(live.onSeries, live.series);

/** Time of the newest sample. */
export const useNewestMs = (live: HostLive): number => useSyncExternalStore(live.onSample, live.newestMs);
