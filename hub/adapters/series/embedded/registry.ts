import type { SeriesIdentity, SeriesListing, SeriesTable, SeriesWrite } from '../../../ports/series.ts';
import type { Database } from '../../duckdb/database.ts';
import { literal } from '../../duckdb/database.ts';
import { problems } from './errors.ts';

/** A series with the number that its samples are stored under. Numbers are never used again. */
export interface NumberedSeries extends SeriesIdentity {
  id: number;
}

interface ResourceSeries {
  bySignature: Map<string, NumberedSeries>;
  byName: Map<string, NumberedSeries[]>;
  /** Table id → the numbers of its columns. */
  tables: Map<bigint, Int32Array>;
}

/** Series and tables that a transaction adds; they count once it is committed. */
export interface Additions {
  /** By place and signature, since a hub's first second may bring tens of thousands. */
  series: Map<string, { org: string; resource: string; series: NumberedSeries }>;
  tables: Map<string, { org: string; resource: string; id: bigint; columns: Int32Array }>;
}

/** Nothing to add yet. */
export function noAdditions(): Additions {
  return { series: new Map(), tables: new Map() };
}

/** Attributes in one order, so that equal sets are equal texts. */
export function signatureOf(name: string, attributes: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([name, ...sorted]);
}

const placeOf = (org: string, resource: string): string => `${org} ${resource}`;

/** Which series exist, by org and resource, in memory and in the database. */
export interface Registry {
  /** Numbers for the columns of a write's tables, taking new ones where needed; throws when a block names an unknown table. */
  resolve(org: string, write: SeriesWrite, additions: Additions): Map<bigint, Int32Array>;
  /** Statements that store additions; run them in the transaction of their samples. */
  storing(additions: Additions): string[];
  /** To be called once that transaction is committed. */
  stored(additions: Additions): void;
  find(org: string, resource: string, name: string): readonly NumberedSeries[];
  /** Remembers that series have a sample at a time. */
  touch(columns: Int32Array, timeMs: number): void;
  list(org: string, resource: string): SeriesListing[];
  /** Forgets a resource and gives the numbers of its series. */
  forget(org: string, resource: string): Promise<number[]>;
}

function emptyResource(): ResourceSeries {
  return { bySignature: new Map(), byName: new Map(), tables: new Map() };
}

function addSeries(to: ResourceSeries, series: NumberedSeries): void {
  to.bySignature.set(signatureOf(series.name, series.attributes), series);
  const same = to.byName.get(series.name);
  if (same === undefined) to.byName.set(series.name, [series]);
  else same.push(series);
}

const TABLES = `
  CREATE TABLE IF NOT EXISTS series (id INTEGER, org VARCHAR, resource VARCHAR, name VARCHAR, kind VARCHAR, attributes VARCHAR);
  CREATE TABLE IF NOT EXISTS columns_of (org VARCHAR, resource VARCHAR, id UBIGINT, series VARCHAR);
`;

async function load(database: Database): Promise<{ resources: Map<string, ResourceSeries>; highest: number }> {
  await database.writer.run(TABLES);
  const resources = new Map<string, ResourceSeries>();
  const at = (org: unknown, resource: unknown): ResourceSeries => {
    const place = placeOf(String(org), String(resource));
    const there = resources.get(place) ?? emptyResource();
    resources.set(place, there);
    return there;
  };
  let highest = 0;
  for (const [id, org, resource, name, kind, attributes] of await database.read('SELECT * FROM series ORDER BY id')) {
    const parsed = JSON.parse(String(attributes)) as Record<string, string>;
    addSeries(at(org, resource), {
      id: Number(id),
      name: String(name),
      kind: kind === 'counter' ? 'counter' : 'gauge',
      attributes: parsed,
    });
    highest = Math.max(highest, Number(id));
  }
  for (const [org, resource, id, columns] of await database.read('SELECT * FROM columns_of')) {
    at(org, resource).tables.set(BigInt(id as bigint), Int32Array.from(JSON.parse(String(columns)) as number[]));
  }
  // Forgotten resources leave no series behind; their numbers must not come back, so the highest ever is kept too.
  const [row] = await database.read('SELECT coalesce(max(id), 0)::DOUBLE FROM series_highest').catch(() => [[0]]);
  return { resources, highest: Math.max(highest, Number(row?.[0] ?? 0)) };
}

/** Loads the registry. `lastSeen` of a series is known from the first sample after the start on, or from `touch`. */
export async function openRegistry(database: Database): Promise<Registry> {
  await database.writer.run('CREATE TABLE IF NOT EXISTS series_highest (id INTEGER)');
  const { resources, highest } = await load(database);
  let next = highest + 1;
  let lastSeen = new Float64Array(Math.max(1024, 2 * next));
  const room = (id: number): void => {
    if (id < lastSeen.length) return;
    const grown = new Float64Array(2 * id);
    grown.set(lastSeen);
    lastSeen = grown;
  };

  const numberOf = (org: string, write: SeriesWrite, identity: SeriesIdentity, additions: Additions): number => {
    const signature = signatureOf(identity.name, identity.attributes);
    const known = resources.get(placeOf(org, write.resource))?.bySignature.get(signature);
    if (known !== undefined) return known.id;
    const place = `${placeOf(org, write.resource)} ${signature}`;
    const added = additions.series.get(place);
    if (added !== undefined) return added.series.id;
    const series = { ...identity, id: next++ };
    additions.series.set(place, { org, resource: write.resource, series });
    return series.id;
  };

  const columnsOf = (org: string, write: SeriesWrite, table: SeriesTable, additions: Additions): Int32Array =>
    Int32Array.from(table.series, (identity) => numberOf(org, write, identity, additions));

  return {
    resolve(org, write, additions) {
      const known = resources.get(placeOf(org, write.resource))?.tables;
      const columns = new Map<bigint, Int32Array>();
      for (const table of write.tables) {
        const there = known?.get(table.id);
        if (there !== undefined) {
          columns.set(table.id, there);
          continue;
        }
        const made = columnsOf(org, write, table, additions);
        columns.set(table.id, made);
        additions.tables.set(`${placeOf(org, write.resource)} ${table.id}`, {
          org,
          resource: write.resource,
          id: table.id,
          columns: made,
        });
      }
      for (const { table } of write.blocks) {
        if (columns.has(table)) continue;
        const added = additions.tables.get(`${placeOf(org, write.resource)} ${table}`);
        const there = known?.get(table) ?? added?.columns;
        if (there === undefined) throw problems.unknownTable(`Send the table ${table} again.`);
        columns.set(table, there);
      }
      return columns;
    },
    storing({ series, tables }) {
      const rows = [...series.values()].map(
        ({ org, resource, series: one }) =>
          `(${one.id}, ${literal(org)}, ${literal(resource)}, ${literal(one.name)}, ${literal(one.kind)}, ${literal(JSON.stringify(one.attributes))})`,
      );
      const columns = [...tables.values()].map(
        (table) =>
          `(${literal(table.org)}, ${literal(table.resource)}, ${table.id}, ${literal(JSON.stringify([...table.columns]))})`,
      );
      return [
        ...(rows.length === 0 ? [] : [`INSERT INTO series VALUES ${rows.join(', ')}`]),
        ...(columns.length === 0 ? [] : [`INSERT INTO columns_of VALUES ${columns.join(', ')}`]),
      ];
    },
    stored({ series, tables }) {
      const at = (org: string, resource: string): ResourceSeries => {
        const there = resources.get(placeOf(org, resource)) ?? emptyResource();
        resources.set(placeOf(org, resource), there);
        return there;
      };
      for (const { org, resource, series: one } of series.values()) addSeries(at(org, resource), one);
      for (const { org, resource, id, columns } of tables.values()) at(org, resource).tables.set(id, columns);
    },
    find: (org, resource, name) => resources.get(placeOf(org, resource))?.byName.get(name) ?? [],
    touch(columns, timeMs) {
      for (const id of columns) {
        room(id);
        if ((lastSeen[id] ?? 0) < timeMs) lastSeen[id] = timeMs;
      }
    },
    list(org, resource) {
      const there = resources.get(placeOf(org, resource));
      return [...(there?.bySignature.values() ?? [])].map(({ id, name, kind, attributes }) => ({
        name,
        kind,
        attributes,
        lastMs: lastSeen[id] ?? 0,
      }));
    },
    async forget(org, resource) {
      const ids = [...(resources.get(placeOf(org, resource))?.bySignature.values() ?? [])].map(({ id }) => id);
      const where = `WHERE org = ${literal(org)} AND resource = ${literal(resource)}`;
      await database.change([
        'DELETE FROM series_highest',
        `INSERT INTO series_highest VALUES (${next})`,
        `DELETE FROM series ${where}`,
        `DELETE FROM columns_of ${where}`,
      ]);
      resources.delete(placeOf(org, resource));
      return ids;
    },
  };
}
