import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { useLiveEvent, useLiveWish } from '../../live/use-live.ts';
import type { LiveEvents, LiveSeries } from '../../live/stream.ts';
import { headlineOf, type Headline, type Newest } from './headline.ts';

type Sample = LiveEvents['sample'];

/** What the stream has said of one host. */
export interface HostLive {
  /** Grows while the page is open. */
  series(): readonly LiveSeries[];
  /** Time of the newest sample by the host's clock; 0 before the first. */
  newestMs(): number;
  headline(): Headline;
  /** Takes what the hub knew before the stream began. */
  begin(known: Headline): void;
  take(event: Sample): void;
  learn(series: readonly LiveSeries[]): void;
  onSample(listener: (event: Sample) => void): () => void;
  onSeries(listener: () => void): () => void;
}

function createHostLive(): HostLive {
  let series: readonly LiveSeries[] = [];
  let newestMs = 0;
  let summary = false;
  let before: Headline = {};
  let headline: Headline = {};
  const newest = new Map<number, Newest>();
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
      // A stream that begins sends the newest value of every series, however old, under one time. That is no sample.
      summary = series.length === 0 || named.length <= series.length;
      series = named;
      for (const listener of growths) listener();
    },
    begin(known) {
      // It may arrive after the stream has begun, and again later; what was measured meanwhile is newer.
      before = known;
      headline = { ...known, ...headlineOf(series, newest, newestMs) };
      for (const listener of samples) listener({ resource: '', timeMs: 0, values: [] });
    },
    take(event) {
      newestMs = Math.max(newestMs, event.timeMs);
      const news = summary ? { ...event, values: [] } : event;
      summary = false;
      for (const [index, value] of news.values) newest.set(index, { value, timeMs: event.timeMs });
      headline = { ...before, ...headlineOf(series, newest, newestMs) };
      for (const listener of samples) listener(news);
    },
    onSample: (listener) => add(samples, listener),
    onSeries: (listener) => add(growths, listener),
  };
}

/** Listens to one host while its page is shown. `first` is what was known before. */
export function useHostLive(id: string, first: Headline | undefined): HostLive {
  const live = useMemo(() => createHostLive(), [id]);
  useEffect(() => {
    if (first !== undefined) live.begin(first);
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
