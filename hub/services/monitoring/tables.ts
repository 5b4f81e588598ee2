import type { Clock } from '#sdk';
import { sql, type Generated, type Kysely } from 'kysely';
import { LRUCache } from 'lru-cache';
import type { Relational } from '../../ports/relational.ts';
import type { SeriesBlock, SeriesIdentity, SeriesTable } from '../../ports/series.ts';
import { SCHEMA } from './store.ts';

interface Tables {
  series_tables: { org_id: string; resource: string; id: string; series: string; used_on: Generated<Date> };
}
type Db = Kysely<Tables>;

/** Whose table it is: what one host says of a number says nothing about another's. */
interface Owner {
  org: string;
  resource: string;
}

/** Tables that are remembered in memory, of all orgs together: one has a few hundred names. */
const REMEMBERED = 5_000;
/** A table that no batch has used for so many days is forgotten; an agent sends it anew with its next connection. */
const UNUSED_DAYS = 30;
const DAY_MS = 86_400_000;

const usedBy = (blocks: readonly SeriesBlock[]): bigint[] => [...new Set(blocks.map(({ table }) => table))];

/** Where one host's table with a number is remembered. */
const place = ({ org, resource }: Owner, id: bigint): string => `${org} ${resource} ${id}`;

/** Tables in the database. */
function createTableRows(relational: Relational) {
  const within = <T>(org: string, work: (db: Db) => Promise<T>): Promise<T> => relational.forOrg(SCHEMA, org, work);
  const today = sql<Date>`current_date`;
  return {
    /** Reads some of a host's tables, and notes that they are in use. */
    async read({ org, resource }: Owner, ids: readonly bigint[]): Promise<SeriesTable[]> {
      const rows = await within(org, (db) =>
        db
          .updateTable('series_tables')
          .set({ used_on: today })
          .where('resource', '=', resource)
          .where('id', 'in', ids.map(String))
          .returning(['id', 'series'])
          .execute(),
      );
      return rows.map(({ id, series }) => ({ id: BigInt(id), series: JSON.parse(series) as SeriesIdentity[] }));
    },
    async write({ org, resource }: Owner, tables: readonly SeriesTable[]): Promise<void> {
      const rows = tables.map(({ id, series }) => ({
        org_id: org,
        resource,
        id: String(id),
        series: JSON.stringify(series),
      }));
      await within(org, (db) =>
        db
          .insertInto('series_tables')
          .values(rows)
          .onConflict((conflict) => conflict.columns(['org_id', 'resource', 'id']).doUpdateSet({ used_on: today }))
          .execute(),
      );
    },
    /** Notes that tables are in use, by host, and forgets those that nobody has used for long. */
    async tidy(org: string, inUse: ReadonlyMap<string, readonly string[]>): Promise<void> {
      await within(org, async (db) => {
        for (const [resource, ids] of inUse)
          await db
            .updateTable('series_tables')
            .set({ used_on: today })
            .where('resource', '=', resource)
            .where('id', 'in', ids)
            .execute();
        await db
          .deleteFrom('series_tables')
          .where('used_on', '<', sql<Date>`current_date - ${sql.lit(UNUSED_DAYS)}::int`)
          .execute();
      });
    },
  };
}

/** Tables of series, kept in the database. */
export function createTables(relational: Relational, clock: Clock) {
  const rows = createTableRows(relational);
  const tidied = new Map<string, number>();
  const known = new LRUCache<string, SeriesTable>({ max: REMEMBERED });
  const kept = new LRUCache<string, true>({ max: REMEMBERED });

  /** Once a day an org. An agent that stays connected does not send its tables again: those in memory are in use. */
  const tidy = async (org: string): Promise<void> => {
    const day = Math.floor(clock.now() / DAY_MS);
    if (tidied.get(org) === day) return;
    tidied.set(org, day);
    const inUse = new Map<string, string[]>();
    for (const key of known.keys()) {
      const [owner = '', resource = '', id = ''] = key.split(' ');
      if (owner === org) inUse.set(resource, [...(inUse.get(resource) ?? []), id]);
    }
    await rows.tidy(org, inUse);
  };

  return {
    /** The tables that some blocks use, from the batch itself and from memory, at once; undefined when one must be looked up. */
    atHand(owner: Owner, sent: readonly SeriesTable[], blocks: readonly SeriesBlock[]): SeriesTable[] | undefined {
      for (const table of sent) known.set(place(owner, table.id), table);
      const found = usedBy(blocks).map((id) => known.get(place(owner, id)));
      return found.every((table) => table !== undefined) ? found : undefined;
    },
    /** The same, after a look into the database. One that the host has never sent is left out. */
    async lookUp(owner: Owner, blocks: readonly SeriesBlock[]): Promise<SeriesTable[]> {
      const used = usedBy(blocks);
      const unknown = used.filter((id) => !known.has(place(owner, id)));
      if (unknown.length > 0)
        for (const table of await rows.read(owner, unknown)) known.set(place(owner, table.id), table);
      return used.flatMap((id) => known.get(place(owner, id)) ?? []);
    },
    /** Writes down what a batch has sent, once each. */
    async keep(owner: Owner, sent: readonly SeriesTable[]): Promise<void> {
      const fresh = sent.filter(({ id }) => !kept.has(place(owner, id)));
      if (fresh.length === 0) return;
      await rows.write(owner, fresh);
      for (const { id } of fresh) kept.set(place(owner, id), true);
      await tidy(owner.org);
    },
  };
}
export type SeriesTables = ReturnType<typeof createTables>;
