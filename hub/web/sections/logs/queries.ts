import { useQuery } from '@tanstack/react-query';
import { answer, api } from '../../api/client.ts';
import { connectEvents, type EventConnection } from '../../api/events.ts';
import type { paths } from '../../api/schema.gen.d.ts';
import type { Range } from '../../time/range.ts';
import { barStep } from './bars.ts';
import type { FoundPage, TailListener } from './line-feed.ts';
import type { SentLine } from './line-book.ts';
import { plainText } from './plain-text.ts';
import type { LogsSearch } from './search.ts';

const TAIL = '/api/v1/logs/tail' satisfies keyof paths;

/** The part of the address that chooses lines. */
export type LineFilter = Omit<LogsSearch, 'line' | 'view'>;

/** Lines in a range of milliseconds, newest first. */
export function searchLines(
  filter: LineFilter,
  { from, to, limit, offset }: { from: number; to: number | undefined; limit: number; offset: number },
): Promise<FoundPage> {
  const range = { from: String(Math.floor(from)), to: to === undefined ? undefined : String(Math.ceil(to)) };
  return answer(api.GET('/api/v1/logs/search', { params: { query: { ...filter, ...range, limit, offset } } }));
}

/** Listens to new lines. */
export function tailLines(
  { q, not, level, host, source, attribute, template, notTemplate }: LineFilter,
  listener: TailListener,
): EventConnection {
  const query = new URLSearchParams({ backlog: '0' });
  if (q !== undefined) query.set('q', q);
  if (source !== undefined) query.set('source', source);
  for (const [key, values] of Object.entries({ not, level, host, attribute, template, notTemplate }))
    for (const value of values ?? []) query.append(key, value);
  return connectEvents(`${TAIL}?${query}`, {
    on: {
      lines: ({ lines }: { lines: SentLine[] }) => listener.lines(lines),
      skipped: ({ lines }: { lines: number }) => listener.skipped(lines),
    },
    state: listener.state,
    resumed: () => undefined,
  });
}

/** How often bars of a range that moves are asked for anew, milliseconds. */
const REDRAW_MS = 5000;

/** Lines per level and step, of all levels, as wide as the drawing needs. */
export function useHistogram(filter: LineFilter, range: () => Range, { key, width }: { key: string; width: number }) {
  const { level: _level, ...rest } = filter;
  const { live } = range();
  return useQuery({
    queryKey: ['logs', 'histogram', rest, key, Math.round(width / 100)],
    queryFn: ({ signal }) => {
      const { from, to } = range();
      const query = {
        ...rest,
        from: String(Math.floor(from)),
        to: String(Math.ceil(to)),
        step: `${barStep(to - from, width)}ms`,
      };
      return answer(api.GET('/api/v1/logs/histogram', { params: { query }, signal }));
    },
    enabled: width > 0,
    refetchInterval: live ? REDRAW_MS : false,
    placeholderData: (before) => before,
  });
}

/** Kinds that are told of at once. */
const PATTERNS = 1000;

/** Kinds of lines in a range, those with most lines first. */
export function usePatterns(filter: LineFilter, range: () => Range, key: string) {
  return useQuery({
    queryKey: ['logs', 'patterns', filter, key],
    queryFn: ({ signal }) => {
      const { from, to } = range();
      const query = { ...filter, from: String(Math.floor(from)), to: String(Math.ceil(to)), limit: PATTERNS };
      return answer(api.GET('/api/v1/logs/patterns', { params: { query }, signal }));
    },
    refetchInterval: range().live ? REDRAW_MS : false,
    placeholderData: (before) => before,
  });
}

/** Texts of kinds of lines that were seen in a range, by their ids. */
export function usePatternTexts(ids: readonly string[], range: () => Range, key: string) {
  return useQuery({
    queryKey: ['logs', 'pattern-texts', ids, key],
    queryFn: async ({ signal }) => {
      const { from, to } = range();
      const query = { template: [...ids], from: String(Math.floor(from)), to: String(Math.ceil(to)), limit: 100 };
      const { items } = await answer(api.GET('/api/v1/logs/patterns', { params: { query }, signal }));
      return new Map(
        items.flatMap(({ template, merged, text, example }) =>
          [template ?? '', ...merged].map((id): [string, string] => [id, plainText(text === '' ? example : text)]),
        ),
      );
    },
    enabled: ids.length > 0,
    staleTime: 60_000,
    placeholderData: (before) => before,
  });
}

/** A line and those around it in the same file. */
export function useContextOf(id: string) {
  return useQuery({
    queryKey: ['logs', 'context', id],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/logs/context', { params: { query: { id, around: 50 } }, signal })),
    staleTime: 60_000,
  });
}

/** The id of a line that came live and has none yet; undefined when the search does not know it. */
export async function idOf({ id, timeMs, host, source, text }: SentLine): Promise<string | undefined> {
  if (id !== undefined) return id;
  const filter = { host: [host], source, q: text.slice(0, 1000) || undefined };
  const { items } = await searchLines(filter, { from: timeMs, to: timeMs, limit: 100, offset: 0 });
  return items.find((line) => line.text === text)?.id;
}

/** Files of a host that lines came from, newest first. */
export function useSources(host: string | undefined) {
  return useQuery({
    queryKey: ['logs', 'sources', host],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/logs/sources', { params: { query: { host: host ?? '' } }, signal })),
    enabled: host !== undefined,
    staleTime: 30_000,
  });
}

/** Names of the hosts by id. */
export function useHosts() {
  return useQuery({
    queryKey: ['hosts', 'names'],
    queryFn: async ({ signal }) => {
      const query = { limit: 1000 };
      const { items } = await answer(api.GET('/api/v1/monitoring/resources', { params: { query }, signal }));
      return items.map(({ id, name }) => ({ id, name }));
    },
    staleTime: 60_000,
  });
}
