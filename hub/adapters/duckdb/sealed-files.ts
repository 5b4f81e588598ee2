import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { literal, type Database } from './database.ts';

/** A sealed Parquet file: sorted, immutable, named in the database. */
export interface SealedFile {
  name: string;
  /** The hot table that its rows come from. */
  table: string;
  /** Times of its rows, milliseconds, both inclusive. */
  fromMs: number;
  toMs: number;
  rows: number;
  bytes: number;
  /** When it was written: no honest row is younger. */
  sealedMs: number;
  /** The newest order to forget whose rows it is known not to hold. */
  clean: number;
}

async function fsyncPath(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The folder of sealed files. Which of them count is written in the database. */
export interface SealedFolder {
  path(file: SealedFile): string;
  /** Writes rows aside and makes the file durable under a new name; undefined when there are none. It does not count yet. */
  write(
    table: string,
    select: string,
  ): Promise<Pick<SealedFile, 'name' | 'table' | 'fromMs' | 'toMs' | 'rows' | 'bytes'> | undefined>;
  remove(files: readonly SealedFile[]): void;
}

/** Small enough that one series of one file is read in two milliseconds, large enough to pack well. */
const ROW_GROUP = 61_440;

/** Writes rows to a file and makes it durable; undefined when there are none. */
async function writeAside(database: Database, path: string, select: string) {
  const format = `FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP}`;
  await database.run(`COPY (${select}) TO ${literal(path)} (${format})`);
  // Reading it back proves that it can be read before the rows go.
  const [row] = await database.read(
    `SELECT count(*)::DOUBLE, min(t)::DOUBLE, max(t)::DOUBLE FROM read_parquet(${literal(path)})`,
  );
  const [rows, fromMs, toMs] = (row ?? []).map(Number);
  if (!rows || fromMs === undefined || toMs === undefined) return undefined;
  await fsyncPath(path);
  return { fromMs, toMs, rows, bytes: statSync(path).size };
}

const numberOf = (name: string): number => Number(/-(\d+)\.parquet$/.exec(name)?.[1] ?? 0);

/** Opens the folder and removes what does not count: leavings of a process that was killed while it sealed. */
export function openSealedFolder(database: Database, counting: readonly SealedFile[]): SealedFolder {
  const folder = join(database.folder, 'sealed');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const known = new Set(counting.map(({ name }) => name));
  for (const name of readdirSync(folder)) if (!known.has(name)) rmSync(join(folder, name));
  let next = 1 + counting.reduce((most, { name }) => Math.max(most, numberOf(name)), 0);
  return {
    path: ({ name }) => join(folder, name),
    async write(table, select) {
      const name = `${table}-${next++}.parquet`;
      const aside = join(folder, `${name}.new`);
      try {
        const facts = await writeAside(database, aside, select);
        if (facts === undefined) return undefined;
        renameSync(aside, join(folder, name));
        await fsyncPath(folder);
        return { name, table, ...facts };
      } finally {
        // A full disk gets its space back; after the rename there is nothing to remove.
        rmSync(aside, { force: true });
      }
    },
    remove(files) {
      for (const { name } of files) rmSync(join(folder, name), { force: true });
    },
  };
}
