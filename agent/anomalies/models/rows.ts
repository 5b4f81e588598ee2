import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { writeFileDurably } from '#sdk';
import { MOST_CHOSEN, type RowSource, type SeriesName } from '../../../plugins/models/index.ts';

/** The first line is no longer than this, in bytes. */
const MOST_HEAD = 1_048_576;
/** Bytes of a row: its time as a double, then a float each. */
const bytesOf = (width: number): number => 8 + 4 * width;
/** Rows that are read in one piece. */
const ROWS_OF_PART = 256;

const Head = Type.Object({
  format: Type.Literal(1),
  series: Type.Array(
    Type.Object({
      metric: Type.String({ minLength: 1, maxLength: 200 }),
      attributes: Type.Record(Type.String(), Type.String()),
      kind: Type.Enum(['gauge', 'counter']),
    }),
    { minItems: 1, maxItems: MOST_CHOSEN },
  ),
});

/** Windows of the host as rows of a file: a line of JSON that names the series, then a row each of the same length. */
export interface RowFile {
  readonly series: readonly SeriesName[];
  /** Rows that it holds. */
  count(): number;
  /** Time of the last one, milliseconds since 1970; 0 for none. */
  lastMs(): number;
  /** Takes one; throws when the disk does not. */
  append(timeMs: number, values: Float64Array): void;
  /** Reads them, a part at a time. */
  rows: RowSource;
  close(): void;
  /** Closes and removes it. */
  remove(): void;
}

interface Opened {
  path: string;
  file: number;
  /** Where the rows begin. */
  start: number;
  series: SeriesName[];
}

function rowFile({ path, file, start, series }: Opened): RowFile {
  const width = series.length;
  const size = bytesOf(width);
  const buffer = Buffer.alloc(size);
  let count = Math.floor((fstatSync(file).size - start) / size);
  ftruncateSync(file, start + count * size); // A crash may have left a part of one.
  let lastMs = 0;
  if (count > 0) {
    readSync(file, buffer, 0, 8, start + (count - 1) * size);
    lastMs = buffer.readDoubleLE(0);
  }
  const close = (): void => closeSync(file);
  return {
    series,
    count: () => count,
    lastMs: () => lastMs,
    append(timeMs, values) {
      buffer.writeDoubleLE(timeMs, 0);
      for (let n = 0; n < width; n++) buffer.writeFloatLE(values[n]!, 8 + 4 * n);
      writeSync(file, buffer, 0, size, start + count * size);
      count += 1;
      lastMs = timeMs;
    },
    async *rows() {
      const handle = await open(path, 'r');
      const part = Buffer.alloc(ROWS_OF_PART * size);
      const values = new Float64Array(width);
      try {
        for (let first = 0; first < count; first += ROWS_OF_PART) {
          const wanted = Math.min(ROWS_OF_PART, count - first) * size;
          const { bytesRead } = await handle.read(part, 0, wanted, start + first * size);
          for (let at = 0; at + size <= bytesRead; at += size) {
            for (let n = 0; n < width; n++) values[n] = part.readFloatLE(at + 8 + 4 * n);
            yield { timeMs: part.readDoubleLE(at), values };
          }
        }
      } finally {
        await handle.close();
      }
    },
    close,
    remove() {
      close();
      rmSync(path, { force: true });
    },
  };
}

/** Opens the rows that an earlier run left; undefined where there are none, or where they are not what this version wrote. */
export function openRows(path: string): RowFile | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, 'r+');
    const buffer = Buffer.alloc(Math.min(MOST_HEAD, fstatSync(file).size));
    readSync(file, buffer, 0, buffer.length, 0);
    const end = buffer.indexOf(10);
    const head: unknown = JSON.parse(buffer.toString('utf8', 0, Math.max(0, end)));
    if (Value.Check(Head, head)) return rowFile({ path, file, start: end + 1, series: head.series });
  } catch {
    // None, or damaged: the rows are gathered anew.
  }
  if (file !== undefined) closeSync(file);
  return undefined;
}

/** Begins a file of rows in the place of any that is there. */
export function beginRows(path: string, series: readonly SeriesName[]): RowFile {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const head = Buffer.from(`${JSON.stringify({ format: 1, series })}\n`);
  writeFileDurably(path, head);
  return rowFile({ path, file: openSync(path, 'r+'), start: head.length, series: [...series] });
}
