import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from './database.ts';
import { literal } from './database.ts';

/** A sealed Parquet file: sorted, immutable, named in the database. */
export interface SealedFile {
  name: string;
  /** Which table's rows it holds. */
  tier: string;
  /** Times of its rows, milliseconds, both inclusive. */
  fromMs: number;
  toMs: number;
  rows: number;
  bytes: number;
}

function fsyncPath(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** The sealed files of one database. Only changed inside the gate's `alone`. */
export interface SealedFiles {
  list(): readonly SealedFile[];
  /** Files of a tier that hold times in [from, to). */
  overlapping(tier: string, fromMs: number, toMs: number): readonly SealedFile[];
  path(file: SealedFile): string;
  /**
   * Writes rows aside and makes the file durable under its name; returns undefined when there was nothing to write.
   * The file counts only once `record` has run: one that was never recorded is removed at the next start.
   */
  write(tier: string, select: string): Promise<SealedFile | undefined>;
  /** Statement that records a file; run it in the transaction that deletes the rows. */
  recording(file: SealedFile): string;
  /** To be called once that transaction is committed. */
  recorded(file: SealedFile): void;
  /** Forgets files and deletes them. */
  remove(files: readonly SealedFile[]): Promise<void>;
}

/** Opens the list of sealed files and removes files that it does not name. */
export async function openSealedFiles(database: Database): Promise<SealedFiles> {
  const folder = join(database.folder, 'sealed');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  await database.writer.run(
    'CREATE TABLE IF NOT EXISTS sealed (name VARCHAR, tier VARCHAR, from_ms DOUBLE, to_ms DOUBLE, rows DOUBLE, bytes DOUBLE)',
  );
  const rows = await database.read('SELECT name, tier, from_ms, to_ms, rows, bytes FROM sealed ORDER BY from_ms');
  let files: SealedFile[] = rows.map(([name, tier, fromMs, toMs, count, bytes]) => ({
    name: String(name),
    tier: String(tier),
    fromMs: Number(fromMs),
    toMs: Number(toMs),
    rows: Number(count),
    bytes: Number(bytes),
  }));
  const known = new Set(files.map(({ name }) => name));
  for (const name of readdirSync(folder)) if (!known.has(name)) rmSync(join(folder, name));
  let next = 1 + Math.max(0, ...files.map(({ name }) => Number(/-(\d+)\.parquet$/.exec(name)?.[1] ?? 0)));
  const path = ({ name }: SealedFile): string => join(folder, name);
  return {
    list: () => files,
    overlapping: (tier, fromMs, toMs) =>
      files.filter((file) => file.tier === tier && file.toMs >= fromMs && file.fromMs < toMs),
    path,
    async write(tier, select) {
      const name = `${tier}-${next++}.parquet`;
      const aside = join(folder, `${name}.new`);
      await database.run(
        `COPY (${select}) TO ${literal(aside)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 61440)`,
      );
      const [row] = await database.read(
        `SELECT count(*)::DOUBLE, min(t)::DOUBLE, max(t)::DOUBLE FROM read_parquet(${literal(aside)})`,
      );
      const count = Number(row?.[0] ?? 0);
      if (count === 0) {
        rmSync(aside);
        return undefined;
      }
      fsyncPath(aside);
      renameSync(aside, join(folder, name));
      fsyncPath(folder);
      const bytes = statSync(join(folder, name)).size;
      return { name, tier, fromMs: Number(row?.[1]), toMs: Number(row?.[2]), rows: count, bytes };
    },
    recording: ({ name, tier, fromMs, toMs, rows: count, bytes }) =>
      `INSERT INTO sealed VALUES (${literal(name)}, ${literal(tier)}, ${fromMs}, ${toMs}, ${count}, ${bytes})`,
    recorded(file) {
      files = [...files, file].sort((a, b) => a.fromMs - b.fromMs);
    },
    async remove(gone) {
      if (gone.length === 0) return;
      await database.run(`DELETE FROM sealed WHERE name IN (${gone.map(({ name }) => literal(name)).join(', ')})`);
      const names = new Set(gone.map(({ name }) => name));
      files = files.filter(({ name }) => !names.has(name));
      for (const file of gone) rmSync(path(file), { force: true });
    },
  };
}
