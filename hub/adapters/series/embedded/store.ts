import type { Clock } from '#sdk';
import type { SeriesPoints, SeriesQuery, SeriesRetention, SeriesStore, SeriesWrite } from '../../../ports/series.ts';
import { laneOf, newWrites, openBatchKeys, type BatchKeys } from '../../duckdb/batch-keys.ts';
import { inTransaction, runAll, type Database } from '../../duckdb/database.ts';
import { bytesOf } from '../../duckdb/folder-bytes.ts';
import { createGroupCommit } from '../../duckdb/group-commit.ts';
import { openLastSeen, type LastSeen } from '../../duckdb/last-seen.ts';
import { openSealing, type Sealing } from '../../duckdb/sealing.ts';
import { createTurns } from '../../duckdb/turns.ts';
import { answerOf, selectSeries, stepRows } from '../points/answer.ts';
import { tierFor } from '../points/tiers.ts';
import { createSampleColumns } from './ingest.ts';
import { noAdditions, openRegistry, type Registry } from './registry.ts';
import { filesLeaving, oldestKept } from './retention.ts';
import { createHotTables, openRollup, type Rollup } from './rollup.ts';
import { gathered, TIERS, type Tier } from './tiers.ts';

/** The store and its upkeep, which the adapter calls now and then. */
export interface EmbeddedSeriesStore extends SeriesStore {
  /** Gathers, seals and tidies. */
  upkeep(): Promise<void>;
  /** Resolves when every append and query has been answered and no upkeep runs. */
  drain(): Promise<void>;
}

interface OrgWrite extends SeriesWrite {
  org: string;
}

/** What the parts of a store share. */
interface Parts {
  database: Database;
  sealing: Sealing;
  keys: BatchKeys;
  registry: Registry;
  lastSeen: LastSeen;
}

/** How far before a range its first rate may look for the sample before, milliseconds. */
const LOOK_BACK_MS = 300_000;

/** Stores a group of batches in one transaction. */
function createCommit({ database, keys, registry, lastSeen }: Parts, generation: () => number) {
  const samples = createSampleColumns();
  return async (writes: readonly OrgWrite[]): Promise<void> => {
    const fresh = newWrites(keys, writes);
    if (fresh.length === 0) return;
    const additions = noAdditions();
    const touched: { columns: Int32Array; timeMs: number; values: Float64Array }[] = [];
    samples.clear();
    for (const write of fresh) {
      const columnsOf = registry.resolve(write.org, write, additions);
      for (const { table, timeMs, values } of write.blocks) {
        const columns = columnsOf.get(table) as Int32Array;
        samples.add(columns, timeMs, values);
        touched.push({ columns, timeMs, values });
      }
    }
    const batchKeys = fresh.map(({ org, key }) => ({ org, ...key }));
    await inTransaction(database.writer, async () => {
      await samples.appendTo(database, generation());
      await runAll(database.writer, [...registry.storing(additions), keys.remembering(batchKeys)]);
    });
    registry.stored(additions);
    keys.remembered(batchKeys);
    for (const { columns, timeMs, values } of touched)
      for (const [index, id] of columns.entries()) if (!Number.isNaN(values[index] ?? NaN)) lastSeen.see(id, timeMs);
  };
}

function whereOf(ids: readonly number[], from: number, to: number): string {
  const low = ids.reduce((least, id) => Math.min(least, id));
  const high = ids.reduce((most, id) => Math.max(most, id));
  // The range prunes row groups of sorted files; the list then picks.
  return `series BETWEEN ${low} AND ${high} AND series IN (${ids.join(', ')}) AND t >= ${from} AND t < ${to}`;
}

/** Answers queries. Ranges are whole steps: one that has begun counts with all its samples, whatever tier answers. */
function createAnswers(parts: Parts, rollup: Rollup, beginsMs: (tier: Tier) => number) {
  const { database, sealing, registry, lastSeen } = parts;
  return async (org: string, query: SeriesQuery): Promise<SeriesPoints[]> => {
    const tier = tierFor(TIERS, query.step, query.from, beginsMs);
    const step = Math.max(query.step, tier.bucketMs);
    const from = Math.floor(query.from / step) * step;
    const to = Math.ceil(query.to / step) * step;
    const selected = query.names.flatMap((name) => {
      // What fell silent before the range must not stand in for what followed it.
      const alive = registry.find(org, query.resource, name).filter(({ id }) => lastSeen.of(id) >= from);
      return selectSeries(alive, query);
    });
    if (selected.length === 0 || query.to <= query.from) return [];
    const counts = selected.some(({ kind }) => kind === 'counter');
    const wanted = { from: counts ? from - Math.max(step, LOOK_BACK_MS) : from, to };
    const ids = selected.map(({ id }) => id);
    const columns = await sealing.look((view) => {
      const partials = rollup.partials(tier, view, { where: whereOf(ids, wanted.from, to), ...wanted });
      const numbers = 'series::DOUBLE, t::DOUBLE, n::DOUBLE, s, mn, mx, ft::DOUBLE, f, lt::DOUBLE, l';
      return database.numbers(`SELECT ${numbers} FROM (${gathered(partials, step)}) ORDER BY series, t`);
    });
    return answerOf(selected, stepRows(columns), { ...query, from, step });
  };
}

/** Where each tier begins: the age limit, or where the disk limit has cut it. */
async function openBegins(database: Database, clock: Clock) {
  await database.run('CREATE TABLE IF NOT EXISTS tier_begins (tier VARCHAR, ms DOUBLE)');
  const cut = new Map(
    (await database.read('SELECT tier, max(ms) FROM tier_begins GROUP BY tier')).map(([tier, ms]) => [
      String(tier),
      Number(ms),
    ]),
  );
  let retention: SeriesRetention | undefined;
  return {
    of: (tier: Tier): number =>
      Math.max(cut.get(tier.name) ?? 0, retention === undefined ? 0 : oldestKept(tier, retention, clock.now())),
    keep: (kept: SeriesRetention) => void (retention = kept),
    async cut(tier: string, ms: number) {
      if (ms <= (cut.get(tier) ?? 0)) return;
      cut.set(tier, ms);
      await database.run(`INSERT INTO tier_begins VALUES ('${tier}', ${ms})`);
    },
  };
}

/** What keeps the store small; each runs alone. */
function createUpkeep(
  parts: Parts,
  rollup: Rollup,
  given: { clock: Clock; between<T>(work: () => Promise<T>): Promise<T> },
) {
  const { database, sealing, keys, registry } = parts;
  return {
    async tidy(): Promise<void> {
      await rollup.gather();
      await rollup.seal();
      await sealing.cleanOne();
      await given.between(async () => {
        await keys.compact();
        await registry.trim();
      });
    },
    async retain(retention: SeriesRetention, begins: Awaited<ReturnType<typeof openBegins>>): Promise<void> {
      begins.keep(retention);
      // Old rows that no coarser tier has gathered yet would outlive their own.
      await rollup.gather(true);
      const { files } = sealing.view();
      const otherBytes = bytesOf(database.folder) - files.reduce((sum, { bytes }) => sum + bytes, 0);
      const { old, over } = filesLeaving(files, retention, { nowMs: given.clock.now(), otherBytes });
      for (const { table, toMs } of over) await begins.cut(table, Math.min(toMs + 1, given.clock.now()));
      await sealing.remove([...old, ...over]);
      for (const tier of TIERS) await rollup.forget(tier, oldestKept(tier, retention, given.clock.now()));
    },
    async deleteResource(org: string, resource: string): Promise<void> {
      const owners = registry.list(org, resource).map(({ id }) => id);
      // Between transactions: one that had looked its tables up before would store samples that nothing names.
      await given.between(async () => {
        const order = sealing.forgetting(owners);
        await database.change([...registry.forgetting(org, resource), ...order.statements]);
        registry.forgotten(org, resource);
        order.committed();
      });
      if (owners.length === 0) return;
      for (const { name } of TIERS) await database.run(`DELETE FROM ${name} WHERE series IN (${owners.join(', ')})`);
    },
  };
}

/**
 * Opens the store over a database. Measured on two shared cores (test/bench/series.ts): 50,000 samples a second in 100 batches took 37 % of a core, a
 * batch was durable after 56 ms (median), four names of ten series over an hour in steps of 10 s took 25 ms; 0.6–0.7 bytes a sealed sample.
 */
export async function openSeriesStore(database: Database, clock: Clock): Promise<EmbeddedSeriesStore> {
  await createHotTables(database);
  const sealing = await openSealing(database, clock, TIERS);
  const keys = await openBatchKeys(database);
  const registry = await openRegistry(database);
  const lastSeen = await openLastSeen(database, 'SELECT series AS number, t FROM raw');
  const parts = { database, sealing, keys, registry, lastSeen };
  const begins = await openBegins(database, clock);
  const alone = createTurns();
  const group = createGroupCommit<OrgWrite>({ clock, laneOf, commit: (writes) => commit(writes) });
  const rollup = await openRollup({ ...parts, clock, between: group.between });
  const commit = createCommit(parts, rollup.generation);
  const keeping = createUpkeep(parts, rollup, { clock, between: group.between });
  return {
    append: (org, write) => group.add({ ...write, org }),
    query: createAnswers(parts, rollup, begins.of),
    acknowledged: (org, agent, epoch) =>
      Promise.resolve({ live: keys.newest(org, agent, epoch, 1), backfill: keys.newest(org, agent, epoch, 2) }),
    list: (org, resource) =>
      Promise.resolve(
        registry
          .list(org, resource)
          .map(({ id, name, kind, attributes }) => ({ name, kind, attributes, lastMs: lastSeen.of(id) })),
      ),
    deleteResource: (org, resource) => alone(() => keeping.deleteResource(org, resource)),
    retain: (retention) => alone(() => keeping.retain(retention, begins)),
    usage: () =>
      sealing.look(async ({ files, marks }) => {
        const [row] = await database.read(
          `SELECT count(*)::DOUBLE, min(t)::DOUBLE FROM raw WHERE g > ${marks['raw'] ?? 0}`,
        );
        const raw = files.filter(({ table }) => table === 'raw').reduce((sum, { rows }) => sum + rows, 0);
        const times = [...files.map(({ fromMs }) => fromMs), ...(typeof row?.[1] === 'number' ? [row[1]] : [])];
        return {
          bytes: bytesOf(database.folder),
          samples: raw + Number(row?.[0] ?? 0),
          oldestMs: times.length === 0 ? undefined : times.reduce((least, ms) => Math.min(least, ms)),
        };
      }),
    check: async () => void (await database.read('SELECT 1')),
    upkeep: () => alone(keeping.tidy),
    async drain() {
      await group.drain();
      await alone(() => sealing.settled());
    },
  };
}
