import type { SeriesIdentity, SeriesTable, SeriesWrite } from '../../../ports/series.ts';
import { literal, type Database } from '../../duckdb/database.ts';
import type { NumberedSeries } from '../points/answer.ts';
import { problems } from '../points/errors.ts';

/** What is known of one resource. */
interface ResourceSeries {
  bySignature: Map<string, NumberedSeries>;
  byName: Map<string, NumberedSeries[]>;
  /** Table id → the numbers of its columns; the one used longest ago comes first. */
  tables: Map<bigint, Int32Array>;
}

interface Place {
  org: string;
  resource: string;
}

/** Series and tables that a transaction adds; they count once it is committed. */
export interface Additions {
  /** By place and signature, since a hub's first second may bring tens of thousands. */
  series: Map<string, Place & { series: NumberedSeries }>;
  tables: Map<string, Place & { id: bigint; columns: Int32Array }>;
}

/** Which series exist, by org and resource, in memory and in the database. */
export interface Registry {
  /** Numbers, which are never used again, for the columns of a write's tables, taking new ones where needed; throws when a block names an unknown table. */
  resolve(org: string, write: SeriesWrite, additions: Additions): Map<bigint, Int32Array>;
  /** Statements that store additions; run them in the transaction of their samples. */
  storing(additions: Additions): string[];
  /** To be called once that transaction is committed. */
  stored(additions: Additions): void;
  find(org: string, resource: string, name: string): readonly NumberedSeries[];
  list(org: string, resource: string): readonly NumberedSeries[];
  /** Statements that forget a resource. */
  forgetting(org: string, resource: string): string[];
  /** To be called once they are committed. */
  forgotten(org: string, resource: string): void;
  /** Forgets the tables over the limit of each resource: an agent sends one again when it is told that it is unknown. */
  trim(): Promise<void>;
}

/** Tables kept for each resource. A process list makes a new one whenever a new name comes to its top. */
const TABLE_LIMIT = 1_000;

/** Nothing to add yet. */
export function noAdditions(): Additions {
  return { series: new Map(), tables: new Map() };
}

/** Attributes in one order, so that equal sets are equal texts. */
export function signatureOf(name: string, attributes: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([name, ...sorted]);
}

const placeOf = (org: string, resource: string): string => JSON.stringify([org, resource]);
const ofPlace = (org: string, resource: string): string =>
  `WHERE org = ${literal(org)} AND resource = ${literal(resource)}`;

function addSeries(to: ResourceSeries, series: NumberedSeries): void {
  to.bySignature.set(signatureOf(series.name, series.attributes), series);
  const same = to.byName.get(series.name);
  if (same === undefined) to.byName.set(series.name, [series]);
  else same.push(series);
}

/** The resources of all orgs in memory. */
function createPlaces() {
  const places = new Map<string, ResourceSeries>();
  return {
    places,
    find: (org: string, resource: string) => places.get(placeOf(org, resource)),
    at(org: string, resource: string): ResourceSeries {
      const place = placeOf(org, resource);
      const there = places.get(place) ?? { bySignature: new Map(), byName: new Map(), tables: new Map() };
      places.set(place, there);
      return there;
    },
  };
}
type Places = ReturnType<typeof createPlaces>;

const TABLES = [
  'CREATE TABLE IF NOT EXISTS series (id INTEGER, org VARCHAR, resource VARCHAR, name VARCHAR, kind VARCHAR, attributes VARCHAR)',
  'CREATE TABLE IF NOT EXISTS columns_of (org VARCHAR, resource VARCHAR, id UBIGINT, series VARCHAR)',
  'CREATE TABLE IF NOT EXISTS series_highest (id INTEGER)',
];

async function load(database: Database): Promise<{ places: Places; highest: number }> {
  for (const statement of TABLES) await database.run(statement);
  const places = createPlaces();
  // Forgotten resources leave no series behind; their numbers must not come back, so the highest ever is kept too.
  const [row] = await database.read('SELECT coalesce(max(id), 0) FROM series_highest');
  let highest = Number(row?.[0]);
  for (const [id, org, resource, name, kind, attributes] of await database.read('SELECT * FROM series ORDER BY id')) {
    addSeries(places.at(String(org), String(resource)), {
      id: Number(id),
      name: String(name),
      kind: kind === 'counter' ? 'counter' : 'gauge',
      attributes: JSON.parse(String(attributes)) as Record<string, string>,
    });
    highest = Math.max(highest, Number(id));
  }
  for (const [org, resource, id, columns] of await database.read('SELECT * FROM columns_of')) {
    const { tables } = places.at(String(org), String(resource));
    tables.set(BigInt(id as bigint), Int32Array.from(JSON.parse(String(columns)) as number[]));
  }
  return { places, highest };
}

/** Statements for additions. */
function storing({ series, tables }: Additions): string[] {
  const rows = [...series.values()].map(
    ({ org, resource, series: { id, name, kind, attributes } }) =>
      `(${id}, ${literal(org)}, ${literal(resource)}, ${literal(name)}, ${literal(kind)}, ${literal(JSON.stringify(attributes))})`,
  );
  const columns = [...tables.values()].map(
    ({ org, resource, id, columns: ids }) =>
      `(${literal(org)}, ${literal(resource)}, ${id}, ${literal(JSON.stringify([...ids]))})`,
  );
  return [
    ...(rows.length === 0 ? [] : [`INSERT INTO series VALUES ${rows.join(', ')}`]),
    ...(columns.length === 0 ? [] : [`INSERT INTO columns_of VALUES ${columns.join(', ')}`]),
  ];
}

/** Takes numbers for what a write brings. */
function createResolver(places: Places, takeNumber: () => number): Registry['resolve'] {
  const numberOf = (place: Place, identity: SeriesIdentity, additions: Additions): number => {
    const signature = signatureOf(identity.name, identity.attributes);
    const known = places.find(place.org, place.resource)?.bySignature.get(signature);
    if (known !== undefined) return known.id;
    const key = placeOf(place.org, place.resource) + signature;
    const added = additions.series.get(key);
    if (added !== undefined) return added.series.id;
    const series = {
      name: identity.name,
      kind: identity.kind,
      attributes: { ...identity.attributes },
      id: takeNumber(),
    };
    additions.series.set(key, { ...place, series });
    return series.id;
  };
  const add = (place: Place, { id, series }: SeriesTable, additions: Additions): Int32Array => {
    const columns = Int32Array.from(series, (identity) => numberOf(place, identity, additions));
    additions.tables.set(`${placeOf(place.org, place.resource)} ${id}`, { ...place, id, columns });
    return columns;
  };
  return (org, { resource, tables, blocks }, additions) => {
    const known = places.find(org, resource)?.tables;
    const found = new Map<bigint, Int32Array>();
    for (const table of tables) found.set(table.id, known?.get(table.id) ?? add({ org, resource }, table, additions));
    for (const { table } of blocks) {
      if (found.has(table)) continue;
      const columns = known?.get(table) ?? additions.tables.get(`${placeOf(org, resource)} ${table}`)?.columns;
      if (columns === undefined) throw problems.unknownTable(`Send the table ${table} again.`);
      found.set(table, columns);
      // Used last, forgotten last.
      if (known?.delete(table)) known.set(table, columns);
    }
    return found;
  };
}

/** Loads the registry. */
export async function openRegistry(database: Database): Promise<Registry> {
  const { places, highest } = await load(database);
  let next = highest + 1;
  return {
    resolve: createResolver(places, () => next++),
    storing,
    stored({ series, tables }) {
      for (const { org, resource, series: one } of series.values()) addSeries(places.at(org, resource), one);
      for (const { org, resource, id, columns } of tables.values()) places.at(org, resource).tables.set(id, columns);
    },
    find: (org, resource, name) => places.find(org, resource)?.byName.get(name) ?? [],
    list: (org, resource) => [...(places.find(org, resource)?.bySignature.values() ?? [])],
    forgetting: (org, resource) => [
      'DELETE FROM series_highest',
      `INSERT INTO series_highest VALUES (${next})`,
      `DELETE FROM series ${ofPlace(org, resource)}`,
      `DELETE FROM columns_of ${ofPlace(org, resource)}`,
    ],
    forgotten: (org, resource) => void places.places.delete(placeOf(org, resource)),
    async trim() {
      const statements: string[] = [];
      for (const [place, { tables }] of places.places) {
        const over = [...tables.keys()].slice(0, Math.max(0, tables.size - TABLE_LIMIT));
        if (over.length === 0) continue;
        const [org, resource] = JSON.parse(place) as [string, string];
        statements.push(`DELETE FROM columns_of ${ofPlace(org, resource)} AND id IN (${over.join(', ')})`);
        for (const id of over) tables.delete(id);
      }
      if (statements.length > 0) await database.change(statements);
    },
  };
}
