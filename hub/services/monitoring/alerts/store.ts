import { sql, type Kysely, type Selectable } from 'kysely';
import { randomUUID } from 'node:crypto';
import type { Relational } from '../../../ports/relational.ts';
import { problems } from './errors.ts';
import { firingOf, type Firing } from './firing.ts';
import { BUILT_IN_RULES, type Rule } from './rule.ts';
import { silenceOf, type Silence } from './silence.ts';
import type { AlertTables } from './tables.ts';

const SCHEMA = 'monitoring';
/** Rules of an organisation: each is looked at for every series. */
const MOST_RULES = 1000;
const MOST_SILENCES = 1000;

type Db = Kysely<AlertTables>;
type Page = { limit: number; offset: number };

function ruleOf(row: Selectable<AlertTables['alert_rules']>): Rule {
  return {
    id: row.id,
    name: row.name,
    resource: row.resource_id,
    metric: row.metric_name,
    operator: row.comparison_operator,
    threshold: row.threshold_value,
    clear: row.clear_value,
    forSeconds: row.for_seconds,
    keepFiringSeconds: row.keep_firing_seconds,
    severity: row.severity,
    channels: row.notification_channels as unknown as string[],
    filter: row.filter as unknown as Record<string, string>,
    enabled: row.enabled,
    builtIn: row.built_in,
  };
}

const ruleColumns = (rule: Omit<Rule, 'id'>) => ({
  name: rule.name,
  resource_id: rule.resource,
  metric_name: rule.metric,
  comparison_operator: rule.operator,
  threshold_value: rule.threshold,
  clear_value: rule.clear,
  for_seconds: rule.forSeconds,
  keep_firing_seconds: rule.keepFiringSeconds,
  severity: rule.severity,
  notification_channels: JSON.stringify(rule.channels),
  filter: JSON.stringify(rule.filter),
  enabled: rule.enabled,
  built_in: rule.builtIn,
});

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

/** What the store knows of rules. */
function ruleStore(within: <T>(org: string, work: (db: Db) => Promise<T>) => Promise<T>) {
  return {
    /** All rules of an org; those that everyone has are made when they are missing. */
    rules: (org: string): Promise<Rule[]> =>
      within(org, async (db) => {
        const read = async () => (await db.selectFrom('alert_rules').selectAll().orderBy('name').execute()).map(ruleOf);
        const there = await read();
        const missing = BUILT_IN_RULES.filter(({ builtIn }) => !there.some((rule) => rule.builtIn === builtIn));
        if (missing.length === 0) return there;
        const rows = missing.map((rule) => ({ id: randomUUID(), org_id: org, ...ruleColumns(rule) }));
        await db
          .insertInto('alert_rules')
          .values(rows)
          .onConflict((conflict) => conflict.doNothing())
          .execute();
        return read();
      }),
    addRule: (org: string, rule: Omit<Rule, 'id'>): Promise<Rule> =>
      within(org, async (db) => {
        const { count } = await db
          .selectFrom('alert_rules')
          .select((eb) => eb.fn.countAll<number>().as('count'))
          .executeTakeFirstOrThrow();
        if (count >= MOST_RULES) throw problems.tooMany(`An organisation has at most ${MOST_RULES} rules.`);
        const values = { id: randomUUID(), org_id: org, ...ruleColumns(rule) };
        return ruleOf(await db.insertInto('alert_rules').values(values).returningAll().executeTakeFirstOrThrow());
      }),
    changeRule: (org: string, { id, ...rule }: Rule): Promise<Rule | undefined> =>
      within(org, async (db) => {
        const set = { ...ruleColumns(rule), updated_at: sql<Date>`now()` };
        const row = await db.updateTable('alert_rules').set(set).where('id', '=', id).returningAll().executeTakeFirst();
        return row && ruleOf(row);
      }),
    removeRule: (org: string, id: string): Promise<boolean> =>
      within(org, async (db) => {
        const gone = await db.deleteFrom('alert_rules').where('id', '=', id).executeTakeFirst();
        return gone.numDeletedRows > 0n;
      }),
  };
}

function silenceStore(within: <T>(org: string, work: (db: Db) => Promise<T>) => Promise<T>) {
  return {
    /** Silences that have not ended, the next to end first. */
    silences: (org: string, nowMs: number): Promise<Silence[]> =>
      within(org, async (db) => {
        const query = db.selectFrom('silences').selectAll().where('ends_at', '>', new Date(nowMs));
        return (await query.orderBy('ends_at').limit(MOST_SILENCES).execute()).map(silenceOf);
      }),
    addSilence: (org: string, silence: Omit<Silence, 'id' | 'createdMs'>): Promise<Silence> =>
      within(org, async (db) => {
        const { count } = await db
          .selectFrom('silences')
          .select((eb) => eb.fn.countAll<number>().as('count'))
          .where('ends_at', '>', new Date(silence.fromMs))
          .executeTakeFirstOrThrow();
        if (count >= MOST_SILENCES) throw problems.tooMany(`An organisation has at most ${MOST_SILENCES} silences.`);
        const row = await db
          .insertInto('silences')
          .values({
            id: randomUUID(),
            org_id: org,
            rule_id: silence.rule,
            resource_id: silence.resource,
            severity: silence.severity,
            starts_at: new Date(silence.fromMs),
            ends_at: new Date(silence.toMs),
            author: silence.author,
            reason: silence.reason,
          })
          .returningAll()
          .executeTakeFirstOrThrow();
        return silenceOf(row);
      }),
    removeSilence: (org: string, id: string): Promise<boolean> =>
      within(org, async (db) => {
        const gone = await db.deleteFrom('silences').where('id', '=', id).executeTakeFirst();
        return gone.numDeletedRows > 0n;
      }),
  };
}

function firingStore(within: <T>(org: string, work: (db: Db) => Promise<T>) => Promise<T>) {
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
  | { kind: 'no-data'; id: string; noData: boolean };

async function write(db: Db, org: string, entry: FiringWrite): Promise<void> {
  if (entry.kind === 'no-data') {
    await db.updateTable('alert_firings').set({ no_data: entry.noData }).where('id', '=', entry.id).execute();
    return;
  }
  if (entry.kind === 'resolved') {
    const { id, value, peak, atMs, outcome } = entry;
    const set = { state: 'resolved', outcome, resolved_value: value, peak_value: peak, no_data: false } as const;
    await db
      .updateTable('alert_firings')
      // Who was not told that it fires, because of a silence, is not told that it is over.
      .set({
        ...set,
        resolved_at: new Date(atMs),
        told: sql<'nobody'>`CASE WHEN silenced AND told = 'nobody' THEN 'resolved' ELSE told END`,
      })
      .where('id', '=', id)
      .where('state', '=', 'firing')
      .execute();
    return;
  }
  const { firing } = entry;
  await db
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
    .execute();
}

/** The only part of alerts that speaks to the database. */
export function createStore(relational: Relational) {
  const within = <T>(org: string, work: (db: Db) => Promise<T>): Promise<T> => relational.forOrg(SCHEMA, org, work);
  return {
    ...ruleStore(within),
    ...silenceStore(within),
    ...firingStore(within),
    /** Every org that has rules. */
    async orgs(): Promise<string[]> {
      const query = (db: Db) => sql<{ org: string }>`SELECT org FROM alert_orgs()`.execute(db);
      const rows = await relational.outside<AlertTables, { org: string }[]>(
        SCHEMA,
        async (db) => (await query(db)).rows,
      );
      return rows.map(({ org }) => org);
    },
    /** Writes transitions in their order, all or none. */
    write: (org: string, entries: readonly FiringWrite[]): Promise<void> =>
      within(org, async (db) => {
        for (const entry of entries) await write(db, org, entry);
      }),
  };
}
export type AlertStore = ReturnType<typeof createStore>;
