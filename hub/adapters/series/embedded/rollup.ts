import type { Clock } from '#sdk';
import type { Database } from '../../duckdb/database.ts';
import type { Gate } from '../../duckdb/gate.ts';
import type { SealedFiles } from '../../duckdb/sealed-files.ts';
import { gathered, PARTIAL, PARTIAL_COLUMNS, RAW_AS_PARTIAL, TIERS, type Tier } from './tiers.ts';

/** Which generations each coarser tier has gathered from the tier before it. */
export type Gathered = Record<string, number>;

/** The hot tables and how their rows move on. */
export interface Rollup {
  /** Rows that arrive now carry this number; it grows with each pass. */
  generation(): number;
  gathered(): Readonly<Gathered>;
  /** Gathers new rows into the coarser tiers that are due. */
  gather(): Promise<void>;
  /** Seals hot rows that are many enough or old enough. */
  seal(): Promise<void>;
}

/** Hot rows of a tier over which it is sealed. At 50,000 samples a second raw rows are sealed each 80 s. */
const SEAL_ROWS = 4_000_000;
const SEAL_AGE_MS = 3_600_000;

const HOT = `
  CREATE TABLE IF NOT EXISTS raw (series INTEGER, t BIGINT, v DOUBLE, g INTEGER);
  CREATE TABLE IF NOT EXISTS gathered (tier VARCHAR, g INTEGER);
  ${TIERS.slice(1)
    .map(({ name }) => `CREATE TABLE IF NOT EXISTS ${name} (${PARTIAL}, g INTEGER);`)
    .join('\n')}
`;

/** What a hot table gives as partial aggregates. */
export function hotPartials(tier: Tier, where: string): string {
  return `SELECT ${tier.bucketMs === 0 ? RAW_AS_PARTIAL : PARTIAL_COLUMNS} FROM ${tier.name} WHERE ${where}`;
}

/** Opens the hot tables and finds out where the last process stopped. */
export async function openRollup(database: Database, sealed: SealedFiles, gate: Gate, clock: Clock): Promise<Rollup> {
  await database.writer.run(HOT);
  const state: Gathered = Object.fromEntries(TIERS.slice(1).map(({ name }) => [name, 0]));
  for (const [tier, g] of await database.read('SELECT tier, max(g) FROM gathered GROUP BY tier'))
    state[String(tier)] = Number(g);
  const [newest] = await database.read('SELECT coalesce(max(g), 0) FROM raw');
  let generation = 1 + Math.max(Number(newest?.[0] ?? 0), ...Object.values(state));
  const due = new Map<string, number>();
  const sealedAt = new Map(TIERS.map(({ name }) => [name, clock.monotonic()]));

  const gatherTier = async (finer: Tier, tier: Tier, upTo: number): Promise<void> => {
    const rows = hotPartials(finer, `g > ${state[tier.name]} AND g <= ${upTo}`);
    await database.change([
      `INSERT INTO ${tier.name} SELECT *, ${upTo} AS g FROM (${gathered(rows, tier.bucketMs)})`,
      `INSERT INTO gathered VALUES ('${tier.name}', ${upTo})`,
    ]);
    state[tier.name] = upTo;
  };

  /** Rows of a tier may be sealed once the next coarser tier has gathered them. */
  const sealableUpTo = (index: number): number => {
    const next = TIERS[index + 1];
    return next === undefined ? (state[TIERS[index]?.name ?? ''] ?? 0) : (state[next.name] ?? 0);
  };

  const sealTier = async (tier: Tier, upTo: number): Promise<void> => {
    const order = tier.bucketMs === 0 ? 'series, t, v' : PARTIAL_COLUMNS;
    const file = await sealed.write(
      tier.name,
      `SELECT ${order} FROM ${tier.name} WHERE g <= ${upTo} ORDER BY series, t`,
    );
    if (file === undefined) return;
    await gate.alone(async () => {
      await database.change([sealed.recording(file), `DELETE FROM ${tier.name} WHERE g <= ${upTo}`]);
      sealed.recorded(file);
    });
  };

  return {
    generation: () => generation,
    gathered: () => state,
    async gather() {
      const upTo = generation;
      generation += 1;
      for (const [index, tier] of TIERS.entries()) {
        const finer = TIERS[index - 1];
        if (finer === undefined || clock.monotonic() < (due.get(tier.name) ?? 0)) continue;
        // A coarser tier gathers what the finer one has gathered, so that nothing is counted twice or missed.
        await gatherTier(finer, tier, index === 1 ? upTo : (state[finer.name] ?? 0));
        due.set(tier.name, clock.monotonic() + tier.everyMs - 1_000);
      }
    },
    async seal() {
      for (const [index, tier] of TIERS.entries()) {
        const [row] = await database.read(`SELECT count(*)::DOUBLE FROM ${tier.name}`);
        const rows = Number(row?.[0] ?? 0);
        const old = clock.monotonic() - (sealedAt.get(tier.name) ?? 0) > SEAL_AGE_MS;
        if (rows === 0 || !(rows > SEAL_ROWS || old)) continue;
        await sealTier(tier, sealableUpTo(index));
        sealedAt.set(tier.name, clock.monotonic());
      }
    },
  };
}
