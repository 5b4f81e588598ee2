import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '#sdk';
import type { LogBucket, LogFilter, LogLevelNumber, LogStore, LogWrite, StoredLine } from '../../../ports/logstore.ts';
import { newWrites, openBatchKeys } from '../../duckdb/batch-keys.ts';
import { literal, type Database } from '../../duckdb/database.ts';
import { createGate } from '../../duckdb/gate.ts';
import { createGroupCommit } from '../../duckdb/group-commit.ts';
import { openSealedFiles } from '../../duckdb/sealed-files.ts';
import { conditionOf, spansBackward, type Span } from './conditions.ts';
import { openDictionary, type Source } from './dictionary.ts';
import { appendLines, type NumberedLine } from './ingest.ts';

const DAY_MS = 86_400_000;
/** Lines over which the hot table is sealed, and the age at which it is in any case. */
const SEAL_ROWS = 2_000_000;
const SEAL_AGE_MS = 3_600_000;
/** Matches are counted up to here; beyond it `total` is a lower bound. */
const COUNT_LIMIT = 10_000;
const COLUMNS = 'id, src, t, level, text, truncated';

/** The store and its upkeep, which the adapter calls now and then, never twice at once. */
export interface EmbeddedLogStore extends LogStore {
  upkeep(): Promise<void>;
  drain(): Promise<void>;
}

interface OrgWrite extends LogWrite {
  org: string;
}

function folderBytes(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    return sum + (entry.isDirectory() ? folderBytes(path) : statSync(path).size);
  }, 0);
}

/** Opens the store over a database. */
export async function openLogStore(database: Database, clock: Clock): Promise<EmbeddedLogStore> {
  const gate = createGate();
  await database.writer.run(
    'CREATE TABLE IF NOT EXISTS line (id BIGINT, src INTEGER, t BIGINT, level UTINYINT, text VARCHAR, truncated BOOLEAN)',
  );
  const sealed = await openSealedFiles(database);
  const keys = await openBatchKeys(database);
  const dictionary = await openDictionary(database);
  const [highest] = await database.read('SELECT coalesce(max(id), 0) FROM line');
  // Ids grow with time, so that those of sealed lines need not be read.
  let nextId = BigInt(Math.max(Number(highest?.[0] ?? 0) + 1, clock.now() * 1000));
  let sealedAt = clock.monotonic();
  const newest = new Map<number, number>();

  const commit = async (writes: readonly OrgWrite[]): Promise<void> => {
    const fresh = newWrites(keys, writes);
    if (fresh.length === 0) return;
    const added = new Map<string, { id: number; place: Source }>();
    const lines: NumberedLine[] = fresh.flatMap(({ org, resource, lines: own }) =>
      own.map(({ source, ...line }) => ({
        ...line,
        id: nextId++,
        src: dictionary.numberOf({ org, resource, source }, added),
      })),
    );
    const batchKeys = fresh.map(({ key }) => key);
    await database.writer.run('BEGIN');
    try {
      await appendLines(database, lines);
      for (const statement of dictionary.storing(added)) await database.writer.run(statement);
      await database.writer.run(keys.remembering(batchKeys));
      await database.writer.run('COMMIT');
    } catch (error) {
      await database.writer.run('ROLLBACK').catch(() => undefined); // It was rolled back already.
      throw error;
    }
    dictionary.stored(added);
    keys.remembered(batchKeys);
    for (const { src, timeMs } of lines) if ((newest.get(src) ?? 0) < timeMs) newest.set(src, timeMs);
  };
  const group = createGroupCommit<OrgWrite>(clock, commit);

  /** Everything hot and sealed of a span, as something to select from. */
  const rowsIn = ({ from, to }: Span): string => {
    const files = sealed.overlapping('line', from, to).map((file) => literal(sealed.path(file)));
    const time = `t >= ${from} AND t < ${to}`;
    const hot = `SELECT ${COLUMNS} FROM line WHERE ${time}`;
    if (files.length === 0) return hot;
    return `${hot} UNION ALL SELECT ${COLUMNS} FROM read_parquet([${files.join(', ')}]) WHERE ${time}`;
  };
  /** Undefined: no restriction is needed beyond the org's own sources; an empty list matches nothing. */
  const sourcesOf = (org: string, filter: LogFilter): number[] => dictionary.find(org, filter.resources, filter.source);

  const lineOf = (row: readonly unknown[]): StoredLine => {
    const [id, src, t, level, text, truncated] = row;
    const place = dictionary.placeOf(Number(src));
    return {
      id: String(id),
      resource: place?.resource ?? '',
      source: place?.source ?? '',
      timeMs: Number(t),
      level: Number(level) as LogLevelNumber,
      text: String(text),
      truncated: truncated === true,
    };
  };

  /** Newest matches first, from the end of the range backwards, until there are `wanted`. */
  const newestMatches = async (filter: LogFilter, condition: string, wanted: number): Promise<StoredLine[]> => {
    const found: StoredLine[] = [];
    for (const span of spansBackward(filter)) {
      const sql = `SELECT ${COLUMNS} FROM (${rowsIn(span)}) WHERE ${condition} ORDER BY t DESC, id DESC LIMIT ${wanted - found.length}`;
      for (const row of await database.read(sql)) found.push(lineOf(row));
      if (found.length >= wanted) break;
    }
    return found;
  };

  const countMatches = async (
    filter: LogFilter,
    condition: string,
    least: number,
  ): Promise<{ total: number; complete: boolean }> => {
    const limit = Math.max(COUNT_LIMIT, least + 1);
    const [row] = await database.read(
      `SELECT count(*)::DOUBLE FROM (SELECT 1 FROM (${rowsIn(filter)}) WHERE ${condition} LIMIT ${limit})`,
    );
    const total = Number(row?.[0] ?? 0);
    return { total, complete: total < limit };
  };

  const sealHot = async (): Promise<void> => {
    const [row] = await database.read('SELECT count(*)::DOUBLE, max(id) FROM line');
    const rows = Number(row?.[0] ?? 0);
    if (rows === 0 || !(rows > SEAL_ROWS || clock.monotonic() - sealedAt > SEAL_AGE_MS)) return;
    const upTo = String(row?.[1]);
    const file = await sealed.write('line', `SELECT ${COLUMNS} FROM line WHERE id <= ${upTo} ORDER BY t, id`);
    sealedAt = clock.monotonic();
    if (file === undefined) return;
    await gate.alone(async () => {
      await database.change([sealed.recording(file), `DELETE FROM line WHERE id <= ${upTo}`]);
      sealed.recorded(file);
    });
  };

  return {
    append: (org, write) => group.add({ ...write, org }),
    search: (org, filter, { limit, offset }) =>
      gate.shared(async () => {
        const sources = sourcesOf(org, filter);
        if (sources.length === 0 || filter.to <= filter.from) return { lines: [], total: 0, complete: true };
        const condition = conditionOf(filter, sources);
        const found = await newestMatches(filter, condition, offset + limit);
        const lines = found.slice(offset);
        // A page that is not full is the last one: what was found is all there is.
        if (found.length < offset + limit) return { lines, total: found.length, complete: true };
        return { lines, ...(await countMatches(filter, condition, offset + limit)) };
      }),
    histogram: (org, filter, step) =>
      gate.shared(async (): Promise<LogBucket[]> => {
        const sources = sourcesOf(org, filter);
        if (sources.length === 0 || filter.to <= filter.from) return [];
        const rows = await database.read(
          `SELECT ((t // ${step}) * ${step})::DOUBLE AS b, level, count(*)::DOUBLE FROM (${rowsIn(filter)}) WHERE ${conditionOf(filter, sources)} GROUP BY ALL ORDER BY b`,
        );
        const buckets = new Map<number, [number, number, number, number, number, number]>();
        for (const [time, level, count] of rows) {
          const counts = buckets.get(Number(time)) ?? [0, 0, 0, 0, 0, 0];
          counts[Number(level) as LogLevelNumber] += Number(count);
          buckets.set(Number(time), counts);
        }
        return [...buckets].map(([timeMs, counts]) => ({ timeMs, counts }));
      }),
    context: (org, id, around) =>
      gate.shared(async () => {
        if (!/^\d{1,18}$/.test(id)) return [];
        const all = rowsIn({ from: 0, to: Number.MAX_SAFE_INTEGER });
        const [line] = await database.read(`SELECT src, t::DOUBLE FROM (${all}) WHERE id = ${id}`);
        const place = line === undefined ? undefined : dictionary.placeOf(Number(line[0]));
        if (line === undefined || place === undefined || place.org !== org) return [];
        const [src, t] = [Number(line[0]), Number(line[1])];
        const near = rowsIn({ from: t - DAY_MS, to: t + DAY_MS });
        // Ids follow the order in the file; lines of one source never change places.
        const before = `(SELECT ${COLUMNS} FROM (${near}) WHERE src = ${src} AND id <= ${id} ORDER BY id DESC LIMIT ${around + 1})`;
        const after = `(SELECT ${COLUMNS} FROM (${near}) WHERE src = ${src} AND id > ${id} ORDER BY id LIMIT ${around})`;
        return (await database.read(`SELECT * FROM (${before} UNION ALL ${after}) ORDER BY id`)).map(lineOf);
      }),
    async sources(org, resource) {
      const ids = dictionary.find(org, [resource]);
      return ids.map((id) => ({ source: dictionary.placeOf(id)?.source ?? '', lastMs: newest.get(id) ?? 0 }));
    },
    acknowledged: (_org, agent, epoch) =>
      Promise.resolve({ live: keys.newest(agent, epoch, 1), backfill: keys.newest(agent, epoch, 2) }),
    async deleteResource(org, resource) {
      const ids = await dictionary.forget(org, resource);
      // Sealed lines carry a number that nothing names any more; they go when their file does.
      if (ids.length > 0) await database.run(`DELETE FROM line WHERE src IN (${ids.join(', ')})`);
    },
    async retain({ days, diskLimit }) {
      const oldest = clock.now() - days * DAY_MS;
      const files = sealed.list();
      const gone = files.filter(({ toMs }) => toMs < oldest);
      let bytes = files.filter((file) => !gone.includes(file)).reduce((sum, file) => sum + file.bytes, 0);
      for (const file of files) {
        if (bytes <= diskLimit) break;
        if (gone.includes(file)) continue;
        gone.push(file);
        bytes -= file.bytes;
      }
      await gate.alone(() => sealed.remove(gone));
      await database.run(`DELETE FROM line WHERE t < ${oldest}`);
    },
    async usage() {
      const [row] = await database.read('SELECT count(*)::DOUBLE, min(t)::DOUBLE FROM line');
      const files = sealed.list();
      const oldest = Math.min(Number(row?.[1] ?? Infinity) || Infinity, ...files.map(({ fromMs }) => fromMs));
      const lines = Number(row?.[0] ?? 0) + files.reduce((sum, { rows }) => sum + rows, 0);
      return { bytes: folderBytes(database.folder), lines, oldestMs: Number.isFinite(oldest) ? oldest : undefined };
    },
    check: async () => void (await database.read('SELECT 1')),
    upkeep: sealHot,
    drain: () => group.drain(),
  };
}
