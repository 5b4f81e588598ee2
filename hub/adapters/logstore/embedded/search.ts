import type { Clock } from '#sdk';
import type {
  LogAttributes,
  LogBucket,
  LogFilter,
  LogLevelNumber,
  LogPage,
  LogStore,
  StoredLine,
} from '../../../ports/logstore.ts';
import type { Database } from '../../duckdb/database.ts';
import type { Sealing, View } from '../../duckdb/sealing.ts';
import { conditionOf } from './conditions.ts';
import type { Dictionary } from './dictionary.ts';
import { parametersAt } from './parameters.ts';
import { createGathering } from './patterns.ts';
import { walk, type Span } from './walk.ts';

/** What searching stands on. */
export interface SearchGiven {
  database: Database;
  sealing: Sealing;
  dictionary: Dictionary;
  clock: Clock;
}

const COLUMNS = 'id, src, t, level, text, truncated, template, parameters';
/** How long lines are looked for; beyond it a page says that it is not complete. */
const FIND_MS = 3_000;
/** How long matches beyond the page are counted; beyond it the total is a lower bound. */
const COUNT_MS = 30;
/** Characters of an example. */
const EXAMPLE = 1000;
/** Templates, times levels, times steps, that one piece of a range is told in. */
const GROUPS = 100_000;
const NOWHERE: Span = { from: 0, to: 0 };
/** How far around a line its context may lie. */
const CONTEXT_MS = 7 * 86_400_000;

/** Everything hot and sealed of a span, as something to select from. */
function rowsIn(sealing: Sealing, view: View, span: Span): string {
  const time = `t >= ${span.from} AND t < ${span.to}`;
  const hot = `SELECT ${COLUMNS} FROM line WHERE id > ${view.marks['line'] ?? 0} AND ${time}`;
  const paths = sealing.pathsIn(view, 'line', span);
  if (paths.length === 0) return hot;
  // By name: files of an earlier release lack what was added since.
  return `${hot} UNION ALL BY NAME SELECT * FROM read_parquet([${paths.join(', ')}], union_by_name = true) WHERE ${time}`;
}

/** Opaque to callers: the number in the order of storing, then the time, so that a line is found without looking everywhere. */
const idOf = (id: unknown, timeMs: unknown): string => `${String(id)}-${String(timeMs)}`;

const attributesIn = (json: string): LogAttributes => JSON.parse(json) as LogAttributes;

function createReader({ database, sealing, dictionary }: SearchGiven) {
  const lineOf = (row: readonly unknown[]): StoredLine => {
    const [id, src, t, level, text, truncated, template, places] = row;
    const place = dictionary.placeOf(Number(src));
    const attributes = place === undefined || place.attributes === '' ? undefined : attributesIn(place.attributes);
    return {
      id: idOf(id, t),
      resource: place?.resource ?? '',
      source: place?.source ?? '',
      timeMs: Number(t),
      level: Number(level) as LogLevelNumber,
      text: String(text),
      truncated: truncated === true,
      ...(attributes === undefined ? {} : { attributes }),
      ...(typeof template === 'string' ? { template } : {}),
      ...(typeof places === 'string' ? { parameters: parametersAt(String(text), places) } : {}),
    };
  };
  return {
    async lines(view: View, span: Span, rest: string): Promise<StoredLine[]> {
      const rows = await database.read(`SELECT ${COLUMNS} FROM (${rowsIn(sealing, view, span)}) WHERE ${rest}`);
      return rows.map(lineOf);
    },
    async count(view: View, span: Span, condition: string): Promise<number> {
      const [row] = await database.read(
        `SELECT count(*)::DOUBLE FROM (${rowsIn(sealing, view, span)}) WHERE ${condition}`,
      );
      return Number(row?.[0] ?? 0);
    },
    levels: (view: View, span: Span, { step, condition }: { step: number; condition: string }) =>
      database.read(
        `SELECT ((t // ${step}) * ${step})::DOUBLE, level, count(*)::DOUBLE FROM (${rowsIn(sealing, view, span)}) WHERE ${condition} GROUP BY ALL`,
      ),
    templates: (view: View, span: Span, { step, condition }: { step: number; condition: string }) =>
      database.read(
        `SELECT coalesce(template, ''), level, ((t // ${step}) * ${step})::DOUBLE, count(*)::DOUBLE, min(t)::DOUBLE, max(t)::DOUBLE, arg_max(left(text, ${EXAMPLE}), t)
         FROM (${rowsIn(sealing, view, span)}) WHERE ${condition} GROUP BY ALL ORDER BY 4 DESC LIMIT ${GROUPS}`,
      ),
  };
}

type Reader = ReturnType<typeof createReader>;

/** A range in whole milliseconds that can stand in SQL. */
function spanOf({ from, to }: Span): Span {
  const bounded = (ms: number): number => Math.min(8.64e15, Math.max(0, Math.ceil(ms)));
  return { from: bounded(from), to: bounded(to) };
}

/** One page, newest first, from the end of the range backwards; then a bounded count of the rest. */
async function pageOf(
  reader: Reader,
  view: View,
  given: { clock: Clock; range: Span; condition: string; limit: number; offset: number },
): Promise<LogPage> {
  const { clock, range, condition, limit, offset } = given;
  const lines: StoredLine[] = [];
  let skip = offset;
  let total = 0;
  let uncounted: Span | undefined;
  const back = { clock, direction: 'back' } as const;
  const left = await walk(range, { ...back, budgetMs: FIND_MS }, async (span) => {
    // Lines before the page are counted, not read.
    const matches = skip > 0 ? await reader.count(view, span, condition) : undefined;
    total += matches ?? 0;
    if (matches !== undefined && matches <= skip) {
      skip -= matches;
      return true;
    }
    const wanted = limit - lines.length;
    const page = `${condition} ORDER BY t DESC, id DESC LIMIT ${wanted} OFFSET ${skip}`;
    const found = await reader.lines(view, span, page);
    lines.push(...found);
    skip = 0;
    if (matches === undefined && found.length < wanted) total += found.length;
    else if (matches === undefined) uncounted = span;
    return lines.length < limit;
  });
  if (lines.length < limit) return { lines, total, complete: left.from >= left.to };
  const rest = await walk(
    { from: range.from, to: uncounted?.to ?? left.to },
    { ...back, budgetMs: COUNT_MS },
    async (span) => {
      total += await reader.count(view, span, condition);
      return true;
    },
  );
  return { lines, total: Math.max(total, offset + lines.length), complete: rest.from >= rest.to };
}

/** The lines around one in its source, in the order of time and storing. */
async function contextOf(
  reader: Reader,
  view: View,
  given: { clock: Clock; dictionary: Dictionary; org: string; id: string; around: number },
): Promise<StoredLine[]> {
  const { clock, dictionary, org, id, around } = given;
  const [, number, time] = /^(\d{1,18})-(\d{1,16})$/.exec(id) ?? [];
  if (number === undefined || time === undefined) return [];
  const at = Number(time);
  const own = dictionary.find(org);
  if (own.length === 0) return [];
  const [line] = await reader.lines(view, { from: at, to: at + 1 }, `id = ${number} AND src IN (${own.join(', ')})`);
  if (line === undefined) return [];
  const srcs = dictionary.find(org, { resources: [line.resource], source: line.source });
  const side = async (direction: 'back' | 'forth'): Promise<StoredLine[]> => {
    const found: StoredLine[] = [];
    const [range, than, order] =
      direction === 'back'
        ? [{ from: Math.max(0, at - CONTEXT_MS), to: at + 1 }, '<', 'DESC']
        : [{ from: at, to: at + CONTEXT_MS }, '>', 'ASC'];
    await walk(range, { clock, budgetMs: FIND_MS, direction }, async (span) => {
      const wanted = around - found.length;
      const beyond = `src IN (${srcs.join(', ')}) AND (t ${than} ${at} OR (t = ${at} AND id ${than} ${number}))`;
      found.push(...(await reader.lines(view, span, `${beyond} ORDER BY t ${order}, id ${order} LIMIT ${wanted}`)));
      return found.length < around;
    });
    return found;
  };
  const [before, after] = around > 0 ? [await side('back'), await side('forth')] : [[], []];
  return [...before.reverse(), line, ...after];
}

/** Answers of the store. */
export function createSearch(given: SearchGiven): Pick<LogStore, 'search' | 'histogram' | 'patterns' | 'context'> {
  const { sealing, dictionary, clock } = given;
  const reader = createReader(given);
  /** Undefined when nothing can match. */
  const wantedOf = (org: string, filter: LogFilter): { range: Span; condition: string } | undefined => {
    const sources = dictionary.find(org, filter);
    const range = spanOf(filter);
    return sources.length === 0 || range.to <= range.from
      ? undefined
      : { range, condition: conditionOf(filter, sources) };
  };
  return {
    search: (org, filter, page) =>
      sealing.look(async (view) => {
        const wanted = wantedOf(org, filter);
        if (wanted === undefined) return { lines: [], total: 0, complete: true };
        return pageOf(reader, view, { clock, ...wanted, ...page });
      }),
    histogram: (org, filter, step) =>
      sealing.look(async (view) => {
        const wanted = wantedOf(org, filter);
        if (wanted === undefined) return [];
        const buckets = new Map<number, [number, number, number, number, number, number]>();
        await walk(wanted.range, { clock, budgetMs: FIND_MS, direction: 'back' }, async (span) => {
          for (const [time, level, count] of await reader.levels(view, span, { step, ...wanted })) {
            const counts = buckets.get(Number(time)) ?? [0, 0, 0, 0, 0, 0];
            counts[Number(level) as LogLevelNumber] += Number(count);
            buckets.set(Number(time), counts);
          }
          return true;
        });
        return [...buckets]
          .map(([timeMs, counts]): LogBucket => ({ timeMs, counts }))
          .sort((a, b) => a.timeMs - b.timeMs);
      }),
    patterns: (org, filter, step) =>
      sealing.look(async (view) => {
        const wanted = wantedOf(org, filter);
        const gathering = createGathering();
        let all = true;
        const left = await walk(
          wanted?.range ?? NOWHERE,
          { clock, budgetMs: FIND_MS, direction: 'back' },
          async (span) => {
            const rows = await reader.templates(view, span, { step, condition: wanted?.condition ?? 'false' });
            for (const row of rows) gathering.add(row);
            all &&= rows.length < GROUPS;
            return true;
          },
        );
        return { patterns: gathering.patterns(), complete: all && left.from >= left.to };
      }),
    context: (org, id, around) =>
      sealing.look((view) => contextOf(reader, view, { clock, dictionary, org, id, around })),
  };
}
