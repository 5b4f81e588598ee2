import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '#sdk';
import type { SeriesPoints, SeriesRetention, SeriesStore, SeriesWrite } from '../../../ports/series.ts';
import { newWrites, openBatchKeys } from '../../duckdb/batch-keys.ts';
import { literal, type Database } from '../../duckdb/database.ts';
import { createGate } from '../../duckdb/gate.ts';
import { createGroupCommit } from '../../duckdb/group-commit.ts';
import { openSealedFiles, type SealedFile, type SealedFiles } from '../../duckdb/sealed-files.ts';
import { answerOf, selectSeries, type StepRow } from './answer.ts';
import { createSampleColumns } from './ingest.ts';
import { noAdditions, openRegistry, type NumberedSeries } from './registry.ts';
import { hotPartials, openRollup, type Rollup } from './rollup.ts';
import { gathered, PARTIAL_COLUMNS, RAW_AS_PARTIAL, tierFor, TIERS, type Tier } from './tiers.ts';

const DAY_MS = 86_400_000;

/** The store and its upkeep, which the adapter calls now and then, never twice at once. */
export interface EmbeddedSeriesStore extends SeriesStore {
  /** Gathers, seals and tidies. */
  upkeep(): Promise<void>;
  /** Resolves when every append has been answered. */
  drain(): Promise<void>;
}

interface OrgWrite extends SeriesWrite {
  org: string;
}

/** SQL of everything that the tiers from `tier` down to raw hold of some series and times, as partial aggregates. */
function partialsFrom(tier: Tier, where: string, given: { rollup: Rollup; files: readonly string[] }): string {
  const state = given.rollup.gathered();
  const parts = [hotPartials(tier, where)];
  if (given.files.length > 0) {
    const columns = tier.bucketMs === 0 ? RAW_AS_PARTIAL : PARTIAL_COLUMNS;
    parts.push(`SELECT ${columns} FROM read_parquet([${given.files.map(literal).join(', ')}]) WHERE ${where}`);
  }
  // What the tier has not gathered yet lies hot in the finer ones.
  for (let index = TIERS.findIndex(({ name }) => name === tier.name); index > 0; index--) {
    const coarser = TIERS[index] as Tier;
    parts.push(hotPartials(TIERS[index - 1] as Tier, `${where} AND g > ${state[coarser.name] ?? 0}`));
  }
  return parts.join(' UNION ALL ');
}

function whereOf(ids: readonly number[], from: number, to: number): string {
  const [low, high] = [Math.min(...ids), Math.max(...ids)];
  // The range prunes row groups of sorted files; the list then picks.
  return `series BETWEEN ${low} AND ${high} AND series IN (${ids.join(', ')}) AND t >= ${from} AND t < ${to}`;
}

/** How far before a range its first rate may look for the sample before, milliseconds. */
const LOOK_BACK_MS = 300_000;

async function queryRows(
  given: { database: Database; sealed: SealedFiles; rollup: Rollup },
  tier: Tier,
  ids: readonly number[],
  range: { from: number; to: number; step: number },
): Promise<StepRow[]> {
  const files = given.sealed.overlapping(tier.name, range.from, range.to).map((file) => given.sealed.path(file));
  const partials = partialsFrom(tier, whereOf(ids, range.from, range.to), { rollup: given.rollup, files });
  const sql = `SELECT series, t::DOUBLE, n::DOUBLE, s, mn, mx, lt::DOUBLE, l FROM (${gathered(partials, range.step)}) ORDER BY series, t`;
  const rows = (await given.database.read(sql)) as number[][];
  return rows.map(([series, t, n, s, mn, mx, lastT, last]) => ({ series, t, n, s, mn, mx, lastT, last }) as StepRow);
}

/** Files to delete: past their tier's age, then the oldest of the finest tiers until the rest fits on the disk. */
export function filesToForget(files: readonly SealedFile[], retention: SeriesRetention, nowMs: number): SealedFile[] {
  const ages = new Map(TIERS.map((tier) => [tier.name as string, nowMs - tier.days(retention) * DAY_MS]));
  const old = files.filter((file) => file.toMs < (ages.get(file.tier) ?? 0));
  let bytes = files.reduce((sum, file) => sum + file.bytes, 0) - old.reduce((sum, file) => sum + file.bytes, 0);
  const rank = new Map(TIERS.map(({ name }, index) => [name as string, index]));
  const rest = files
    .filter((file) => !old.includes(file))
    .sort((a, b) => (rank.get(a.tier) ?? 0) - (rank.get(b.tier) ?? 0) || a.fromMs - b.fromMs);
  for (const file of rest) {
    if (bytes <= retention.diskLimit) break;
    old.push(file);
    bytes -= file.bytes;
  }
  return old;
}

function folderBytes(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    return sum + (entry.isDirectory() ? folderBytes(path) : statSync(path).size);
  }, 0);
}

/** Opens the store over a database. */
export async function openSeriesStore(database: Database, clock: Clock): Promise<EmbeddedSeriesStore> {
  const gate = createGate();
  const sealed = await openSealedFiles(database);
  const keys = await openBatchKeys(database);
  const registry = await openRegistry(database);
  const rollup = await openRollup(database, sealed, gate, clock);
  const samples = createSampleColumns();
  let kept: SeriesRetention | undefined;

  const commit = async (writes: readonly OrgWrite[]): Promise<void> => {
    const fresh = newWrites(keys, writes);
    if (fresh.length === 0) return;
    const additions = noAdditions();
    const touched: { columns: Int32Array; timeMs: number }[] = [];
    samples.clear();
    for (const write of fresh) {
      const columns = registry.resolve(write.org, write, additions);
      for (const { table, timeMs, values } of write.blocks) {
        const own = columns.get(table) as Int32Array;
        samples.add(own, timeMs, values);
        touched.push({ columns: own, timeMs });
      }
    }
    const batchKeys = fresh.map(({ key }) => key);
    await database.writer.run('BEGIN');
    try {
      await samples.appendTo(database, rollup.generation());
      for (const statement of registry.storing(additions)) await database.writer.run(statement);
      await database.writer.run(keys.remembering(batchKeys));
      await database.writer.run('COMMIT');
    } catch (error) {
      await database.writer.run('ROLLBACK').catch(() => undefined); // It was rolled back already.
      throw error;
    }
    registry.stored(additions);
    keys.remembered(batchKeys);
    for (const { columns, timeMs } of touched) registry.touch(columns, timeMs);
  };
  const group = createGroupCommit<OrgWrite>(clock, commit);

  const oldestMs = (tier: Tier): number => (kept === undefined ? 0 : clock.now() - tier.days(kept) * DAY_MS);

  return {
    append: (org, write) => group.add({ ...write, org }),
    async query(org, query): Promise<SeriesPoints[]> {
      const selected: NumberedSeries[] = query.names.flatMap((name) =>
        selectSeries(registry.find(org, query.resource, name), query),
      );
      if (selected.length === 0) return [];
      const tier = tierFor(query.step, query.from, oldestMs);
      const step = Math.max(query.step, tier.bucketMs);
      const aligned = Math.floor(query.from / step) * step;
      const from = selected.some(({ kind }) => kind === 'counter') ? aligned - Math.max(step, LOOK_BACK_MS) : aligned;
      const ids = selected.map(({ id }) => id);
      const rows = await gate.shared(() =>
        queryRows({ database, sealed, rollup }, tier, ids, { from, to: query.to, step }),
      );
      return answerOf(selected, rows, { ...query, step });
    },
    acknowledged: (_org, agent, epoch) =>
      Promise.resolve({ live: keys.newest(agent, epoch, 1), backfill: keys.newest(agent, epoch, 2) }),
    list: (org, resource) => Promise.resolve(registry.list(org, resource)),
    async deleteResource(org, resource) {
      const ids = await registry.forget(org, resource);
      if (ids.length === 0) return;
      // Sealed rows carry numbers that nothing names any more; they go when their file does.
      for (const { name } of TIERS) await database.run(`DELETE FROM ${name} WHERE series IN (${ids.join(', ')})`);
    },
    async retain(retention) {
      kept = retention;
      const gone = filesToForget(sealed.list(), retention, clock.now());
      await gate.alone(() => sealed.remove(gone));
      for (const tier of TIERS) await database.run(`DELETE FROM ${tier.name} WHERE t < ${Math.round(oldestMs(tier))}`);
    },
    async usage() {
      const [row] = await database.read('SELECT count(*)::DOUBLE, min(t)::DOUBLE FROM raw');
      const files = sealed.list();
      const raw = files.filter(({ tier }) => tier === 'raw').reduce((sum, { rows }) => sum + rows, 0);
      const oldest = Math.min(Number(row?.[1] ?? Infinity) || Infinity, ...files.map(({ fromMs }) => fromMs));
      return {
        bytes: folderBytes(database.folder),
        samples: raw + Number(row?.[0] ?? 0),
        oldestMs: Number.isFinite(oldest) ? oldest : undefined,
      };
    },
    check: async () => void (await database.read('SELECT 1')),
    async upkeep() {
      await rollup.gather();
      await rollup.seal();
    },
    drain: () => group.drain(),
  };
}
