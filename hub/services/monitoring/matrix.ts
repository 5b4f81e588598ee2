import type { SeriesIdentity, SeriesStore } from '../../ports/series.ts';

/** Which samples are wanted, as a table: a row each step, a column each series. */
export interface MatrixQuery {
  resource: string;
  /** Milliseconds; both multiples of the step. */
  from: number;
  to: number;
  step: number;
  columns: readonly Pick<SeriesIdentity, 'name' | 'attributes'>[];
}

const sorted = (attributes: Readonly<Record<string, string>>): [string, string][] =>
  Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
const keyOf = ({ name, attributes }: MatrixQuery['columns'][number]): string =>
  JSON.stringify([name, sorted(attributes)]);

/**
 * Averages of gauges and rates of counters, a second, column after column; NaN where a step has no sample. Where only coarser samples are left, the
 * steps between them are NaN.
 */
export async function readMatrix(store: SeriesStore, org: string, query: MatrixQuery): Promise<Float32Array> {
  const { resource, from, to, step, columns } = query;
  const rows = Math.ceil((to - from) / step);
  const matrix = new Float32Array(rows * columns.length).fill(NaN);
  const places = new Map(columns.map((column, n) => [keyOf(column), n]));
  // Series that differ in their attributes' names are asked for apart: a question splits by one list of names.
  const questions = new Map<string, { by: string[]; names: Set<string> }>();
  for (const { name, attributes } of columns) {
    const by = sorted(attributes).map(([attribute]) => attribute);
    const question = questions.get(by.join('\0')) ?? { by, names: new Set() };
    questions.set(by.join('\0'), { by, names: question.names.add(name) });
  }
  for (const { by, names } of questions.values()) {
    const found = await store.query(org, { resource, names: [...names], from, to, step, where: {}, by });
    for (const { name, attributes, times, avg } of found) {
      const place = places.get(keyOf({ name, attributes }));
      if (place === undefined) continue;
      times.forEach((time, n) => {
        const row = Math.round((time - from) / step);
        if (row >= 0 && row < rows) matrix[place * rows + row] = avg[n]!;
      });
    }
  }
  return matrix;
}
