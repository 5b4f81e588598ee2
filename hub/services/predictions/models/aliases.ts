import type { Clock } from '#sdk';
import { sql } from 'kysely';
import { give } from '../detection.ts';
import { problems } from '../errors.ts';
import { lockResource, type Db, type PredictionsStore } from '../store.ts';
import type { AliasName, Gate, WantedModel } from '../tables.ts';

/** Moves that are kept of one host. */
const MOST_MOVES = 200;

/** Which model an alias names. */
export interface Alias {
  version: string;
  sinceMs: number;
  by: string;
}

/** What an alias named before and after. */
export interface Move {
  alias: AliasName;
  version: string | null;
  before: string | null;
  atMs: number;
  by: string;
  reason: string;
}

/** A champion and the shadow beside it, and since when the two are there. */
export interface Pair {
  resource: string;
  champion: string;
  shadow: string;
  sinceMs: number;
}

/** A wish to let an alias name something else. */
export interface Wish {
  resource: string;
  alias: AliasName;
  /** Null: nothing. */
  version: string | null;
  by: string;
  reason: string;
}

export const readAliases = (db: Db, resource: string) =>
  db.selectFrom('aliases').selectAll().where('resource', '=', resource).orderBy('alias').execute();

export async function aliasesOf(db: Db, versions: readonly string[]): Promise<Map<string, AliasName[]>> {
  const found = new Map<string, AliasName[]>(versions.map((version) => [version, []]));
  if (versions.length === 0) return found;
  const rows = await db.selectFrom('aliases').select(['version', 'alias']).where('version', 'in', [...versions]).orderBy('alias').execute(); // prettier-ignore
  for (const { version, alias } of rows) found.get(version)?.push(alias);
  return found;
}

/** Writes down what the aliases of a host name now as what its agent is to have. */
async function tellAgent(db: Db, org: string, resource: string, nowMs: number): Promise<void> {
  const rows = await db
    .selectFrom('aliases')
    .innerJoin('models', (join) => join.onRef('models.version', '=', 'aliases.version'))
    .select(['aliases.alias', 'aliases.version', 'models.digest'])
    .where('aliases.resource', '=', resource)
    .orderBy('aliases.alias')
    .execute();
  await give(db, { org, agent: resource }, { wanted: rows satisfies WantedModel[] }, nowMs);
}

/** Lets one alias name something else; false when it did already. */
async function moveOne(db: Db, org: string, { resource, alias, version, by, reason }: Wish, nowMs: number) {
  const now = (await readAliases(db, resource)).find((one) => one.alias === alias);
  const before = now?.version ?? null;
  if (before === version) return false;
  const named = db.deleteFrom('aliases').where('resource', '=', resource).where('alias', '=', alias);
  await named.execute();
  if (version !== null)
    await db
      .insertInto('aliases')
      .values({ org_id: org, resource, alias, version, since_ms: nowMs, made_by: by })
      .execute();
  const move = { org_id: org, resource, alias, version, before, at_ms: nowMs, made_by: by, reason };
  await db.insertInto('alias_moves').values(move).execute();
  return true;
}

/** Moves an alias; what becomes champion is no shadow any more. */
export async function move(db: Db, org: string, wish: Wish, nowMs: number): Promise<void> {
  const { resource, alias, version } = wish;
  if (!(await moveOne(db, org, wish, nowMs)) || version === null) return tellAgent(db, org, resource, nowMs);
  const twin = (await readAliases(db, resource)).find((one) => one.alias !== alias && one.version === version);
  if (twin !== undefined) await moveOne(db, org, { ...wish, alias: twin.alias, version: null }, nowMs);
  await tellAgent(db, org, resource, nowMs);
}

const readModel = (db: Db, version: string) =>
  db.selectFrom('models').select(['resource', 'gate']).where('version', '=', version).executeTakeFirst();

/** The version that the champion was before the newest move of that alias. */
export async function championBefore(db: Db, resource: string): Promise<string | undefined> {
  const newest = await db
    .selectFrom('alias_moves')
    .select('before')
    .where('resource', '=', resource)
    .where('alias', '=', 'champion')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  const before = newest?.before ?? undefined;
  return before !== undefined && (await readModel(db, before)) !== undefined ? before : undefined;
}

export const forgetMoves = (db: Db, resource: string): Promise<unknown> =>
  sql`DELETE FROM alias_moves WHERE resource = ${resource} AND id NOT IN (
    SELECT id FROM alias_moves WHERE resource = ${resource} ORDER BY id DESC LIMIT ${MOST_MOVES})`.execute(db);

const refusalOf = ({ checks }: Gate): string =>
  checks
    .filter(({ passed }) => !passed)
    .map(({ words }) => words)
    .join(' ');

/** Throws unless a host may be judged by a version. */
async function demand(db: Db, { resource, alias, version }: Wish, force: boolean): Promise<void> {
  if (version === null) return;
  const model = await readModel(db, version);
  if (model?.resource !== resource) throw problems.noModel('This host has no such model.');
  if (
    alias === 'shadow' &&
    (await readAliases(db, resource)).some((one) => one.alias === 'champion' && one.version === version)
  )
    throw problems.isChampion(`${version} is the champion; it cannot be tried beside itself.`);
  if (!model.gate.passed && !force) throw problems.gateClosed(refusalOf(model.gate));
}

const isStill = (rows: Awaited<ReturnType<typeof readAliases>>, { champion, shadow }: Pair): boolean =>
  rows.every(({ alias, version }) => version === (alias === 'champion' ? champion : shadow)) && rows.length === 2;

/** Aliases of hosts: which of a host's models judges, and which is tried beside it. */
export function createAliases({ within }: Pick<PredictionsStore, 'within'>, clock: Clock) {
  return {
    /** Which models a host is judged by. */
    of: (org: string, resource: string) =>
      within(org, async (db) => {
        const rows = await readAliases(db, resource);
        const named = (alias: AliasName): Alias | null => {
          const row = rows.find((one) => one.alias === alias);
          return row === undefined ? null : { version: row.version, sinceMs: Number(row.since_ms), by: row.made_by };
        };
        return { champion: named('champion'), shadow: named('shadow') };
      }),
    /** Hosts that have both. */
    pairs: (org: string): Promise<Pair[]> =>
      within(org, async (db) => {
        const rows = await db
          .selectFrom('aliases as c')
          .innerJoin('aliases as s', (join) => join.onRef('s.resource', '=', 'c.resource').on('s.alias', '=', 'shadow'))
          .select([
            'c.resource',
            'c.version as champion',
            's.version as shadow',
            'c.since_ms as c_ms',
            's.since_ms as s_ms',
          ]) // prettier-ignore
          .where('c.alias', '=', 'champion')
          .execute();
        return rows.map(({ c_ms, s_ms, ...pair }) => ({ ...pair, sinceMs: Math.max(Number(c_ms), Number(s_ms)) }));
      }),
    /** The newest move first. */
    history: (org: string, resource: string): Promise<Move[]> =>
      within(org, async (db) => {
        const rows = await db.selectFrom('alias_moves').selectAll().where('resource', '=', resource).orderBy('id', 'desc').limit(MOST_MOVES).execute(); // prettier-ignore
        return rows.map(({ alias, version, before, at_ms, made_by, reason }) => ({ alias, version, before, atMs: Number(at_ms), by: made_by, reason })); // prettier-ignore
      }),
    /** The version that a roll-back leads to; null where there is none. */
    before: (org: string, resource: string): Promise<string | null> =>
      within(org, async (db) => (await championBefore(db, resource)) ?? null),
    /**
     * Lets an alias name a version, or nothing. One that did not pass its gate only with `force`. With `expected` nothing is done where the aliases name something else by
     * now.
     */
    move: (
      org: string,
      wish: Wish,
      { force = false, expected }: { force?: boolean; expected?: Pair } = {},
    ): Promise<void> =>
      within(org, async (db) => {
        await lockResource(db, wish.resource);
        if (expected !== undefined && !isStill(await readAliases(db, wish.resource), expected)) return;
        await demand(db, wish, force);
        await move(db, org, wish, clock.now());
      }),
    /** Lets the champion be what it was before; done twice, it is as it was. */
    rollBack: (org: string, resource: string, by: string): Promise<void> =>
      within(org, async (db) => {
        await lockResource(db, resource);
        const version = await championBefore(db, resource);
        if (version === undefined) throw problems.nothingBefore();
        await move(db, org, { resource, alias: 'champion', version, by, reason: 'rolled back' }, clock.now());
      }),
  };
}
export type Aliases = ReturnType<typeof createAliases>;
