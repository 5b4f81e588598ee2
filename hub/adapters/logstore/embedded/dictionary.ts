import type { LogFilter } from '../../../ports/logstore.ts';
import { literal, type Database } from '../../duckdb/database.ts';

/** A file on a host, as lines name it, and what wrote them: a file that several programs write has several numbers. */
export interface Source {
  org: string;
  resource: string;
  source: string;
  /** As JSON, in the order of their names; empty where there are none. */
  attributes: string;
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
  find(org: string, filter?: Pick<LogFilter, 'resources' | 'source' | 'attributes'>): number[];
  /** Statements that forget a resource's sources. */
  forgetting(org: string, resource: string): string[];
  /** To be called once they are committed. */
  forgotten(org: string, resource: string): void;
}

const fileOf = ({ org, resource, source }: Source): string => JSON.stringify([org, resource, source]);
const keyOf = (place: Source): string => `${fileOf(place)}${place.attributes}`;

/** Sets of attributes that one file may have; lines of others are kept without. */
const SETS = 256;

function fitsAttributes({ attributes }: Source, asked: LogFilter['attributes'] = []): boolean {
  if (asked.length === 0) return true;
  const own = (attributes === '' ? {} : JSON.parse(attributes)) as Record<string, string>;
  return asked.every(({ name }) => asked.some((one) => one.name === name && own[name] === one.value));
}

/** Loads the dictionary. */
export async function openDictionary(database: Database): Promise<Dictionary> {
  await database.run('CREATE TABLE IF NOT EXISTS source (id INTEGER, org VARCHAR, resource VARCHAR, source VARCHAR)');
  await database.run("ALTER TABLE source ADD COLUMN IF NOT EXISTS attributes VARCHAR DEFAULT ''");
  await database.run('CREATE TABLE IF NOT EXISTS source_highest (id INTEGER)');
  const byKey = new Map<string, number>();
  const byId = new Map<number, Source>();
  const sets = new Map<string, number>();
  const know = (id: number, place: Source): void => {
    byKey.set(keyOf(place), id);
    byId.set(id, place);
    sets.set(fileOf(place), 1 + (sets.get(fileOf(place)) ?? 0));
  };
  const stored = 'SELECT id, org, resource, source, attributes FROM source';
  for (const [id, org, resource, source, attributes] of await database.read(stored)) {
    const place = { org: String(org), resource: String(resource), source: String(source) };
    know(Number(id), { ...place, attributes: String(attributes ?? '') });
  }
  const [highest] = await database.read('SELECT coalesce(max(id), 0) FROM source_highest');
  let next = 1 + [...byId.keys()].reduce((most, id) => Math.max(most, id), Number(highest?.[0]));
  const idsOf = (org: string, fits: (place: Source) => boolean): number[] =>
    [...byId].filter(([, place]) => place.org === org && fits(place)).map(([id]) => id);
  return {
    numberOf(given, added) {
      const known = byKey.get(keyOf(given)) ?? added.get(keyOf(given))?.id;
      if (known !== undefined) return known;
      const isBeyond = given.attributes !== '' && (sets.get(fileOf(given)) ?? 0) >= SETS;
      const place = isBeyond ? { ...given, attributes: '' } : given;
      const key = keyOf(place);
      const plain = isBeyond ? (byKey.get(key) ?? added.get(key)?.id) : undefined;
      if (plain !== undefined) return plain;
      added.set(key, { id: next, place });
      return next++;
    },
    storing(added) {
      if (added.size === 0) return [];
      const rows = [...added.values()].map(
        ({ id, place: { org, resource, source, attributes } }) =>
          `(${id}, ${[org, resource, source, attributes].map(literal).join(', ')})`,
      );
      return [`INSERT INTO source (id, org, resource, source, attributes) VALUES ${rows.join(', ')}`];
    },
    stored(added) {
      for (const { id, place } of added.values()) know(id, place);
    },
    placeOf: (id) => byId.get(id),
    find: (org, { resources, source, attributes } = {}) =>
      idsOf(
        org,
        (place) =>
          (source === undefined || place.source === source) &&
          (resources === undefined || resources.includes(place.resource)) &&
          fitsAttributes(place, attributes),
      ),
    forgetting: (org, resource) => [
      'DELETE FROM source_highest',
      `INSERT INTO source_highest VALUES (${next})`,
      `DELETE FROM source WHERE org = ${literal(org)} AND resource = ${literal(resource)}`,
    ],
    forgotten(org, resource) {
      for (const id of idsOf(org, (place) => place.resource === resource)) {
        const place = byId.get(id) as Source;
        byKey.delete(keyOf(place));
        sets.delete(fileOf(place));
        byId.delete(id);
      }
    },
  };
}
