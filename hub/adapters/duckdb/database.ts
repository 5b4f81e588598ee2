import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { defineProblems, reasonOf } from '#sdk';
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

/** One DuckDB file that this process alone has open: one connection that writes, some that read. */
export interface Database {
  folder: string;
  writer: DuckDBConnection;
  /** Rows of a query as arrays of values, on a connection of its own. BIGINT comes as bigint: cast to DOUBLE what is a time. */
  read(sql: string, values?: DuckDBValue[]): Promise<DuckDBValue[][]>;
  run(sql: string): Promise<void>;
  /** Several statements as one transaction, on a reader's connection. */
  change(statements: readonly string[]): Promise<void>;
  close(): void;
}

/** One may write a sealed file while others answer. */
const READERS = 3;

/** Opens or makes `folder/hot.duckdb`. A DuckDB file opened twice diverges silently, so its own lock is left on. */
export async function openDatabase({ folder, memoryMb, threads }: DatabaseOptions): Promise<Database> {
  const spill = join(folder, 'spill');
  mkdirSync(spill, { recursive: true, mode: 0o700 });
  const path = join(folder, 'hot.duckdb');
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
  let instance: DuckDBInstance;
  try {
    instance = await DuckDBInstance.create(path, options);
  } catch (error) {
    throw problems.cannotOpen(
      `${path} ${existsSync(path) ? 'cannot be opened' : 'cannot be made'}: ${reasonOf(error)}`,
      { cause: error },
    );
  }
  const writer = await instance.connect();
  const readers = await Promise.all(Array.from({ length: READERS }, () => instance.connect()));
  // Each connection runs one statement at a time: calls queue on the reader with the shortest chain.
  const chains = readers.map((connection) => ({ connection, waiting: 0, last: Promise.resolve() as Promise<unknown> }));
  const onReader = <T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> => {
    const chain = chains.reduce((best, one) => (one.waiting < best.waiting ? one : best));
    chain.waiting += 1;
    const turn = chain.last.then(() => work(chain.connection));
    chain.last = turn.then(
      () => (chain.waiting -= 1),
      () => (chain.waiting -= 1),
    );
    return turn;
  };
  let closed = false;
  return {
    folder,
    writer,
    read: (sql, values) => onReader(async (connection) => (await connection.runAndReadAll(sql, values)).getRows()),
    run: (sql) => onReader(async (connection) => void (await connection.run(sql))),
    change: (statements) =>
      onReader(async (connection) => {
        await connection.run('BEGIN');
        try {
          for (const statement of statements) await connection.run(statement);
          await connection.run('COMMIT');
        } catch (error) {
          await connection.run('ROLLBACK').catch(() => undefined); // It was rolled back already.
          throw error;
        }
      }),
    close() {
      if (closed) return;
      closed = true;
      for (const connection of [...readers, writer]) connection.closeSync();
      instance.closeSync();
    },
  };
}

/** Text as an SQL literal, for places where DuckDB takes no parameter (file names). */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
