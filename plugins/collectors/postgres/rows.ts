import { problems } from '../../targets/index.ts';

/** One row of an answer: texts, numbers, flags, or nothing. */
export type Row = Readonly<Record<string, string | number | boolean | null>>;

/** Reads rows from JSON. */
export function readRows(text: string): Row[] {
  const rows: unknown = JSON.parse(text);
  if (Array.isArray(rows) && rows.every((row) => typeof row === 'object' && row !== null)) return rows as Row[];
  throw problems.notUnderstood('the answer is no list of rows');
}

/** A number of a row; NaN, which is dropped, where the row has none. */
export const numberOf = (row: Row | undefined, key: string): number => {
  const value = row?.[key];
  return typeof value === 'number' ? value : typeof value === 'boolean' ? Number(value) : NaN;
};

/** A text of a row. */
export const textOf = (row: Row, key: string): string => String(row[key] ?? '');
