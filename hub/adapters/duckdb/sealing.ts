import type { Clock } from '#sdk';
import { literal, type Database } from './database.ts';
import { openForgetting, type ForgettingOrder } from './forgetting.ts';
import { createLooks } from './looks.ts';
import { openSealedFolder, type SealedFile } from './sealed-files.ts';

/** A table of DuckDB whose rows move on into sealed files. All have a column `t`, milliseconds since 1970. */
export interface HotTable {
  name: string;
  /** The column that grows with each commit: rows up to a mark are sealed together. */
  mark: string;
  /** The column that says whose a row is: a series or a source. */
  owner: string;
  /** Columns of a sealed row. */
  columns: string;
  /** How sealed rows are sorted. */
  order: string;
}

/** What exists at one moment: sealed files, and for each table the mark up to which its rows lie in them. */
export interface View {
  files: readonly SealedFile[];
  marks: Readonly<Record<string, number>>;
}

/** Hot tables and sealed files as one. Changes come one at a time, looks at any time. */
export interface Sealing {
  /** What exists now, for whoever needs no rows. */
  view(): View;
  /** Runs a look at what exists now; rows and files of the view stay until it is over. */
  look<T>(work: (view: View) => Promise<T>): Promise<T>;
  /** Resolves when every look that has begun by now is over. */
  settled(): Promise<void>;
  /** Paths of a view's files of a table that overlap [from, to), as SQL literals. */
  pathsIn(view: View, table: string, range: { from: number; to: number }): string[];
  /** Moves a table's rows up to a mark into a sealed file. `also` runs in the transaction that takes them away. */
  seal(table: HotTable, upTo: number, also?: readonly string[]): Promise<void>;
  /** Takes files away. */
  remove(files: readonly SealedFile[]): Promise<void>;
  /** Orders all sealed rows of some owners to be forgotten. Hot ones are the caller's to delete. */
  forgetting(owners: readonly number[]): ForgettingOrder;
  /** Rewrites one file that may hold forgotten rows, when there is one. */
  cleanOne(): Promise<void>;
}

const TABLES = `
  CREATE TABLE IF NOT EXISTS sealed (name VARCHAR, tbl VARCHAR, from_ms DOUBLE, to_ms DOUBLE, rows DOUBLE, bytes DOUBLE, sealed_ms DOUBLE, clean INTEGER);
  CREATE TABLE IF NOT EXISTS sealed_mark (tbl VARCHAR, mark BIGINT);
`;

async function load(database: Database, tables: readonly HotTable[]): Promise<View> {
  await database.run(TABLES);
  const files = (await database.read('SELECT * FROM sealed ORDER BY from_ms')).map(
    ([name, table, fromMs, toMs, rows, bytes, sealedMs, clean]): SealedFile => ({
      name: String(name),
      table: String(table),
      fromMs: Number(fromMs),
      toMs: Number(toMs),
      rows: Number(rows),
      bytes: Number(bytes),
      sealedMs: Number(sealedMs),
      clean: Number(clean),
    }),
  );
  const marks = Object.fromEntries(tables.map(({ name }) => [name, 0]));
  for (const [table, mark] of await database.read('SELECT tbl, max(mark)::DOUBLE FROM sealed_mark GROUP BY tbl'))
    marks[String(table)] = Number(mark);
  return { files, marks };
}

function recording({ name, table, fromMs, toMs, rows, bytes, sealedMs, clean }: SealedFile): string {
  return `INSERT INTO sealed VALUES (${literal(name)}, ${literal(table)}, ${fromMs}, ${toMs}, ${rows}, ${bytes}, ${sealedMs}, ${clean})`;
}

function dropping(files: readonly SealedFile[]): string[] {
  if (files.length === 0) return [];
  return [`DELETE FROM sealed WHERE name IN (${files.map(({ name }) => literal(name)).join(', ')})`];
}

/** Opens what a process before this one has left. The hot tables must exist. */
export async function openSealing(database: Database, clock: Clock, tables: readonly HotTable[]): Promise<Sealing> {
  const looks = createLooks();
  let view = await load(database, tables);
  const orders = await openForgetting(database, view.files);
  const folder = openSealedFolder(database, view.files);

  // A process that was killed between the record of a file and the removal of its rows leaves them behind the mark.
  const sweep = ({ name, mark }: HotTable): Promise<void> =>
    database.run(`DELETE FROM ${name} WHERE ${mark} <= ${view.marks[name] ?? 0}`);
  for (const table of tables) await sweep(table);

  /** Files come and go in one transaction; looks that began before still find what they saw. */
  const exchange = async (made: readonly SealedFile[], gone: readonly SealedFile[]): Promise<void> => {
    await database.change([...made.map(recording), ...dropping(gone)]);
    view = { ...view, files: [...view.files.filter((file) => !gone.includes(file)), ...made] };
    await looks.settled();
    folder.remove(gone);
  };

  const rewrite = async (file: SealedFile, table: HotTable, owners: readonly number[]): Promise<void> => {
    // A file of an earlier release may lack columns that its table has by now.
    const from = `(SELECT * FROM ${table.name} WHERE false UNION ALL BY NAME SELECT * FROM read_parquet(${literal(folder.path(file))}))`;
    const [held] = await database.read(
      `SELECT count(*)::DOUBLE FROM ${from} WHERE ${table.owner} IN (${owners.join(', ')})`,
    );
    const clean = orders.newest();
    if (Number(held?.[0]) === 0) {
      await database.run(`UPDATE sealed SET clean = ${clean} WHERE name = ${literal(file.name)}`);
      view = { ...view, files: view.files.map((one) => (one === file ? { ...file, clean } : one)) };
      return;
    }
    const rest = `SELECT ${table.columns} FROM ${from} WHERE ${table.owner} NOT IN (${owners.join(', ')}) ORDER BY ${table.order}`;
    const made = await folder.write(table.name, rest);
    await exchange(made === undefined ? [] : [{ ...file, ...made, clean }], [file]);
  };

  return {
    view: () => view,
    look: (work) => looks.run(() => work(view)),
    settled: () => looks.settled(),
    pathsIn: ({ files }, table, { from, to }) =>
      files
        .filter((file) => file.table === table && file.toMs >= from && file.fromMs < to)
        .map((file) => literal(folder.path(file))),
    async seal(table, upTo, also = []) {
      const { name, mark, columns, order } = table;
      const rows = `FROM ${name} WHERE ${mark} > ${view.marks[name] ?? 0} AND ${mark} <= ${upTo}`;
      const made = await folder.write(name, `SELECT ${columns} ${rows} ORDER BY ${order}`);
      if (made === undefined) return;
      const file = { ...made, sealedMs: clock.now(), clean: orders.newest() };
      await database.change([
        recording(file),
        `DELETE FROM sealed_mark WHERE tbl = ${literal(name)}`,
        `INSERT INTO sealed_mark VALUES (${literal(name)}, ${upTo})`,
        ...also,
      ]);
      view = { files: [...view.files, file], marks: { ...view.marks, [name]: upTo } };
      await looks.settled();
      await sweep(table);
    },
    remove: async (gone) => (gone.length === 0 ? undefined : exchange([], gone)),
    forgetting: (owners) => orders.add(owners),
    async cleanOne() {
      const file = view.files.find(({ clean }) => clean < orders.newest());
      const table = tables.find(({ name }) => name === file?.table);
      if (file === undefined || table === undefined) return orders.done();
      await rewrite(file, table, orders.since(file.clean));
    },
  };
}
