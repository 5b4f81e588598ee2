import type { estypes } from '@elastic/elasticsearch';
import type { Clock } from '#sdk';
import type { LogBucket, LogLevelNumber, LogPage, LogStore, StoredLine } from '../../../ports/logstore.ts';
import { encodable, placeOf, storedLine, type LineDocument } from './documents.ts';
import type { Names } from './layout.ts';
import { patternsOf } from './patterns.ts';
import { queryOf } from './query.ts';
import type { Server } from './server.ts';

/** How long shards look for lines; beyond it a page says that it is not complete. */
const FIND_MS = 3_000;
/** Matches that are counted; beyond it the total is a lower bound. */
const COUNTED = 100_000;
/** The most that a server gives at once. */
const WINDOW = 10_000;
/** How far around a line its context may lie. */
const CONTEXT_MS = 7 * 86_400_000;
const SOURCES = 10_000;
const LEVELS = 6;
/** Steps of a histogram in one answer: the server counts in at most 65,536 places. */
const STEPS = Math.floor(65_000 / LEVELS);

type Direction = 'asc' | 'desc';
type Request = estypes.SearchRequest;
type Hit = estypes.SearchHit<LineDocument>;

/** The order of time and storing. Two hubs may give one number, but not to lines of one resource. */
const orderOf = (order: Direction): estypes.Sort => [
  { '@timestamp': { order } },
  { n: { order } },
  { resource: { order } },
];
const linesOf = (hits: readonly Hit[]): StoredLine[] =>
  hits.flatMap(({ _id, _source }) => (_id === undefined || _source === undefined ? [] : [storedLine(_id, _source)]));

/** What searching stands on. */
export interface SearchGiven {
  server: Server;
  names: Names;
  clock: Clock;
  /** Resolves when what this process stored before can be found; to false when it cannot yet. */
  fresh(): Promise<boolean>;
}

function createFind({ server, names }: SearchGiven) {
  return <Aggregations>(request: Request) =>
    server.ask((es) =>
      es.search<LineDocument, Aggregations>({
        index: names.lines,
        ignore_unavailable: true,
        allow_no_indices: true,
        timeout: `${FIND_MS}ms`,
        track_total_hits: false,
        ...request,
      }),
    );
}
export type Find = ReturnType<typeof createFind>;

/** Walks over the lines before a page that lies deeper than a server gives at once. Without `after` there are too few of them, or (not `complete`) too many to be walked in time. */
async function skipTo(
  find: Find,
  clock: Clock,
  { query, offset }: { query: Request['query']; offset: number },
): Promise<{ after?: estypes.SortResults; complete: boolean }> {
  const begun = clock.monotonic();
  let after: estypes.SortResults | undefined;
  for (let left = offset; left > 0; left -= WINDOW) {
    if (clock.monotonic() - begun > FIND_MS) return { complete: false };
    const size = Math.min(WINDOW, left);
    const asked = { query, sort: orderOf('desc'), size, _source: false, search_after: after };
    const { hits, timed_out } = await find(asked);
    if (timed_out) return { complete: false };
    after = hits.hits.at(-1)?.sort;
    if (hits.hits.length < size || after === undefined) return { complete: true };
  }
  return { after, complete: true };
}

/** The lines around one. */
function createContext({ server, names, fresh }: SearchGiven, find: Find): LogStore['context'] {
  /** Lines of the source of one, before or after it. */
  const beside = async (org: string, line: StoredLine, given: { n: number; count: number; direction: Direction }) => {
    const { n, count, direction } = given;
    const { resource, timeMs } = line;
    const range =
      direction === 'desc' ? { gte: timeMs - CONTEXT_MS, lte: timeMs } : { gte: timeMs, lte: timeMs + CONTEXT_MS };
    const { hits } = await find({
      query: {
        bool: {
          filter: [
            { term: { org } },
            { term: { resource } },
            { term: { source: encodable(line.source) } },
            { range: { '@timestamp': range } },
          ],
        },
      },
      sort: orderOf(direction),
      size: Math.min(count, WINDOW),
      search_after: [timeMs, n, resource],
    });
    return linesOf(hits.hits);
  };

  return async (org, id, around) => {
    const place = placeOf(id);
    if (place === undefined) return [];
    const { n, timeMs, document } = place;
    const indices = [...new Set([names.indexOf(timeMs, Infinity), names.undated])];
    const { docs } = await server.ask((es) =>
      es.mget<LineDocument>({ docs: indices.map((_index) => ({ _index, _id: document })) }),
    );
    const found = docs.flatMap((one) => ('_source' in one && one._source !== undefined ? [one._source] : []))[0];
    if (found === undefined || found.org !== org || found.n !== n) return [];
    const line = storedLine(document, found);
    if (around <= 0) return [line];
    await fresh();
    const before = await beside(org, line, { n, count: around, direction: 'desc' });
    const after = await beside(org, line, { n, count: around, direction: 'asc' });
    return [...before.reverse(), line, ...after];
  };
}

/** Lines per level and step of a range that is not too long for one answer. By level first: that costs the server a third of the other way round. */
async function bucketsOf(find: Find, query: Request['query'], step: number): Promise<LogBucket[]> {
  const { aggregations } = await find<{
    levels: { buckets: { key: LogLevelNumber; steps: { buckets: { key: number; doc_count: number }[] } }[] };
  }>({
    query,
    size: 0,
    aggs: {
      levels: {
        terms: { field: 'level', size: LEVELS },
        aggs: { steps: { date_histogram: { field: '@timestamp', fixed_interval: `${step}ms`, min_doc_count: 1 } } },
      },
    },
  });
  const found = new Map<number, [number, number, number, number, number, number]>();
  for (const { key: level, steps } of aggregations?.levels.buckets ?? [])
    for (const { key: timeMs, doc_count } of steps.buckets) {
      const counts = found.get(timeMs) ?? [0, 0, 0, 0, 0, 0];
      counts[level] = doc_count;
      found.set(timeMs, counts);
    }
  return [...found].map(([timeMs, counts]) => ({ timeMs, counts })).sort((one, other) => one.timeMs - other.timeMs);
}

/** Answers of the store. A part that is red is left out: what is found says then that it is not complete. */
export function createSearch(
  given: SearchGiven,
): Pick<LogStore, 'search' | 'histogram' | 'patterns' | 'context' | 'sources'> {
  const { clock, fresh } = given;
  const find = createFind(given);

  const pageOf = async (query: Request['query'], limit: number, offset: number): Promise<LogPage> => {
    const isDeep = offset + limit > WINDOW;
    const start = isDeep ? await skipTo(find, clock, { query, offset }) : { complete: true };
    const isThere = !isDeep || offset === 0 || start.after !== undefined;
    const { hits, timed_out, _shards } = await find({
      query,
      sort: orderOf('desc'),
      size: isThere ? Math.min(limit, WINDOW) : 0,
      ...(isDeep ? { search_after: isThere ? start.after : undefined } : { from: offset }),
      track_total_hits: COUNTED,
    });
    const lines = linesOf(hits.hits);
    const { value, relation } = hits.total as estypes.SearchTotalHits;
    return {
      lines,
      total: Math.max(value, lines.length === 0 ? 0 : offset + lines.length),
      complete: start.complete && relation === 'eq' && !timed_out && _shards.failed === 0,
    };
  };

  return {
    async search(org, filter, { limit, offset }) {
      const query = queryOf(org, filter);
      if (query === undefined) return { lines: [], total: 0, complete: true };
      const isFresh = await fresh();
      const page = await pageOf(query, limit, offset);
      return { ...page, complete: page.complete && isFresh };
    },
    async histogram(org, filter, step) {
      await fresh();
      const begun = clock.monotonic();
      const buckets: LogBucket[][] = [];
      for (let { to } = filter; to > filter.from && clock.monotonic() - begun < FIND_MS;) {
        const from = Math.max(filter.from, (Math.ceil(to / step) - STEPS) * step);
        const query = queryOf(org, { ...filter, from, to });
        if (query !== undefined) buckets.unshift(await bucketsOf(find, query, step));
        to = from;
      }
      return buckets.flat();
    },
    async patterns(org, filter, step) {
      const query = queryOf(org, filter);
      if (query === undefined) return { patterns: [], complete: true };
      const isFresh = await fresh();
      const found = await patternsOf(find, query, step);
      return { ...found, complete: found.complete && isFresh };
    },
    context: createContext(given, find),
    async sources(org, resource) {
      await fresh();
      const { aggregations } = await find<{
        sources: { buckets: { key: string; newest: { value: number } }[] };
      }>({
        query: { bool: { filter: [{ term: { org } }, { term: { resource } }] } },
        size: 0,
        aggs: {
          sources: {
            terms: { field: 'source', size: SOURCES },
            aggs: { newest: { max: { field: '@timestamp' } } },
          },
        },
      });
      return (aggregations?.sources.buckets ?? []).map(({ key, newest }) => ({ source: key, lastMs: newest.value }));
    },
  };
}
