import { chooseFeatures } from '../../../../plugins/models/index.ts';

/** A series that a model may look at. */
export interface Column {
  name: string;
  kind: 'gauge' | 'counter';
  attributes: Record<string, string>;
}

/** Samples of series over the same times, series after series; NaN: none. */
export interface Matrix<One extends Column> {
  columns: readonly One[];
  values: Float32Array;
}

const rowsOf = <One extends Column>({ columns, values }: Matrix<One>): number =>
  columns.length === 0 ? 0 : values.length / columns.length;

/** Rows in which the host had any sample. */
export function rowsThere<One extends Column>(matrix: Matrix<One>): number[] {
  const rows = rowsOf(matrix);
  return Array.from({ length: rows }, (_, row) => row).filter((row) =>
    matrix.columns.some((_, n) => Number.isFinite(matrix.values[n * rows + row]!)),
  );
}

/** Of a host's series those that a model is made of, by few rows; `there`: those in which the host was. */
export function chooseColumns<One extends Column>(matrix: Matrix<One>, there: readonly number[]): One[] {
  const rows = rowsOf(matrix);
  const candidates = matrix.columns.map((series, n) => {
    const found = { series, present: 0, least: Infinity, greatest: -Infinity };
    for (const row of there) {
      const value = matrix.values[n * rows + row]!;
      if (!Number.isFinite(value)) continue;
      found.present += 1;
      found.least = Math.min(found.least, value);
      found.greatest = Math.max(found.greatest, value);
    }
    return found;
  });
  return chooseFeatures(candidates, there.length);
}
