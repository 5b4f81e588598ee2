import { sql, type Kysely } from 'kysely';
import type { Relational } from '../../ports/relational.ts';
import type { SeriesStore } from '../../ports/series.ts';
import type { MonitoringConfig } from './config.ts';
import { SCHEMA } from './store.ts';

interface RetentionTables {
  retention: { org_id: string; settings: string };
}
type Db = Kysely<RetentionTables>;

/** How long samples are kept: one answer for the whole store, the longest that any org asks for. */
export function createRetention(given: { relational: Relational; series: SeriesStore; defaults: MonitoringConfig }) {
  const { relational, series, defaults } = given;
  const wishes = (): Promise<MonitoringConfig[]> =>
    relational.outside<RetentionTables, MonitoringConfig[]>(SCHEMA, async (db) => {
      const all = sql<{ settings: MonitoringConfig }>`SELECT settings FROM retention_wishes()`;
      return (await all.execute(db)).rows.map(({ settings }) => settings);
    });
  return {
    /** What an org has asked for; the settings file's values until then. */
    async of(org: string): Promise<MonitoringConfig> {
      const row = await relational.forOrg(SCHEMA, org, (db: Db) =>
        db.selectFrom('retention').select('settings').executeTakeFirst(),
      );
      return (row?.settings as MonitoringConfig | undefined) ?? defaults;
    },
    async keep(org: string, wish: MonitoringConfig): Promise<void> {
      const settings = JSON.stringify(wish);
      await relational.forOrg(SCHEMA, org, (db: Db) =>
        db
          .insertInto('retention')
          .values({ org_id: org, settings })
          .onConflict((conflict) => conflict.column('org_id').doUpdateSet({ settings }))
          .execute(),
      );
    },
    /** Deletes what is older. Called now and then, and after a change. */
    async apply(): Promise<void> {
      const asked = await wishes();
      const counting = asked.length === 0 ? [defaults] : asked;
      const longest = (pick: (wish: MonitoringConfig) => number): number => Math.max(...counting.map(pick));
      await series.retain({
        raw: longest(({ rawDays }) => rawDays),
        tenSeconds: longest(({ tenSecondDays }) => tenSecondDays),
        minute: longest(({ minuteDays }) => minuteDays),
        hour: longest(({ hourDays }) => hourDays),
        diskLimit: longest(({ diskGb }) => diskGb) * 1e9,
      });
    },
  };
}
export type Retention = ReturnType<typeof createRetention>;
