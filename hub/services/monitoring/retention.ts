import { sql, type Kysely } from 'kysely';
import type { Relational } from '../../ports/relational.ts';
import type { SeriesStore } from '../../ports/series.ts';
import type { Retained } from './config.ts';
import { SCHEMA } from './store.ts';

interface RetentionTables {
  retention: { org_id: string; settings: string };
}
type Db = Kysely<RetentionTables>;

/** How long samples are kept: one answer for the whole store, the longest that any org asks for. */
export function createRetention(given: { relational: Relational; series: SeriesStore; defaults: Retained }) {
  const { relational, series, defaults } = given;
  const wishes = (): Promise<Retained[]> =>
    relational.outside<RetentionTables, Retained[]>(SCHEMA, async (db) => {
      const all = sql<{ settings: Retained }>`SELECT settings FROM retention_wishes()`;
      return (await all.execute(db)).rows.map(({ settings }) => settings);
    });
  const someLiveByDefaults = (): Promise<boolean> =>
    relational.outside<RetentionTables, boolean>(SCHEMA, async (db) => {
      const { rows } = await sql<{ yes: boolean }>`SELECT some_org_has_no_wish() AS yes`.execute(db);
      return rows[0]?.yes ?? true;
    });
  return {
    /** What an org has asked for; the settings file's values until then. */
    async of(org: string): Promise<Retained> {
      const row = await relational.forOrg(SCHEMA, org, (db: Db) =>
        db.selectFrom('retention').select('settings').executeTakeFirst(),
      );
      return (row?.settings as Retained | undefined) ?? defaults;
    },
    async keep(org: string, wish: Retained): Promise<void> {
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
      const counting = asked.length === 0 || (await someLiveByDefaults()) ? [...asked, defaults] : asked;
      const longest = (pick: (wish: Retained) => number): number => Math.max(...counting.map(pick));
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
