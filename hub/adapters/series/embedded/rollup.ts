import type { Clock } from '#sdk';
import { literal, type Database } from '../../duckdb/database.ts';
import type { LastSeen } from '../../duckdb/last-seen.ts';
import type { Sealing, View } from '../../duckdb/sealing.ts';
import { gathered, PARTIAL, PARTIAL_COLUMNS, RAW_AS_PARTIAL, TIERS, type Tier } from './tiers.ts';

/** How rows move on: raw ones gather into tiers by arrival, and all are sealed. One call of `gather` or `seal` at a time. */
export interface Rollup {
  /** Rows that arrive now carry this number; it grows with each pass. */
  generation(): number;
  /** SQL of everything that a tier can say, with what it has not gathered yet from the finer ones, as partial aggregates. */
  partials(tier: Tier, view: View, wanted: { where: string; from: number; to: number }): string;
  /** Gathers new rows into the coarser tiers that are due; into all of them when asked to. */
  gather(all?: boolean): Promise<void>;
  /** Seals hot rows that are many enough or old enough. */
  seal(): Promise<void>;
  /** Deletes hot rows of a tier that are older, once nothing coarser needs them. */
  forget(tier: Tier, beforeMs: number): Promise<void>;
}

/** What the rollup stands on. */
export interface RollupGiven {
  database: Database;
  sealing: Sealing;
  lastSeen: LastSeen;
  clock: Clock;
  /** Runs work while no transaction of new samples runs. */
  between<T>(work: () => Promise<T>): Promise<T>;
}

/** Hot rows of a tier over which it is sealed. At 50,000 samples a second raw rows are sealed each 80 s. */
const SEAL_ROWS = 4_000_000;

/** Rows of a tier that wait for the next coarser one, over which they do not wait for its time. */
const HEAP_ROWS = 1_000_000;

/** Makes the hot tables. */
export async function createHotTables(database: Database): Promise<void> {
  await database.run('CREATE TABLE IF NOT EXISTS raw (series INTEGER, t BIGINT, v DOUBLE, g INTEGER)');
  await database.run('CREATE TABLE IF NOT EXISTS gathered (tier VARCHAR, g INTEGER)');
  for (const { name } of TIERS.slice(1))
    await database.run(`CREATE TABLE IF NOT EXISTS ${name} (${PARTIAL}, g INTEGER)`);
}

const asPartial = ({ bucketMs }: Tier): string => (bucketMs === 0 ? RAW_AS_PARTIAL : PARTIAL_COLUMNS);

async function loadGathered(database: Database): Promise<Record<string, number>> {
  const gatheredUpTo: Record<string, number> = {};
  for (const { name } of TIERS.slice(1)) gatheredUpTo[name] = 0;
  for (const [tier, g] of await database.read('SELECT tier, max(g) FROM gathered GROUP BY tier'))
    gatheredUpTo[String(tier)] = Number(g);
  return gatheredUpTo;
}

/** Finds out where the process before this one stopped. */
export async function openRollup({ database, sealing, lastSeen, clock, between }: RollupGiven): Promise<Rollup> {
  const upTo = await loadGathered(database);
  const [newest] = await database.read('SELECT coalesce(max(g), 0) FROM raw');
  let generation = 1 + Math.max(Number(newest?.[0] ?? 0), sealing.view().marks['raw'] ?? 0, ...Object.values(upTo));
  const due = new Map<string, number>();
  const sealedAt = new Map(TIERS.map(({ name }) => [name, clock.monotonic()]));

  /** Rows of a tier that the next coarser one has gathered: nothing coarser needs them any more. */
  const doneUpTo = (tier: Tier): number => {
    const next = TIERS[TIERS.indexOf(tier) + 1];
    return upTo[(next ?? tier).name] ?? 0;
  };
  const gatherTier = async (finer: Tier, tier: Tier, until: number): Promise<void> => {
    const from = upTo[tier.name] ?? 0;
    if (until <= from) return;
    const rows = `SELECT ${asPartial(finer)} FROM ${finer.name} WHERE g > ${from} AND g <= ${until}`;
    await database.change([
      `INSERT INTO ${tier.name} SELECT *, ${until} AS g FROM (${gathered(rows, tier.bucketMs)})`,
      `DELETE FROM gathered WHERE tier = ${literal(tier.name)}`,
      `INSERT INTO gathered VALUES (${literal(tier.name)}, ${until})`,
    ]);
    upTo[tier.name] = until;
  };

  /** A back-fill of many hosts heaps up rows that no query should have to look through until the tier is due. */
  const isHeaped = async (finer: Tier, tier: Tier): Promise<boolean> => {
    const [row] = await database.read(`SELECT count(*)::DOUBLE FROM ${finer.name} WHERE g > ${upTo[tier.name]}`);
    return Number(row?.[0]) > HEAP_ROWS;
  };

  return {
    generation: () => generation,
    // Every number is written out: rows that move on while the query waits its turn are neither missed nor counted twice.
    partials(tier, view, { where, from, to }) {
      const parts: string[] = [];
      const paths = sealing.pathsIn(view, tier.name, { from, to });
      if (paths.length > 0)
        parts.push(`SELECT ${asPartial(tier)} FROM read_parquet([${paths.join(', ')}]) WHERE ${where}`);
      let after = view.marks[tier.name] ?? 0;
      for (let index = TIERS.indexOf(tier); index >= 0; index--) {
        const one = TIERS[index] as Tier;
        const limit = one.bucketMs === 0 ? '' : ` AND g <= ${upTo[one.name]}`;
        parts.push(`SELECT ${asPartial(one)} FROM ${one.name} WHERE g > ${after}${limit} AND ${where}`);
        after = upTo[one.name] ?? 0;
      }
      return parts.join(' UNION ALL ');
    },
    async gather(all = false) {
      // No transaction that carries this generation is on its way any more once the next one counts.
      const last = await between(() => Promise.resolve(generation++));
      for (const [index, tier] of TIERS.entries()) {
        const finer = TIERS[index - 1];
        if (finer === undefined) continue;
        const early = !all && clock.monotonic() < (due.get(tier.name) ?? 0);
        if (early && !(await isHeaped(finer, tier))) continue;
        await gatherTier(finer, tier, index === 1 ? last : (upTo[finer.name] ?? 0));
        due.set(tier.name, clock.monotonic() + tier.everyMs * 0.9);
      }
    },
    async seal() {
      for (const tier of TIERS) {
        const mark = sealing.view().marks[tier.name] ?? 0;
        const rows = `FROM ${tier.name} WHERE g > ${mark} AND g <= ${doneUpTo(tier)}`;
        const [row] = await database.read(`SELECT count(*)::DOUBLE ${rows}`);
        const old = clock.monotonic() - (sealedAt.get(tier.name) ?? 0) > tier.sealMs;
        const count = Number(row?.[0] ?? 0);
        if (count === 0 || !(old || count > SEAL_ROWS)) continue;
        const also = tier.bucketMs === 0 ? [lastSeen.keeping(`SELECT series, t ${rows}`)] : [];
        await sealing.seal(tier, doneUpTo(tier), also);
        sealedAt.set(tier.name, clock.monotonic());
      }
    },
    forget: (tier, beforeMs) =>
      database.run(`DELETE FROM ${tier.name} WHERE t < ${Math.round(beforeMs)} AND g <= ${doneUpTo(tier)}`),
  };
}
