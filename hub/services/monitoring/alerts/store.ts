import { sql, type Kysely, type Selectable } from 'kysely';
import { randomUUID } from 'node:crypto';
import type { Relational } from '../../../ports/relational.ts';
import { problems } from './errors.ts';
import type { Firing } from './firing.ts';
import { demandFences, firingStore, shardStore, writeFiring, type FiringWrite } from './firing-store.ts';
import { BUILT_IN_RULES, type Rule } from './rule.ts';
import { silenceOf, type Silence } from './silence.ts';
import type { AlertTables } from './tables.ts';

const SCHEMA = 'monitoring';
/** Rules of an organisation: each is looked at for every series. */
const MOST_RULES = 1000;
const MOST_SILENCES = 1000;

type Db = Kysely<AlertTables>;

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

/** A transition with the right to write it down. */
export interface FencedWrite {
  shard: number;
  fence: number;
  entry: FiringWrite;
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

/** The only part of alerts that speaks to the database. */
export function createStore(relational: Relational) {
  const within = <T>(org: string, work: (db: Db) => Promise<T>): Promise<T> => relational.forOrg(SCHEMA, org, work);
  return {
    ...ruleStore(within),
    ...silenceStore(within),
    ...firingStore(within),
    ...shardStore(within),
    /** Every org that has rules. */
    async orgs(): Promise<string[]> {
      const query = (db: Db) => sql<{ org: string }>`SELECT org FROM alert_orgs()`.execute(db);
      const rows = await relational.outside<AlertTables, { org: string }[]>(
        SCHEMA,
        async (db) => (await query(db)).rows,
      );
      return rows.map(({ org }) => org);
    },
    /** What tells an org's rules as they are now from what they were, by org. */
    async ruleVersions(): Promise<Map<string, string>> {
      const query = (db: Db) => sql<{ org: string; version: string }>`SELECT * FROM alert_rule_versions()`.execute(db);
      const { rows } = await relational.outside<AlertTables, Awaited<ReturnType<typeof query>>>(SCHEMA, query);
      return new Map(rows.map(({ org, version }) => [org, version]));
    },
    /** Writes transitions in their order, all or none; gives the firings that changed for people. Rejects with `StaleOwner`. */
    write: (org: string, entries: readonly FencedWrite[]): Promise<Firing[]> =>
      within(org, async (db) => {
        const fences = new Map(entries.map((one) => [`${one.shard} ${one.fence}`, one]));
        await demandFences(db, org, [...fences.values()]);
        const news: Firing[] = [];
        for (const { entry } of entries) {
          const firing = await writeFiring(db, org, entry);
          if (firing !== undefined) news.push(firing);
        }
        return news;
      }),
  };
}
export type AlertStore = ReturnType<typeof createStore>;
