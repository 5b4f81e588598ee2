import { BIGINT, DOUBLE, DuckDBDataChunk, INTEGER, type DuckDBAppender } from '@duckdb/node-api';
import type { Database } from '../../duckdb/database.ts';

/** DuckDB takes at most this many rows in a chunk. */
const CHUNK = 2048;

/** The last moment that a Date can hold. */
const LATEST_MS = 8.64e15;

/** Samples of many batches on their way into one transaction, in columns. Grows as needed and is used again. */
export interface SampleColumns {
  add(columns: Int32Array, timeMs: number, values: Float64Array): void;
  count(): number;
  /** Appends all samples under a generation. Run it inside a transaction. */
  appendTo(database: Database, generation: number): Promise<void>;
  clear(): void;
}

/** Makes empty columns. */
export function createSampleColumns(): SampleColumns {
  let size = 0;
  let series = new Int32Array(8192);
  let times = new BigInt64Array(8192);
  let values = new Float64Array(8192);
  const room = (wanted: number): void => {
    if (wanted <= series.length) return;
    const length = Math.max(wanted, 2 * series.length);
    const [oldSeries, oldTimes, oldValues] = [series, times, values];
    series = new Int32Array(length);
    times = new BigInt64Array(length);
    values = new Float64Array(length);
    series.set(oldSeries.subarray(0, size));
    times.set(oldTimes.subarray(0, size));
    values.set(oldValues.subarray(0, size));
  };
  const fill = (appender: DuckDBAppender, generation: number): void => {
    for (let at = 0; at < size; at += CHUNK) {
      const rows = Math.min(CHUNK, size - at);
      const chunk = DuckDBDataChunk.create([INTEGER, BIGINT, DOUBLE, INTEGER], rows);
      const columns = [series, times, values].map((column) => column.subarray(at, at + rows));
      for (const [index, column] of [...columns, new Int32Array(rows).fill(generation)].entries()) {
        const vector = chunk.getColumnVector(index) as unknown as {
          items: { set(values: ArrayLike<unknown>): void };
          flush(): void;
        };
        vector.items.set(column as ArrayLike<unknown>);
        vector.flush();
      }
      appender.appendDataChunk(chunk);
    }
  };
  return {
    add(columns, timeMs, added) {
      // An impossible time would place its samples nowhere.
      if (!(timeMs >= 0 && timeMs <= LATEST_MS)) return;
      room(size + columns.length);
      const time = BigInt(Math.trunc(timeMs));
      const count = Math.min(columns.length, added.length);
      for (let index = 0; index < count; index++) {
        const value = added[index] as number;
        if (value !== value || value === Infinity || value === -Infinity) continue;
        series[size] = columns[index] as number;
        times[size] = time;
        values[size] = value;
        size += 1;
      }
    },
    count: () => size,
    async appendTo(database, generation) {
      if (size === 0) return;
      const appender = await database.writer.createAppender('raw');
      try {
        fill(appender, generation);
        // Inside a transaction this does no fsync: that happens in COMMIT, off this thread.
        appender.flushSync();
      } finally {
        appender.closeSync();
      }
    },
    clear() {
      size = 0;
    },
  };
}
