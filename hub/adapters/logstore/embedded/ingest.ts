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
  template: string | undefined;
  /** Where its parameters stand in the text, as `parameters.ts` writes it. */
  parameters: string | undefined;
}

const CHUNK = 2048;

/** A line with an impossible time is kept, at the beginning of time. */
function timeOf(timeMs: number): number {
  return timeMs >= 0 && timeMs <= 8.64e15 ? Math.trunc(timeMs) : 0;
}

/** Appends lines; run it inside a transaction. */
export async function appendLines(database: Database, lines: readonly NumberedLine[]): Promise<void> {
  if (lines.length === 0) return;
  const appender = await database.writer.createAppender('line');
  try {
    for (let at = 0; at < lines.length; at += CHUNK) {
      const part = lines.slice(at, at + CHUNK);
      const chunk = DuckDBDataChunk.create(
        [BIGINT, INTEGER, BIGINT, UTINYINT, VARCHAR, BOOLEAN, VARCHAR, VARCHAR],
        part.length,
      );
      const columns: DuckDBValue[][] = [
        part.map(({ id }) => id),
        part.map(({ src }) => src),
        part.map(({ timeMs }) => BigInt(timeOf(timeMs))),
        part.map(({ level }) => level),
        part.map(({ text }) => text),
        part.map(({ truncated }) => truncated),
        part.map(({ template }) => template ?? null),
        part.map(({ parameters }) => parameters ?? null),
      ];
      chunk.setColumns(columns);
      appender.appendDataChunk(chunk);
    }
    appender.flushSync();
  } finally {
    appender.closeSync();
  }
}
