import { literal, type Database } from '../../duckdb/database.ts';

/** A file on a host, as lines name it. */
export interface Source {
  org: string;
  resource: string;
  source: string;
}

/** Sources that a transaction adds, by key; they count once it is committed. */
export type AddedSources = Map<string, { id: number; place: Source }>;

/** Numbers for the sources of lines, so that a line carries one small number. Numbers are never used again. */
export interface Dictionary {
  /** The number of a source; a new one is noted in `added`. */
  numberOf(place: Source, added: AddedSources): number;
  /** Statements that store what was added; run them in the transaction of the lines. */
  storing(added: AddedSources): string[];
  /** To be called once that transaction is committed. */
  stored(added: AddedSources): void;
  placeOf(id: number): Source | undefined;
  /** Numbers of an org's sources that fit. */
  find(org: string, resources?: readonly string[], source?: string): number[];
  /** Statements that forget a resource's sources. */
  forgetting(org: string, resource: string): string[];
  /** To be called once they are committed. */
  forgotten(org: string, resource: string): void;
}

const keyOf = ({ org, resource, source }: Source): string => JSON.stringify([org, resource, source]);

/** Loads the dictionary. */
export async function openDictionary(database: Database): Promise<Dictionary> {
  await database.run('CREATE TABLE IF NOT EXISTS source (id INTEGER, org VARCHAR, resource VARCHAR, source VARCHAR)');
  await database.run('CREATE TABLE IF NOT EXISTS source_highest (id INTEGER)');
  const byKey = new Map<string, number>();
  const byId = new Map<number, Source>();
  for (const [id, org, resource, source] of await database.read('SELECT id, org, resource, source FROM source')) {
    const place = { org: String(org), resource: String(resource), source: String(source) };
    byKey.set(keyOf(place), Number(id));
    byId.set(Number(id), place);
  }
  const [highest] = await database.read('SELECT coalesce(max(id), 0) FROM source_highest');
  let next = 1 + [...byId.keys()].reduce((most, id) => Math.max(most, id), Number(highest?.[0]));
  const idsOf = (org: string, fits: (place: Source) => boolean): number[] =>
    [...byId].filter(([, place]) => place.org === org && fits(place)).map(([id]) => id);
  return {
    numberOf(place, added) {
      const key = keyOf(place);
      const known = byKey.get(key) ?? added.get(key)?.id;
      if (known !== undefined) return known;
      added.set(key, { id: next, place });
      return next++;
    },
    storing(added) {
      if (added.size === 0) return [];
      const rows = [...added.values()].map(
        ({ id, place: { org, resource, source } }) =>
          `(${id}, ${literal(org)}, ${literal(resource)}, ${literal(source)})`,
      );
      return [`INSERT INTO source VALUES ${rows.join(', ')}`];
    },
    stored(added) {
      for (const [key, { id, place }] of added) {
        byKey.set(key, id);
        byId.set(id, place);
      }
    },
    placeOf: (id) => byId.get(id),
    find: (org, resources, source) =>
      idsOf(
        org,
        (place) =>
          (source === undefined || place.source === source) &&
          (resources === undefined || resources.includes(place.resource)),
      ),
    forgetting: (org, resource) => [
      'DELETE FROM source_highest',
      `INSERT INTO source_highest VALUES (${next})`,
      `DELETE FROM source WHERE org = ${literal(org)} AND resource = ${literal(resource)}`,
    ],
    forgotten(org, resource) {
      for (const id of idsOf(org, (place) => place.resource === resource)) {
        byKey.delete(keyOf(byId.get(id) as Source));
        byId.delete(id);
      }
    },
  };
}
