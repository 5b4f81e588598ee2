import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { defineProblems, reasonOf } from '#sdk';
import { createTurns } from './turns.ts';
import { DuckDBInstance, type DuckDBConnection, type DuckDBValue } from '@duckdb/node-api';

/** What can go wrong with an embedded store. */
export const problems = defineProblems('store', {
  unavailable: { status: 503, title: 'The embedded store is not running.', retryable: true },
  cannotOpen: { status: 500, title: 'The embedded store cannot be opened.' },
});

/** How a database is opened. */
export interface DatabaseOptions {
  folder: string;
  memoryMb: number;
  threads: number;
}

/** One DuckDB file that this process alone has open: a connection that stores what arrives, one for upkeep, some that answer. */
export interface Database {
  folder: string;
  writer: DuckDBConnection;
  /** Rows of a query as arrays of values, on a connection of its own. BIGINT comes as bigint: cast to DOUBLE what is a time. */
  read(sql: string, values?: DuckDBValue[]): Promise<DuckDBValue[][]>;
  /** The columns of a query whose values are all DOUBLE and none NULL: four times as fast as rows where there are thousands. */
  numbers(sql: string): Promise<Float64Array[]>;
  /** Runs a statement on the connection for upkeep. */
  run(sql: string): Promise<void>;
  /** Several statements as one transaction, on the connection for upkeep. */
  change(statements: readonly string[]): Promise<void>;
  close(): void;
}

/** Queries that run at a time; more would only share the same threads. */
const READERS = 3;

/** Files that this process has open: DuckDB's own lock keeps other processes out, but not a second opener within one. */
const opened = new Set<string>();

async function openInstance(path: string, { folder, memoryMb, threads }: DatabaseOptions): Promise<DuckDBInstance> {
  const spill = join(folder, 'spill');
  mkdirSync(spill, { recursive: true, mode: 0o700 });
  const options = {
    memory_limit: `${memoryMb}MB`,
    threads: String(threads),
    temp_directory: spill,
    preserve_insertion_order: 'false',
    // Checkpoints rewrite blocks; one for each few seconds of a busy hub's log is enough.
    checkpoint_threshold: '64MB',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  };
  return DuckDBInstance.create(path, options);
}

/** Opens or makes `folder/hot.duckdb`. One process only, and once in it: a DuckDB file that is opened twice diverges silently. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { folder } = options;
  const path = resolve(folder, 'hot.duckdb');
  if (opened.has(path))
    throw problems.cannotOpen(`${path} is open in this process already. Give each hub a data folder of its own.`);
  opened.add(path);
  let instance: DuckDBInstance;
  try {
    instance = await openInstance(path, options);
  } catch (error) {
    opened.delete(path);
    throw problems.cannotOpen(whyClosed(path, error), { cause: error });
  }
  const writer = await instance.connect();
  const keeper = await instance.connect();
  const readers = await Promise.all(Array.from({ length: READERS }, () => instance.connect()));
  const onReader = createPool(readers);
  const keep = createTurns();
  let closed = false;
  return {
    folder,
    writer,
    read: (sql, values) => onReader(async (connection) => (await connection.runAndReadAll(sql, values)).getRows()),
    numbers: (sql) => onReader((connection) => readNumbers(connection, sql)),
    run: (sql) => keep(async () => void (await keeper.run(sql))),
    change: (statements) => keep(() => inTransaction(keeper, async () => runAll(keeper, statements))),
    close() {
      if (closed) return;
      closed = true;
      for (const connection of [...readers, keeper, writer]) connection.closeSync();
      instance.closeSync();
      opened.delete(path);
    },
  };
}

/** Runs statements one after another. */
export async function runAll(connection: DuckDBConnection, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await connection.run(statement);
}

/** Runs work as one transaction. Resolves once it is durable; rejects when nothing of it is stored. */
export async function inTransaction(connection: DuckDBConnection, work: () => Promise<void>): Promise<void> {
  await connection.run('BEGIN');
  try {
    await work();
    await connection.run('COMMIT');
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => undefined); // A failed COMMIT has rolled back already.
    throw error;
  }
}

async function readNumbers(connection: DuckDBConnection, sql: string): Promise<Float64Array[]> {
  const result = await connection.run(sql);
  const chunks = await result.fetchAllChunks();
  return Array.from({ length: result.columnCount }, (_, index) => {
    const column = new Float64Array(chunks.reduce((sum, { rowCount }) => sum + rowCount, 0));
    let at = 0;
    for (const chunk of chunks) {
      const { items } = chunk.getColumnVector(index) as unknown as { items: Float64Array };
      column.set(items.subarray(0, chunk.rowCount), at);
      at += chunk.rowCount;
    }
    return column;
  });
}

/** A connection runs one statement at a time: whoever comes takes a free one or waits in line. */
function createPool(connections: readonly DuckDBConnection[]) {
  const free = [...connections];
  const line: ((connection: DuckDBConnection) => void)[] = [];
  return async <T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> => {
    const connection = free.pop() ?? (await new Promise<DuckDBConnection>((take) => line.push(take)));
    try {
      return await work(connection);
    } finally {
      const next = line.shift();
      if (next === undefined) free.push(connection);
      else next(connection);
    }
  };
}

function whyClosed(path: string, error: unknown): string {
  const reason = reasonOf(error);
  const holder = /PID (\d+)/.exec(reason)?.[1];
  if (holder !== undefined)
    return `${path} is open in another process (${holder}). Stop that one, or give this hub a data folder of its own.`;
  return `${path} ${existsSync(path) ? 'cannot be opened' : 'cannot be made'}: ${reason}`;
}

/** Text as an SQL literal. A statement ends at a NUL byte, so that one is spelt out. */
export function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes('\0') ? `(${quoted.replaceAll('\0', "' || chr(0) || '")})` : quoted;
}
