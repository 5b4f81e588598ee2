import { sql, type Kysely } from 'kysely';
import { firingOf, type Firing } from './firing.ts';
import { StaleOwner, type Fences } from './shards.ts';
import type { AlertTables } from './tables.ts';

type Db = Kysely<AlertTables>;
type Page = { limit: number; offset: number };

/** Closed episodes are looked at this far back by who takes a shard over, milliseconds. */
const RECENT_MS = 3_600_000;

/** What fires, and what was over lately, as a new owner finds it. */
export interface Found {
  open: readonly Firing[];
  closed: readonly Firing[];
  /** Shards whose token in the database is higher than the one that was offered. */
  ahead: Fences;
}

/** Writes a token down unless a higher one is there; the row stays locked until the transaction ends. True when it was. */
async function showFence(db: Db, org: string, shard: number, fence: number): Promise<boolean> {
  const row = await db
    .insertInto('alert_shards')
    .values({ org_id: org, shard, fence })
    .onConflict((conflict) =>
      conflict.columns(['org_id', 'shard']).doUpdateSet({ fence }).where('alert_shards.fence', '<=', fence),
    )
    .returning('fence')
    .executeTakeFirst();
  return row !== undefined;
}

/** Rejects with `StaleOwner` when one of the shards has a newer owner. */
export async function demandFences(
  db: Db,
  org: string,
  fences: readonly { shard: number; fence: number }[],
): Promise<void> {
  // In one order, so that two processes never wait for each other.
  const sorted = [...fences].sort((a, b) => a.shard - b.shard || a.fence - b.fence);
  for (const { shard, fence } of sorted)
    if (!(await showFence(db, org, shard, fence))) throw new StaleOwner(shard, fence);
}

async function takeOver(db: Db, org: string, fences: Fences, nowMs: number): Promise<Found> {
  for (const [shard, fence] of [...fences].sort(([a], [b]) => a - b)) await showFence(db, org, shard, fence);
  const shards = await db
    .selectFrom('alert_shards')
    .select(['shard', 'fence'])
    .where('shard', 'in', [...fences.keys()])
    .execute();
  const all = db.selectFrom('alert_firings').selectAll();
  const open = await all.where('state', '=', 'firing').execute();
  const recent = all.where('state', '=', 'resolved').where('resolved_at', '>', new Date(nowMs - RECENT_MS));
  const ahead = shards.filter(({ shard, fence }) => fence > (fences.get(shard) ?? Infinity));
  return {
    open: open.map(firingOf),
    closed: (await recent.execute()).map(firingOf),
    ahead: new Map(ahead.map(({ shard, fence }) => [shard, fence])),
  };
}

/** Which firings to list. */
export interface FiringFilter {
  state?: Firing['state'];
  rule?: string;
  resource?: string;
  severity?: Firing['severity'];
  /** Only what fired at or after, and before: milliseconds since 1970. */
  from?: number;
  to?: number;
}

function matching(db: Db, filter: FiringFilter) {
  let query = db.selectFrom('alert_firings');
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  if (filter.rule !== undefined) query = query.where('rule_id', '=', filter.rule);
  if (filter.resource !== undefined) query = query.where('resource_id', '=', filter.resource);
  if (filter.severity !== undefined) query = query.where('severity', '=', filter.severity);
  if (filter.from !== undefined) query = query.where('fired_at', '>=', new Date(filter.from));
  if (filter.to !== undefined) query = query.where('fired_at', '<', new Date(filter.to));
  return query;
}

/** What the store knows of who may write. */
export function shardStore(within: <T>(org: string, work: (db: Db) => Promise<T>) => Promise<T>) {
  return {
    /** Claims shards and reads what fires in the org. */
    takeOver: (org: string, fences: Fences, nowMs: number): Promise<Found> =>
      within(org, (db) => takeOver(db, org, fences, nowMs)),
    /** Ends what still fires on a resource that is removed, whoever owns it. */
    closeResource: (org: string, resource: string, atMs: number): Promise<void> =>
      within(org, async (db) => {
        const open = db.selectFrom('alert_firings').selectAll().where('resource_id', '=', resource);
        for (const { id, fired_value: value, peak_value: peak } of await open.where('state', '=', 'firing').execute())
          await writeFiring(db, org, { kind: 'resolved', id, value, peak, atMs, outcome: 'resource-removed' });
      }),
    /** Rejects with `StaleOwner` when one of the shards has a newer owner. */
    demand: (org: string, fences: Fences): Promise<void> =>
      within(org, (db) =>
        demandFences(
          db,
          org,
          [...fences].map(([shard, fence]) => ({ shard, fence })),
        ),
      ),
  };
}

/** What the store knows of firings. */
export function firingStore(within: <T>(org: string, work: (db: Db) => Promise<T>) => Promise<T>) {
  return {
    firings: (
      org: string,
      filter: FiringFilter,
      { limit, offset }: Page,
    ): Promise<{ items: Firing[]; total: number }> =>
      within(org, async (db) => {
        const found = matching(db, filter);
        const rows = await found
          .selectAll()
          .orderBy('fired_at', 'desc')
          .orderBy('id')
          .limit(limit)
          .offset(offset)
          .execute();
        const { total } = await found.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
        return { items: rows.map(firingOf), total };
      }),
    /** Acknowledges an open firing, or takes it back. */
    acknowledge: (org: string, id: string, by: Firing['acknowledged']): Promise<Firing | undefined> =>
      within(org, async (db) => {
        const set = {
          acknowledged_at: by === undefined ? null : new Date(by.atMs),
          acknowledged_by: by?.by ?? null,
          acknowledged_note: by?.note ?? null,
        };
        const open = db.updateTable('alert_firings').set(set).where('id', '=', id).where('state', '=', 'firing');
        const row = await open.returningAll().executeTakeFirst();
        return row && firingOf(row);
      }),
    /** Firings of which people know less than they should, oldest first. */
    untold: (org: string): Promise<Firing[]> =>
      within(org, async (db) => {
        const rows = await db
          .selectFrom('alert_firings')
          .selectAll()
          .where('told', '<>', 'resolved')
          .whereRef('told', '<>', 'state')
          .orderBy('fired_at')
          .limit(1000)
          .execute();
        return rows.map(firingOf);
      }),
    markTold: (org: string, id: string, told: Firing['told']): Promise<void> =>
      within(org, async (db) => {
        await db.updateTable('alert_firings').set({ told }).where('id', '=', id).execute();
      }),
    markSilenced: (org: string, id: string, silenced: boolean): Promise<void> =>
      within(org, async (db) => {
        await db.updateTable('alert_firings').set({ silenced }).where('id', '=', id).execute();
      }),
    forgetResource: (org: string, resource: string): Promise<void> =>
      within(org, async (db) => {
        await db.deleteFrom('alert_firings').where('resource_id', '=', resource).execute();
        await db.deleteFrom('silences').where('resource_id', '=', resource).execute();
        await db.deleteFrom('alert_rules').where('resource_id', '=', resource).where('built_in', 'is', null).execute();
      }),
    forgetBefore: (org: string, beforeMs: number): Promise<void> =>
      within(org, async (db) => {
        const old = new Date(beforeMs);
        await db.deleteFrom('alert_firings').where('state', '=', 'resolved').where('resolved_at', '<', old).execute();
        await db.deleteFrom('silences').where('ends_at', '<', old).execute();
      }),
  };
}

/** One transition to write down. */
export type FiringWrite =
  | { kind: 'fired'; firing: Firing }
  | { kind: 'resolved'; id: string; value: number; peak: number; atMs: number; outcome: NonNullable<Firing['outcome']> }
  | { kind: 'no-data'; id: string; noData: boolean }
  | { kind: 'peak'; id: string; peak: number };

/** Writes one transition down and gives what is known then; undefined when it is no news. */
export async function writeFiring(db: Db, org: string, entry: FiringWrite): Promise<Firing | undefined> {
  if (entry.kind === 'no-data' || entry.kind === 'peak') {
    const set = entry.kind === 'peak' ? { peak_value: entry.peak } : { no_data: entry.noData };
    await db.updateTable('alert_firings').set(set).where('id', '=', entry.id).execute();
    return undefined;
  }
  if (entry.kind === 'resolved') {
    const { id, value, peak, atMs, outcome } = entry;
    const set = { state: 'resolved', outcome, resolved_value: value, peak_value: peak, no_data: false } as const;
    const row = await db
      .updateTable('alert_firings')
      // Who was not told that it fires, because of a silence, is not told that it is over.
      .set({
        ...set,
        resolved_at: new Date(atMs),
        told: sql<'nobody'>`CASE WHEN silenced AND told = 'nobody' THEN 'resolved' ELSE told END`,
      })
      .where('id', '=', id)
      .where('state', '=', 'firing')
      .returningAll()
      .executeTakeFirst();
    return row && firingOf(row);
  }
  const { firing } = entry;
  const row = await db
    .insertInto('alert_firings')
    .values({
      id: firing.id,
      org_id: org,
      rule_id: firing.rule,
      rule_name: firing.ruleName,
      built_in: firing.builtIn,
      resource_id: firing.resource,
      resource_name: firing.resourceName,
      metric_name: firing.metric,
      attributes: JSON.stringify(firing.attributes),
      series_key: firing.seriesKey,
      severity: firing.severity,
      comparison_operator: firing.operator,
      threshold_value: firing.threshold,
      unit: firing.unit,
      channels: JSON.stringify(firing.channels),
      state: 'firing',
      outcome: null,
      fired_value: firing.firedValue,
      resolved_value: null,
      peak_value: firing.peak,
      started_at: new Date(firing.startedMs),
      fired_at: new Date(firing.firedMs),
      resolved_at: null,
      silenced: firing.silenced,
      acknowledged_at: null,
      acknowledged_by: null,
      acknowledged_note: null,
    })
    // Another hub that saw the same has opened it already, or this very write was tried before.
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst();
  return row && firingOf(row);
}
