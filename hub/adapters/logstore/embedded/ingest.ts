import { BIGINT, BOOLEAN, DuckDBDataChunk, INTEGER, UTINYINT, VARCHAR, type DuckDBValue } from '@duckdb/node-api';
import type { Database } from '../../duckdb/database.ts';

/** One line with its numbers, ready to store. */
export interface NumberedLine {
  id: bigint;
  src: number;
  timeMs: number;
  level: number;
  text: string;
  truncated: boolean;
}

const CHUNK = 2048;

/** Appends lines; run it inside a transaction. */
export async function appendLines(database: Database, lines: readonly NumberedLine[]): Promise<void> {
  if (lines.length === 0) return;
  const appender = await database.writer.createAppender('line');
  try {
    for (let at = 0; at < lines.length; at += CHUNK) {
      const part = lines.slice(at, at + CHUNK);
      const chunk = DuckDBDataChunk.create([BIGINT, INTEGER, BIGINT, UTINYINT, VARCHAR, BOOLEAN], part.length);
      const columns: DuckDBValue[][] = [
        part.map(({ id }) => id),
        part.map(({ src }) => src),
        part.map(({ timeMs }) => BigInt(timeMs)),
        part.map(({ level }) => level),
        // DuckDB ends a text at a NUL byte when it is searched: the replacement character stands for it.
        part.map(({ text }) => text.replaceAll('\0', '\u{fffd}')),
        part.map(({ truncated }) => truncated),
      ];
      chunk.setColumns(columns);
      appender.appendDataChunk(chunk);
    }
    appender.flushSync();
  } finally {
    appender.closeSync();
  }
}
